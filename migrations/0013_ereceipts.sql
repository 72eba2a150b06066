-- 财政电子票据 of a receipt. Written in the transaction that books the payment, issued afterwards under serial_no, which
-- is one bill at the platform however often it is asked for. After a refund of a part, the next part is for the rest.
-- Whoever works on a row holds it until held_until; next_try_at is when it is to be looked at again.
CREATE TABLE ereceipt (
    id {{id}},
    serial_no TEXT NOT NULL UNIQUE,
    receipt_id BIGINT NOT NULL REFERENCES receipt (id),
    part BIGINT NOT NULL CHECK (part > 0),
    state TEXT NOT NULL
        CHECK (state IN ('wanted', 'issued', 'pushed', 'failed', 'reversing', 'reversed', 'dropped')),
    -- when it was first asked for; it may exist at the platform from then on
    asked_at BIGINT,
    -- what was asked for, as JSON
    content TEXT,
    -- 票据代码, 票据号码, 校验码
    bill_code TEXT,
    bill_no TEXT,
    check_code TEXT,
    issued_at BIGINT,
    amount_fen BIGINT CHECK (amount_fen > 0),
    address TEXT,
    pushed_at BIGINT,
    -- masked
    pushed_to TEXT,
    red_code TEXT,
    red_no TEXT,
    red_check TEXT,
    reversed_at BIGINT,
    why TEXT,
    tries BIGINT NOT NULL,
    next_try_at BIGINT,
    held_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (receipt_id, part),
    CHECK ((bill_no IS NULL) = (state IN ('wanted', 'failed', 'dropped'))),
    CHECK ((bill_no IS NULL) = (bill_code IS NULL AND check_code IS NULL AND issued_at IS NULL AND amount_fen IS NULL)),
    CHECK ((state = 'reversed') = (reversed_at IS NOT NULL)),
    CHECK (state <> 'pushed' OR (pushed_at IS NOT NULL AND pushed_to IS NOT NULL)),
    CHECK (state <> 'failed' OR why IS NOT NULL)
);
-- A receipt has one e-receipt that counts, and a bill belongs to one: the indexes say so, not only the code.
CREATE UNIQUE INDEX ereceipt_live ON ereceipt (receipt_id) WHERE state NOT IN ('reversed', 'dropped');
CREATE UNIQUE INDEX ereceipt_bill ON ereceipt (bill_code, bill_no) WHERE bill_no IS NOT NULL;
CREATE INDEX ereceipt_open ON ereceipt (state, created_at) WHERE state IN ('wanted', 'failed', 'reversing');
CREATE INDEX ereceipt_due ON ereceipt (next_try_at) WHERE next_try_at IS NOT NULL;

-- 非税项目编码: what the fiscal authority calls the item. Eleven digits; an item of an agency has none.
ALTER TABLE fee_item ADD COLUMN fiscal_code TEXT;
