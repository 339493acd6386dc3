-- Since when somebody is told; nothing from before is.
CREATE TABLE notice_starts (
    location TEXT NOT NULL,
    since    TEXT NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;

-- The alerts that hold, or held a moment ago.  `gone_at` is when one was first
-- not seen any more; `told` is whether somebody knows that it began.
CREATE TABLE standing_alerts (
    location TEXT NOT NULL,
    name     TEXT NOT NULL,
    since    TEXT NOT NULL,
    gone_at  TEXT,
    told     INTEGER NOT NULL,
    PRIMARY KEY (location, name)
) WITHOUT ROWID;

-- Business dates of which the night's line was told, and whether there is
-- nothing left to tell of them.
CREATE TABLE told_nights (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    complete      INTEGER NOT NULL,
    PRIMARY KEY (location, business_date)
) WITHOUT ROWID;

-- What is still to be sent, in the order of its number.  An attempt puts off
-- `due_at` before it is made.
CREATE TABLE notices (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    location  TEXT NOT NULL,
    id        TEXT NOT NULL,
    body      BLOB NOT NULL,
    queued_at TEXT NOT NULL,
    due_at    TEXT NOT NULL,
    attempts  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (location, id)
);
