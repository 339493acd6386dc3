-- The profile of the back office with which a location's sales are pushed, as
-- JSON: another one is refused.  None is kept of a location that was pushed by
-- an earlier version, or never.
CREATE TABLE sales_profiles (
    location TEXT NOT NULL,
    parts    TEXT NOT NULL,
    kept_at  TEXT NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;
