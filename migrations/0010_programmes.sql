-- 报名项目. Amounts in fen, times in milliseconds. The seats taken are counted here, under this row's lock, and the
-- check refuses one seat too many whatever the program believes.
CREATE TABLE programme (
    id {{id}},
    code TEXT NOT NULL UNIQUE,
    department TEXT NOT NULL,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL DEFAULT '',
    about TEXT NOT NULL DEFAULT '',
    about_en TEXT NOT NULL DEFAULT '',
    fee_item_id BIGINT NOT NULL REFERENCES fee_item (id),
    period_id BIGINT NOT NULL REFERENCES billing_period (id),
    fee_fen BIGINT NOT NULL CHECK (fee_fen >= 0),
    capacity BIGINT NOT NULL CHECK (capacity > 0),
    taken BIGINT NOT NULL DEFAULT 0,
    opens_at BIGINT,
    closes_at BIGINT,
    -- how long a seat is kept for whoever has not paid, in seconds
    pay_seconds BIGINT NOT NULL CHECK (pay_seconds > 0),
    -- codes of payer kinds with commas between; empty: everybody
    kinds TEXT NOT NULL DEFAULT '',
    -- what else is asked, as the office wrote it
    form TEXT NOT NULL DEFAULT '',
    updated_at BIGINT NOT NULL,
    CHECK (taken >= 0 AND taken <= capacity)
);

-- 报名. Whether a seat is paid for is what its charge says. The phone and the answers are sealed.
CREATE TABLE enrolment (
    id {{id}},
    programme_id BIGINT NOT NULL REFERENCES programme (id),
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'seated', 'cancelled', 'expired')),
    details_sealed TEXT,
    charge_id BIGINT REFERENCES charge (id),
    pay_by BIGINT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((charge_id IS NULL) = (pay_by IS NULL))
);
CREATE UNIQUE INDEX enrolment_live ON enrolment (programme_id, payer_id) WHERE state IN ('waiting', 'seated');
CREATE INDEX enrolment_by_payer ON enrolment (payer_id, created_at);
CREATE INDEX enrolment_queue ON enrolment (programme_id, id) WHERE state = 'waiting';
CREATE INDEX enrolment_to_pay ON enrolment (pay_by) WHERE state = 'seated';
