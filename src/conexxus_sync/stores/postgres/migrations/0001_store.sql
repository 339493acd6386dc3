-- The tables of SQLite's migrations up to 0019, with SQLite's names of types.

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
);

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
CREATE INDEX runs_by_start ON runs (location, started_at, number);

CREATE TABLE checkpoints (
    location TEXT NOT NULL,
    scope    TEXT NOT NULL,
    etag     TEXT,
    digest   BLOB NOT NULL,
    run      TEXT NOT NULL,
    read_at  TEXT,
    PRIMARY KEY (location)
);

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
    page       INTEGER,
    detail     TEXT,
    PRIMARY KEY (location, kind, key, part)
);

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
);

CREATE TABLE hosts (
    location TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    applied  INTEGER NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE sales_floors (
    location    TEXT NOT NULL,
    since       TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    open_from   TEXT,
    PRIMARY KEY (location)
);

CREATE TABLE sales_clocks (
    location TEXT NOT NULL,
    run      INTEGER NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE sales_dates (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    visited_at    TEXT,
    closed        TEXT,
    fingerprint   BLOB,
    PRIMARY KEY (location, business_date)
);

CREATE TABLE batches (
    location       TEXT NOT NULL,
    key            TEXT NOT NULL,
    business_date  TEXT NOT NULL,
    freeze_number  INTEGER NOT NULL,
    first          INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'rejected', 'unknown', 'resolved')),
    transactions   INTEGER NOT NULL,
    mismatched     INTEGER NOT NULL,
    total          TEXT NOT NULL,
    digest         BLOB NOT NULL,
    forced         INTEGER NOT NULL DEFAULT 0,
    attempts       INTEGER NOT NULL DEFAULT 0,
    frozen_at      TEXT NOT NULL,
    sent_at        TEXT,
    unknown_since  TEXT,
    settled_at     TEXT,
    parked         TEXT,
    answer         TEXT,
    body           BLOB,
    sent_boot      TEXT,
    sent_uptime    REAL,
    sent_server    TEXT,
    parent         TEXT,
    unknown_pushes INTEGER NOT NULL DEFAULT 0,
    released       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (location, key)
);
CREATE INDEX batches_by_date ON batches (location, business_date, freeze_number, first);
CREATE INDEX batches_open ON batches (location, business_date, freeze_number, first) WHERE state IN ('pending', 'sending', 'unknown');
CREATE INDEX batches_with_bytes ON batches (location, settled_at) WHERE settled_at IS NOT NULL AND body IS NOT NULL;
CREATE INDEX batches_counted ON batches (location, mismatched, state);

CREATE TABLE batch_transactions (
    location TEXT NOT NULL,
    key      TEXT NOT NULL,
    position INTEGER NOT NULL,
    id       TEXT NOT NULL,
    digest   BLOB NOT NULL,
    total    TEXT NOT NULL,
    size     INTEGER NOT NULL,
    sold_at  TEXT NOT NULL,
    origin   TEXT NOT NULL,
    revision INTEGER NOT NULL,
    voids    INTEGER NOT NULL,
    version  TEXT NOT NULL DEFAULT '1',
    PRIMARY KEY (location, key, position)
);
CREATE INDEX batch_transactions_by_origin ON batch_transactions (location, origin);
CREATE INDEX corrections_by_id ON batch_transactions (location, id) WHERE revision > 0;

CREATE TABLE plans (
    location TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    scope    TEXT NOT NULL,
    digest   BLOB NOT NULL,
    anew     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (location, run_id)
);

CREATE TABLE planned_prices (
    location  TEXT NOT NULL,
    run_id    TEXT NOT NULL,
    sku       TEXT NOT NULL,
    name      TEXT NOT NULL,
    old_price TEXT NOT NULL,
    new_price TEXT NOT NULL,
    PRIMARY KEY (location, run_id, sku)
);

