-- "CNXS": what kind of file it is.
PRAGMA application_id = 1129207891;

-- The mark of the file's generation, which each transaction replaces: file and
-- log are compared by it when the store is opened.  `prefix` is in no text.
-- It is of the whole file, whatever locations are in it.
CREATE TABLE store_generation (
    id      INTEGER PRIMARY KEY,
    prefix  BLOB NOT NULL,
    earlier BLOB NOT NULL,
    latest  BLOB NOT NULL
);
INSERT INTO store_generation VALUES (1, x'fffe434e585367656e', zeroblob(8), randomblob(8));
