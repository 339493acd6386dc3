-- Windows of the last applied read: neighbouring elements, by a digest of
-- their bytes, with the SKUs that they name as a JSON array.  A window with
-- `plain` 1 holds nothing but items that are in the mirror as they are here,
-- and none that stands in another window, too.
CREATE TABLE windows (
    location TEXT NOT NULL,
    digest   BLOB NOT NULL,
    elements INTEGER NOT NULL,
    plain    INTEGER NOT NULL,
    skus     BLOB NOT NULL,
    PRIMARY KEY (location, digest)
) WITHOUT ROWID;

-- Runs that changed items: in each row of `items`, a number is shorter.
CREATE TABLE item_runs (
    number   INTEGER PRIMARY KEY,
    location TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    UNIQUE (location, run_id)
);
INSERT INTO item_runs (location, run_id)
    SELECT location, created_run FROM items
    UNION
    SELECT location, updated_run FROM items;

-- Items are compared by their columns: they need no digest.
CREATE TABLE items_by_number (
    location      TEXT NOT NULL,
    sku           TEXT NOT NULL,
    name          TEXT NOT NULL,
    price         TEXT NOT NULL,
    category      TEXT,
    description   TEXT,
    extra         TEXT,
    missing_since TEXT,
    created_in    INTEGER NOT NULL,
    updated_in    INTEGER NOT NULL,
    decision      TEXT,
    page          INTEGER,
    old_price     TEXT,
    PRIMARY KEY (location, sku)
) WITHOUT ROWID;
INSERT INTO items_by_number
    SELECT i.location, i.sku, i.name, i.price, i.category, i.description, i.extra,
        i.missing_since, c.number, u.number, i.decision, i.page, i.old_price
    FROM items AS i
    JOIN item_runs AS c ON c.location = i.location AND c.run_id = i.created_run
    JOIN item_runs AS u ON u.location = i.location AND u.run_id = i.updated_run
    ORDER BY i.location, i.sku;
DROP TABLE items;
ALTER TABLE items_by_number RENAME TO items;
