-- The table of a reconciled business date, as JSON: one array for each row, of
-- what it adds up, its name, and the figure of each side as a text.
ALTER TABLE reconciliations ADD COLUMN figures TEXT;
