-- How an item came into its present state: what the run in `updated_run` made
-- of it, on which page of the read it came, and its price before.
ALTER TABLE items ADD COLUMN decision TEXT;
ALTER TABLE items ADD COLUMN page INTEGER;
ALTER TABLE items ADD COLUMN old_price TEXT;
ALTER TABLE quarantine ADD COLUMN page INTEGER;

-- A catalogue that was looked at and not applied, by a plan or because a guard
-- refused it.  Scope and digest tell whether it is still the same.
CREATE TABLE plans (
    location TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    scope    TEXT NOT NULL,
    digest   BLOB NOT NULL,
    PRIMARY KEY (location, run_id)
) WITHOUT ROWID;

-- The prices that it would change.
CREATE TABLE planned_prices (
    location  TEXT NOT NULL,
    run_id    TEXT NOT NULL,
    sku       TEXT NOT NULL,
    name      TEXT NOT NULL,
    old_price TEXT NOT NULL,
    new_price TEXT NOT NULL,
    PRIMARY KEY (location, run_id, sku)
) WITHOUT ROWID;

-- How many items a location has: to count a million takes a while, and
-- health is asked often.
CREATE TABLE item_counts (
    location TEXT NOT NULL,
    present  INTEGER NOT NULL,
    missing  INTEGER NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;
INSERT INTO item_counts
    SELECT location, count(*) - count(missing_since), count(missing_since)
    FROM items GROUP BY location;
