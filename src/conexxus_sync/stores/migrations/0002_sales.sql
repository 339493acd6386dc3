-- The first business date that a location pushes.  Dates before `open_from`
-- take no push: what was sold then was delivered by something else.
CREATE TABLE sales_floors (
    location    TEXT NOT NULL,
    since       TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    open_from   TEXT,
    PRIMARY KEY (location)
) WITHOUT ROWID;

-- Up to which run somebody has said that the clock is right, whatever these
-- runs say of it.
CREATE TABLE sales_clocks (
    location TEXT NOT NULL,
    run      INTEGER NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;

-- When a business date was last looked at with nothing left to deliver, and
-- why it takes no push any more.  This, not the clock, decides what is due.
CREATE TABLE sales_dates (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    visited_at    TEXT,
    closed        TEXT,
    PRIMARY KEY (location, business_date)
) WITHOUT ROWID;

-- Transactions frozen together.  `freeze` and `first` give their order; a
-- batch that was divided hands its place on.  `unknown_since` is when the
-- first request of unknown fate left, `parked` why it is not repeated;
-- `forced` repeats it once in spite of that.  `mismatched` counts those whose
-- lines do not add up.
-- The body comes last: what precedes it is read without it.
CREATE TABLE batches (
    location      TEXT NOT NULL,
    key           TEXT NOT NULL,
    business_date TEXT NOT NULL,
    "freeze"      INTEGER NOT NULL,
    first         INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (
        state IN ('pending', 'sending', 'delivered', 'rejected', 'unknown', 'resolved')
    ),
    transactions  INTEGER NOT NULL,
    mismatched    INTEGER NOT NULL,
    total         TEXT NOT NULL,
    digest        BLOB NOT NULL,
    forced        INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    frozen_at     TEXT NOT NULL,
    sent_at       TEXT,
    unknown_since TEXT,
    settled_at    TEXT,
    parked        TEXT,
    answer        TEXT,
    body          BLOB,
    PRIMARY KEY (location, key)
);
CREATE INDEX batches_by_date ON batches (location, business_date, "freeze", first);
CREATE INDEX batches_open ON batches (location, business_date, "freeze", first)
    WHERE state IN ('pending', 'sending', 'unknown');
CREATE INDEX batches_with_bytes ON batches (location, settled_at)
    WHERE settled_at IS NOT NULL AND body IS NOT NULL;

-- `size` is that of its bytes in the body, to cut them out unchanged.  `id` is
-- what was sent; the host's own is `origin`, and it is the `revision`th
-- correction of it.
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
    PRIMARY KEY (location, key, position)
) WITHOUT ROWID;
CREATE INDEX batch_transactions_by_origin ON batch_transactions (location, origin);

-- What the back office has, by the bytes that the host told.  One that was
-- voided it has no longer; `key` is empty if something else delivered it.
CREATE TABLE delivered (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    id            TEXT NOT NULL,
    digest        BLOB NOT NULL,
    total         TEXT NOT NULL,
    key           TEXT NOT NULL,
    delivered_at  TEXT NOT NULL,
    sold_at       TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    voided        INTEGER NOT NULL,
    PRIMARY KEY (location, business_date, id)
) WITHOUT ROWID;
CREATE INDEX delivered_by_id ON delivered (location, id);

CREATE TABLE quarantined_transactions (
    location       TEXT NOT NULL,
    business_date  TEXT NOT NULL,
    id             TEXT NOT NULL,
    raw            BLOB NOT NULL,
    reason         TEXT NOT NULL,
    quarantined_at TEXT NOT NULL,
    PRIMARY KEY (location, business_date, id)
) WITHOUT ROWID;

-- Delivered transactions that the host now tells otherwise.
CREATE TABLE discrepancies (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    id            TEXT NOT NULL,
    kind          TEXT NOT NULL,
    digest        BLOB,
    found_at      TEXT NOT NULL,
    PRIMARY KEY (location, business_date, id)
) WITHOUT ROWID;
