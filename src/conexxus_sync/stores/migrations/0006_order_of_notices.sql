-- Notices that were given up lately, by their old numbers, and why, without the
-- webhook's address.
CREATE TABLE given_up_notices (
    location TEXT NOT NULL,
    number   INTEGER NOT NULL,
    at       TEXT NOT NULL,
    why      TEXT NOT NULL,
    PRIMARY KEY (location, number)
) WITHOUT ROWID;

-- What a notice is about: of one subject, people are told in order.  What an
-- earlier version queued is one subject of its own.
ALTER TABLE notices ADD COLUMN subject TEXT NOT NULL DEFAULT '';
