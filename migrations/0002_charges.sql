-- 收费项目
CREATE TABLE fee_item (
    id {{id}},
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('tuition', 'other', 'living', 'enrolment')),
    payee_code TEXT NOT NULL,
    collection TEXT NOT NULL CHECK (collection IN ('collecting', 'suspended')),
    opens_at BIGINT,
    closes_at BIGINT,
    min_split_fen BIGINT CHECK (min_split_fen > 0),
    updated_at BIGINT NOT NULL
);

-- 收费期间
CREATE TABLE billing_period (
    id {{id}},
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL
);

-- 应收. The four sums repeat what charge_entry says, so that arrears are read without adding up; the audit adds up.
CREATE TABLE charge (
    id {{id}},
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    fee_item_id BIGINT NOT NULL REFERENCES fee_item (id),
    period_id BIGINT NOT NULL REFERENCES billing_period (id),
    assessed_fen BIGINT NOT NULL CHECK (assessed_fen >= 0),
    waived_fen BIGINT NOT NULL CHECK (waived_fen >= 0),
    paid_fen BIGINT NOT NULL CHECK (paid_fen >= 0),
    refunded_fen BIGINT NOT NULL CHECK (refunded_fen >= 0 AND refunded_fen <= paid_fen),
    due_day BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (payer_id, fee_item_id, period_id)
);

-- 明细账: rows are only ever added. A cause happens to a charge once.
CREATE TABLE charge_entry (
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    cause TEXT NOT NULL CHECK (cause IN ('assessed', 'waived', 'paid', 'refunded', 'adjusted')),
    cause_no TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen <> 0),
    at BIGINT NOT NULL,
    PRIMARY KEY (charge_id, cause, cause_no)
);
