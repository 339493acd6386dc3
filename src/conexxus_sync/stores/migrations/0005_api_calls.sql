-- How the last call of the back office went that a process told of.
CREATE TABLE api_calls (
    location   TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    reached    INTEGER NOT NULL,
    latency_ms REAL,
    error      TEXT,
    PRIMARY KEY (location)
) WITHOUT ROWID;
