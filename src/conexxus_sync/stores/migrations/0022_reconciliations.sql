-- What till, outbox and back office had of a business date that is over, when
-- they were last compared: `difference` is a sentence, or null if they agreed.
CREATE TABLE reconciliations (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    compared_at   TEXT NOT NULL,
    difference    TEXT,
    PRIMARY KEY (location, business_date)
) WITHOUT ROWID;
