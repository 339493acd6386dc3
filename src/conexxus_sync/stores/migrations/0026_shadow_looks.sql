-- What files and back office differed in, after each pull in shadow mode:
-- `examples` has the first differences, as JSON.
CREATE TABLE shadow_looks (
    location    TEXT NOT NULL,
    looked_at   TEXT NOT NULL,
    differences INTEGER NOT NULL,
    examples    TEXT NOT NULL,
    problem     TEXT,
    PRIMARY KEY (location, looked_at)
) WITHOUT ROWID;

-- Whether a file of this name was once all that there is.
ALTER TABLE source_files ADD COLUMN complete INTEGER NOT NULL DEFAULT 0;
