-- The register at which a sale was made is part of what it is found by: where
-- one is said, it stands behind the second in `sold_second`.
ALTER TABLE batch_transactions ADD COLUMN register TEXT NOT NULL DEFAULT '';
