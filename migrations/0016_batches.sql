-- 收费批次, as the office names it. Empty: the fees of a period that are of one kind are a batch.
ALTER TABLE charge ADD COLUMN batch TEXT NOT NULL DEFAULT '';
