-- A sale of a date is found by its id and the second at which it was sold:
-- registers may use the same numbers.  `version` says how a digest was made;
-- '1' is of the bytes.  `voided` is 1 for what was taken back, and 2 once its
-- correction was sent.
CREATE TABLE new_delivered (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    id            TEXT NOT NULL,
    sold_second   TEXT NOT NULL,
    version       TEXT NOT NULL,
    digest        BLOB NOT NULL,
    total         TEXT NOT NULL,
    key           TEXT NOT NULL,
    delivered_at  TEXT NOT NULL,
    sold_at       TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    voided        INTEGER NOT NULL,
    PRIMARY KEY (location, business_date, id, sold_second)
) WITHOUT ROWID;
INSERT INTO new_delivered
    SELECT location, business_date, id, substr(sold_at, 1, 19), '1', digest, total, key,
        delivered_at, sold_at, revision, voided
    FROM delivered;
DROP TABLE delivered;
ALTER TABLE new_delivered RENAME TO delivered;
CREATE INDEX delivered_by_id ON delivered (location, id, sold_second);

ALTER TABLE batch_transactions ADD COLUMN version TEXT NOT NULL DEFAULT '1';

-- Names that corrections were sent under: no other sale may have them.
CREATE INDEX corrections_by_id ON batch_transactions (location, id) WHERE revision > 0;

-- Of what was set aside before, the second is not known: it is ''.
CREATE TABLE new_quarantined (
    location       TEXT NOT NULL,
    business_date  TEXT NOT NULL,
    id             TEXT NOT NULL,
    sold_second    TEXT NOT NULL,
    raw            BLOB NOT NULL,
    reason         TEXT NOT NULL,
    quarantined_at TEXT NOT NULL,
    PRIMARY KEY (location, business_date, id, sold_second)
) WITHOUT ROWID;
INSERT INTO new_quarantined
    SELECT location, business_date, id, '', raw, reason, quarantined_at
    FROM quarantined_transactions;
DROP TABLE quarantined_transactions;
ALTER TABLE new_quarantined RENAME TO quarantined_transactions;

CREATE TABLE new_discrepancies (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    id            TEXT NOT NULL,
    sold_second   TEXT NOT NULL,
    kind          TEXT NOT NULL,
    digest        BLOB,
    found_at      TEXT NOT NULL,
    PRIMARY KEY (location, business_date, id, sold_second)
) WITHOUT ROWID;
INSERT INTO new_discrepancies
    SELECT location, business_date, id, '', kind, digest, found_at FROM discrepancies;
DROP TABLE discrepancies;
ALTER TABLE new_discrepancies RENAME TO discrepancies;
