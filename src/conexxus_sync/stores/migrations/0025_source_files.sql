-- Files that were applied as a catalogue, or as changes of one: under each name,
-- the last one.  Written in the transaction that applies it.
CREATE TABLE source_files (
    location   TEXT NOT NULL,
    name       TEXT NOT NULL,
    digest     BLOB NOT NULL,
    size       INTEGER NOT NULL,
    modified   TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    PRIMARY KEY (location, name)
) WITHOUT ROWID;
