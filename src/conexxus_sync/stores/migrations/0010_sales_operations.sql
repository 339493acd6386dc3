-- Where a request left that may have arrived: the boot of its computer, the
-- seconds since that boot, and a moment by the back office's own clock that
-- was not later.  Without them, the age of a key is in doubt.
ALTER TABLE batches ADD COLUMN sent_boot TEXT;
ALTER TABLE batches ADD COLUMN sent_uptime REAL;
ALTER TABLE batches ADD COLUMN sent_server TEXT;
