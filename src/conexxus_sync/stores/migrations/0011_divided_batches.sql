-- What a batch was divided from; how many pushes did not learn what became of
-- it; and whether an operator said that it, or what it was divided from, was
-- not delivered, so that what is answered with an error may be divided.
ALTER TABLE batches ADD COLUMN parent TEXT;
ALTER TABLE batches ADD COLUMN unknown_pushes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN released INTEGER NOT NULL DEFAULT 0;
