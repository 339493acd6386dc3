-- When the dates in progress were last looked at for sales to push during the
-- day.
CREATE TABLE sales_looks (
    location  TEXT NOT NULL,
    looked_at TEXT NOT NULL,
    PRIMARY KEY (location)
) WITHOUT ROWID;

-- Sales of dates in progress as the host returned them, and since when it
-- returns them like this.
CREATE TABLE looked_sales (
    location      TEXT NOT NULL,
    business_date TEXT NOT NULL,
    id            TEXT NOT NULL,
    sold_second   TEXT NOT NULL,
    version       TEXT NOT NULL,
    digest        BLOB NOT NULL,
    since         TEXT NOT NULL,
    PRIMARY KEY (location, business_date, id, sold_second)
) WITHOUT ROWID;
