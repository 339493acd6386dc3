-- What an operator said of a batch holds as long as each attempt since was
-- answered.  Of one that may have arrived, that was not kept so far.
UPDATE batches SET released = 0 WHERE state IN ('unknown', 'sending');
