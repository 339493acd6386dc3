-- Business dates of which so much changed or disappeared at once that nothing
-- was taken back, and why.
CREATE TABLE refused_changes (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    why           TEXT NOT NULL,
    refused_at    TEXT NOT NULL,
    PRIMARY KEY (location, business_date)
) WITHOUT ROWID;
