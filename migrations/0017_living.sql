-- 生活缴费: one row for each top-up of a room or a card, and where it stands with who provides the service. Amounts in
-- fen, times in milliseconds. The number of the room or the card is sealed.
CREATE TABLE top_up (
    id {{id}},
    order_id BIGINT NOT NULL UNIQUE REFERENCES payment_order (id),
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    -- the service's id in the configuration
    service TEXT NOT NULL,
    account_sealed TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    state TEXT NOT NULL CHECK (state IN ('unpaid', 'dropped', 'waiting', 'done', 'returning', 'returned')),
    tries BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT,
    provider_no TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((state = 'waiting') = (next_try_at IS NOT NULL))
);
CREATE INDEX top_up_by_payer ON top_up (payer_id, service, id);
CREATE INDEX top_up_due ON top_up (service, next_try_at) WHERE state = 'waiting';
