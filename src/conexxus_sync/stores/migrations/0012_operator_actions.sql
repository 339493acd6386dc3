-- What operators did to sales: the subject is a transaction, by the host's
-- name, or the key of a batch.
CREATE TABLE operator_actions (
    location      TEXT NOT NULL,
    number        INTEGER NOT NULL,
    subject       TEXT NOT NULL,
    business_date TEXT NOT NULL,
    action        TEXT NOT NULL,
    reason        TEXT,
    at            TEXT NOT NULL,
    PRIMARY KEY (location, number)
) WITHOUT ROWID;
CREATE INDEX operator_actions_by_subject ON operator_actions (location, subject);

-- What an operator has settled for good is kept, and asks for nothing.
ALTER TABLE quarantined_transactions ADD COLUMN dismissed_at TEXT;
ALTER TABLE discrepancies ADD COLUMN accepted_at TEXT;
