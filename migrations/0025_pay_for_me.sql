-- 代付链接: whoever opens one may pay one order, or one charge, of the payer who made it.
CREATE TABLE pay_link (
    id {{id}},
    code TEXT NOT NULL UNIQUE,
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    order_id BIGINT REFERENCES payment_order (id),
    charge_id BIGINT REFERENCES charge (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CHECK ((order_id IS NULL) <> (charge_id IS NULL))
);
CREATE INDEX pay_link_by_payer ON pay_link (payer_id, id);

-- 代付: one giver's way to one order. The same form of the link's page is the same gift. Whoever has its code may pay
-- the order, as long as the link stands.
CREATE TABLE gift (
    id {{id}},
    code TEXT NOT NULL UNIQUE,
    pay_link_id BIGINT NOT NULL REFERENCES pay_link (id),
    form_key TEXT NOT NULL,
    order_id BIGINT NOT NULL REFERENCES payment_order (id),
    giver_sealed TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (pay_link_id, form_key)
);
CREATE INDEX gift_by_order ON gift (order_id);

-- Whose way an attempt was made on; none: the payer's own.
ALTER TABLE attempt ADD COLUMN gift_id BIGINT REFERENCES gift (id);
CREATE INDEX attempt_by_gift ON attempt (gift_id) WHERE gift_id IS NOT NULL;
