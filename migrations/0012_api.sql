-- 接口密钥: keys of campus systems. Only the SHA-256 of a key is kept; a name is one key's at a time.
CREATE TABLE api_key (
    id {{id}},
    name TEXT NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX api_key_live_name ON api_key (name) WHERE revoked_at IS NULL;

-- 幂等: a call under an Idempotency-Key, first claimed, then answered. The body is kept as a keyed hash only.
CREATE TABLE api_call (
    api_key_id BIGINT NOT NULL REFERENCES api_key (id),
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    claim TEXT NOT NULL,
    claimed_at BIGINT NOT NULL,
    status BIGINT,
    content_type TEXT,
    body TEXT,
    PRIMARY KEY (api_key_id, idempotency_key),
    CHECK ((status IS NULL) = (body IS NULL) AND (status IS NULL) = (content_type IS NULL))
);
CREATE INDEX api_call_by_age ON api_call (claimed_at);

-- Where an order stands in the feed of changed orders. Whatever changes an order takes its number away; numbers are
-- given after commit, by one process at a time, so that a reader who has seen a number has seen all below it.
ALTER TABLE payment_order ADD COLUMN feed_no BIGINT;
ALTER TABLE payment_order ADD COLUMN fed_at BIGINT;
CREATE UNIQUE INDEX payment_order_fed ON payment_order (feed_no);
CREATE INDEX payment_order_unfed ON payment_order (id) WHERE feed_no IS NULL;