CREATE TABLE item_counts (
    location TEXT NOT NULL,
    present  INTEGER NOT NULL,
    missing  INTEGER NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE notice_starts (
    location TEXT NOT NULL,
    since    TEXT NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE standing_alerts (
    location TEXT NOT NULL,
    name     TEXT NOT NULL,
    since    TEXT NOT NULL,
    gone_at  TEXT,
    told     INTEGER NOT NULL,
    PRIMARY KEY (location, name)
);

CREATE TABLE told_nights (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    complete      INTEGER NOT NULL,
    PRIMARY KEY (location, business_date)
);

CREATE TABLE notices (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    location  TEXT NOT NULL,
    id        TEXT NOT NULL,
    body      BLOB NOT NULL,
    queued_at TEXT NOT NULL,
    due_at    TEXT NOT NULL,
    attempts  INTEGER NOT NULL DEFAULT 0,
    subject   TEXT NOT NULL DEFAULT '',
    UNIQUE (location, id)
);

CREATE TABLE api_calls (
    location   TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    reached    INTEGER NOT NULL,
    latency_ms REAL,
    error      TEXT,
    PRIMARY KEY (location)
);

CREATE TABLE given_up_notices (
    location TEXT NOT NULL,
    number   INTEGER NOT NULL,
    at       TEXT NOT NULL,
    why      TEXT NOT NULL,
    PRIMARY KEY (location, number)
);

CREATE TABLE sales_profiles (
    location TEXT NOT NULL,
    parts    TEXT NOT NULL,
    kept_at  TEXT NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE delivered (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    id            TEXT NOT NULL,
    sold_second   TEXT NOT NULL,
    version       TEXT NOT NULL,
    digest        BLOB NOT NULL,
    total         TEXT NOT NULL,
    key           TEXT NOT NULL,
    delivered_at  TEXT NOT NULL,
    sold_at       TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    voided        INTEGER NOT NULL,
    PRIMARY KEY (location, business_date, id, sold_second)
);
CREATE INDEX delivered_by_id ON delivered (location, id, sold_second);

CREATE TABLE quarantined_transactions (
    location       TEXT NOT NULL,
    business_date  TEXT NOT NULL,
    id             TEXT NOT NULL,
    sold_second    TEXT NOT NULL,
    raw            BLOB NOT NULL,
    reason         TEXT NOT NULL,
    quarantined_at TEXT NOT NULL,
    dismissed_at   TEXT,
    PRIMARY KEY (location, business_date, id, sold_second)
);
CREATE INDEX quarantined_transactions_counted ON quarantined_transactions (location, dismissed_at, business_date);

CREATE TABLE discrepancies (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    id            TEXT NOT NULL,
    sold_second   TEXT NOT NULL,
    kind          TEXT NOT NULL,
    digest        BLOB,
    found_at      TEXT NOT NULL,
    accepted_at   TEXT,
    PRIMARY KEY (location, business_date, id, sold_second)
);
CREATE INDEX discrepancies_counted ON discrepancies (location, accepted_at, business_date);
CREATE INDEX discrepancies_by_kind ON discrepancies (location, kind, business_date, id);

CREATE TABLE refused_changes (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    why           TEXT NOT NULL,
    refused_at    TEXT NOT NULL,
    PRIMARY KEY (location, business_date)
);

CREATE TABLE operator_actions (
    location      TEXT NOT NULL,
    number        INTEGER NOT NULL,
    subject       TEXT NOT NULL,
    business_date TEXT NOT NULL,
    action        TEXT NOT NULL,
    reason        TEXT,
    at            TEXT NOT NULL,
    PRIMARY KEY (location, number)
);
CREATE INDEX operator_actions_by_subject ON operator_actions (location, subject);

CREATE TABLE sales_freezes (
    location TEXT NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE windows (
    location TEXT NOT NULL,
    digest   BLOB NOT NULL,
    elements INTEGER NOT NULL,
    plain    INTEGER NOT NULL,
    skus     BLOB NOT NULL,
    PRIMARY KEY (location, digest)
);

CREATE TABLE item_runs (
    number   INTEGER PRIMARY KEY,
    location TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    UNIQUE (location, run_id)
);

CREATE TABLE items (
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
);

CREATE TABLE sales_watermarks (
    location TEXT NOT NULL,
    first    TEXT NOT NULL,
    before   TEXT NOT NULL,
    as_of    TEXT NOT NULL,
    rules    TEXT NOT NULL,
    lookback INTEGER NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE unnamed_elements (
    location TEXT NOT NULL,
    elements INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    since    TEXT NOT NULL,
    waiting  INTEGER NOT NULL,
    PRIMARY KEY (location)
);

CREATE TABLE planned_removals (
    location TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    sku      TEXT NOT NULL,
    name     TEXT NOT NULL,
    price    TEXT NOT NULL,
    PRIMARY KEY (location, run_id, sku)
);
