-- The journal's chain. Filled by the program, which has the key: rows from before get theirs when it next migrates.
-- `entries` counts a charge's entries, `head` seals the last of them together with the charge's sums and owner.
ALTER TABLE charge ADD COLUMN entries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge ADD COLUMN head TEXT;
ALTER TABLE charge_entry ADD COLUMN seq BIGINT;
ALTER TABLE charge_entry ADD COLUMN mac TEXT;

-- 清点: how much there was of everything entered until a moment. Rows are only ever added, each sealed with the one
-- before.
CREATE TABLE journal_tally (
    no BIGINT PRIMARY KEY,
    entered_until BIGINT NOT NULL,
    charges BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    sum_fen BIGINT NOT NULL,
    mac TEXT NOT NULL
);
