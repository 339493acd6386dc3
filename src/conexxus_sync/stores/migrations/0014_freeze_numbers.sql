-- `freeze` is a reserved word of PostgreSQL.
ALTER TABLE batches RENAME COLUMN "freeze" TO freeze_number;
