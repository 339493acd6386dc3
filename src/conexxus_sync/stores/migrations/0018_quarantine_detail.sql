-- Which rule an item breaks, if the reason has several.
ALTER TABLE quarantine ADD COLUMN detail TEXT;
