-- 缴费单
CREATE TABLE payment_order (
    id {{id}},
    order_no TEXT NOT NULL UNIQUE,
    checkout_id TEXT NOT NULL,
    part BIGINT NOT NULL,
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    payee_code TEXT NOT NULL,
    subject TEXT NOT NULL,
    total_fen BIGINT NOT NULL CHECK (total_fen > 0),
    pay_code TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'paid', 'closed')),
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    paid_at BIGINT,
    trade_no TEXT,
    product TEXT,
    closed_at BIGINT,
    close_reason TEXT CHECK (close_reason IN ('cancelled', 'expired', 'superseded')),
    UNIQUE (payer_id, checkout_id, part),
    CHECK ((state = 'paid') = (paid_at IS NOT NULL AND trade_no IS NOT NULL)),
    CHECK (state <> 'closed' OR closed_at IS NOT NULL)
);
CREATE INDEX payment_order_by_payer ON payment_order (payer_id, created_at);
CREATE INDEX payment_order_expiring ON payment_order (expires_at) WHERE state = 'pending';

CREATE TABLE order_line (
    order_id BIGINT NOT NULL REFERENCES payment_order (id),
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    refunded_fen BIGINT NOT NULL CHECK (refunded_fen >= 0 AND refunded_fen <= amount_fen),
    PRIMARY KEY (order_id, charge_id)
);
CREATE INDEX order_line_by_charge ON order_line (charge_id);

-- 支付流水. At most one attempt of an order is live: the index says so, not only the code.
CREATE TABLE attempt (
    id {{id}},
    attempt_no TEXT NOT NULL UNIQUE,
    order_id BIGINT NOT NULL REFERENCES payment_order (id),
    channel TEXT NOT NULL,
    product TEXT NOT NULL,
    payee_code TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    state TEXT NOT NULL CHECK (state IN ('live', 'paid', 'closed')),
    buyer_sealed TEXT,
    payer_ip TEXT NOT NULL,
    return_url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    inquiries BIGINT NOT NULL,
    next_inquiry_at BIGINT
);
CREATE UNIQUE INDEX attempt_live ON attempt (order_id) WHERE state = 'live';
CREATE INDEX attempt_by_order ON attempt (order_id);
CREATE INDEX attempt_to_inquire ON attempt (next_inquiry_at) WHERE next_inquiry_at IS NOT NULL;

-- 交易: money a channel took, once per trade number, and what became of it.
CREATE TABLE trade (
    channel TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    attempt_id BIGINT NOT NULL REFERENCES attempt (id),
    order_id BIGINT NOT NULL REFERENCES payment_order (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    outcome TEXT NOT NULL CHECK (outcome IN ('settled', 'surplus', 'mismatch')),
    paid_at BIGINT NOT NULL,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (channel, trade_no)
);
CREATE INDEX trade_by_order ON trade (order_id);
CREATE UNIQUE INDEX trade_settles_once ON trade (order_id) WHERE outcome = 'settled';

-- 异步通知: each distinct genuine notice as it came.
CREATE TABLE notice (
    digest TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    payee_code TEXT NOT NULL,
    event_id TEXT NOT NULL,
    about TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL
);

-- 收费单: one per paid order.
CREATE TABLE receipt (
    id {{id}},
    receipt_no TEXT NOT NULL UNIQUE,
    order_id BIGINT NOT NULL UNIQUE REFERENCES payment_order (id),
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    issued_at BIGINT NOT NULL,
    issuer TEXT NOT NULL
);
CREATE INDEX receipt_by_payer ON receipt (payer_id, issued_at);

-- 退费. A refund is wanted first and asked for afterwards, under the same number until the channel has said its last
-- word.
CREATE TABLE refund (
    id {{id}},
    refund_no TEXT NOT NULL UNIQUE,
    attempt_id BIGINT NOT NULL REFERENCES attempt (id),
    order_id BIGINT NOT NULL REFERENCES payment_order (id),
    channel TEXT NOT NULL,
    payee_code TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('surplus', 'requested')),
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    total_fen BIGINT NOT NULL CHECK (total_fen >= amount_fen),
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'processing', 'done', 'abnormal', 'closed')),
    channel_refund_no TEXT,
    tries BIGINT NOT NULL,
    next_try_at BIGINT,
    created_at BIGINT NOT NULL,
    done_at BIGINT
);
CREATE INDEX refund_by_order ON refund (order_id);
CREATE INDEX refund_to_advance ON refund (next_try_at) WHERE next_try_at IS NOT NULL;

-- Which lines of the order a requested refund gives back.
CREATE TABLE refund_line (
    refund_id BIGINT NOT NULL REFERENCES refund (id),
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (refund_id, charge_id)
);

-- 待办: what a person of the office must look at. The same subject raises one item.
CREATE TABLE office_item (
    id {{id}},
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    resolved_at BIGINT,
    UNIQUE (kind, subject)
);
