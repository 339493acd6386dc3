-- When the last complete read took place: its ETag is not trusted for ever.
ALTER TABLE checkpoints ADD COLUMN read_at TEXT;

-- Elements of the catalogue whose SKU can't be read: each may be any item that
-- is absent.  `elements` and `waiting`, items that therefore stay, are of the
-- last applied read; each read since `since` had exactly those of `digest`.
CREATE TABLE unnamed_elements (
    location TEXT NOT NULL,
    elements INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    since    TEXT NOT NULL,
    waiting  INTEGER NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;

-- Whether it was read without a condition: so it has to be read again.
ALTER TABLE plans ADD COLUMN anew INTEGER NOT NULL DEFAULT 0;

-- Items that are absent from a catalogue that was looked at and not applied.
CREATE TABLE planned_removals (
    location TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    sku      TEXT NOT NULL,
    name     TEXT NOT NULL,
    price    TEXT NOT NULL,
    PRIMARY KEY (location, run_id, sku)
) WITHOUT ROWID;
