-- Who may write, for one location and kind.  A row outlives its holders:
-- the epoch never repeats.
CREATE TABLE leases (
    location   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    run_id     TEXT,
    boot       TEXT NOT NULL,
    namespace  TEXT NOT NULL,
    pid        INTEGER NOT NULL,
    started    TEXT NOT NULL,
    host       TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (location, kind)
) WITHOUT ROWID;

-- Runs that ended, in the order in which they ended.
CREATE TABLE runs (
    number        INTEGER PRIMARY KEY,
    location      TEXT NOT NULL,
    id            TEXT NOT NULL,
    kind          TEXT NOT NULL,
    business_date TEXT,
    status        TEXT,
    planned       INTEGER NOT NULL,
    started_at    TEXT NOT NULL,
    ended_at      TEXT,
    document      TEXT NOT NULL,
    UNIQUE (location, id)
);
CREATE INDEX runs_by_kind ON runs (location, kind, planned, number);
CREATE INDEX runs_by_id ON runs (id);

-- The mirror.  A price keeps the digits received; the digest covers all of
-- sku, name, price, category, description and extra.
CREATE TABLE items (
    location      TEXT NOT NULL,
    sku           TEXT NOT NULL,
    digest        BLOB NOT NULL,
    name          TEXT NOT NULL,
    price         TEXT NOT NULL,
    category      TEXT,
    description   TEXT,
    extra         TEXT,
    missing_since TEXT,
    created_run   TEXT NOT NULL,
    updated_run   TEXT NOT NULL,
    PRIMARY KEY (location, sku)
) WITHOUT ROWID;

-- What the last applied read was.
CREATE TABLE checkpoints (
    location TEXT NOT NULL,
    scope    TEXT NOT NULL,
    etag     TEXT,
    digest   BLOB NOT NULL,
    run      TEXT NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;

-- Set aside with a reason; `part` tells apart several under one key.
CREATE TABLE quarantine (
    location   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    key        TEXT NOT NULL,
    part       INTEGER NOT NULL,
    raw        BLOB NOT NULL,
    reason     TEXT NOT NULL,
    path       TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen  TEXT NOT NULL,
    times_seen INTEGER NOT NULL,
    run_id     TEXT NOT NULL,
    PRIMARY KEY (location, kind, key, part)
) WITHOUT ROWID;

-- Changes that the host has not applied yet, in sequence.
CREATE TABLE changes (
    location    TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    sku         TEXT NOT NULL,
    name        TEXT NOT NULL,
    price       TEXT NOT NULL,
    category    TEXT,
    description TEXT,
    extra       TEXT,
    PRIMARY KEY (location, sequence, kind, sku)
) WITHOUT ROWID;

-- A location that has, or ever had, a host storage: the last sequence made,
-- and the last one that the host applied.
CREATE TABLE hosts (
    location TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    applied  INTEGER NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;
