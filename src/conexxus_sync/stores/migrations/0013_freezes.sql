-- How often batches of a location were frozen or sent.  The file beside the
-- store says so, too: where it says more, the store is older than it was.
CREATE TABLE sales_freezes (
    location TEXT NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;
INSERT INTO sales_freezes SELECT location, count(*) FROM batches GROUP BY location;
