-- The store that this one was moved to: no run begins here any more.  It is of
-- the whole store, whatever locations are in it.
CREATE TABLE store_moves (
    target   TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    PRIMARY KEY (target)
) WITHOUT ROWID;
