-- Up to where a location's business dates are past their last look: from
-- `first` to before `before`, by a calendar with these rules that looks
-- `lookback` days back.  An earlier clock than `as_of` may look again.
CREATE TABLE sales_watermarks (
    location TEXT NOT NULL,
    first    TEXT NOT NULL,
    before   TEXT NOT NULL,
    as_of    TEXT NOT NULL,
    rules    TEXT NOT NULL,
    lookback INTEGER NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;

-- What is asked every minute is the end of an index, or counted in one that
-- holds no documents.
CREATE INDEX runs_by_start ON runs (location, started_at, number);
CREATE INDEX batches_counted ON batches (location, mismatched, state);
CREATE INDEX quarantined_transactions_counted
    ON quarantined_transactions (location, dismissed_at, business_date);
CREATE INDEX discrepancies_counted ON discrepancies (location, accepted_at, business_date);
CREATE INDEX discrepancies_by_kind ON discrepancies (location, kind, business_date, id);

-- What a date's sales, the settings and the store were like when a look at it
-- last found nothing to do; null if there was something.
ALTER TABLE sales_dates ADD COLUMN fingerprint BLOB;
