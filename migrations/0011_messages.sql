-- 消息: the outbox of mail and text messages, written in the transaction of its cause. What is to be said, and to whom,
-- is sealed (AES-256-GCM), and gone when nothing is to be tried any more. Whoever claims a try moves next_try_at on.
CREATE TABLE message (
    id {{id}},
    kind TEXT NOT NULL CHECK (kind IN ('reset_link', 'reset_code', 'sign_in')),
    letter_sealed TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'nobody')),
    tries BIGINT NOT NULL,
    next_try_at BIGINT,
    useful_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    CHECK ((state = 'waiting') = (next_try_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (letter_sealed IS NOT NULL)),
    CHECK ((state = 'waiting') = (done_at IS NULL))
);
CREATE INDEX message_due ON message (next_try_at) WHERE next_try_at IS NOT NULL;

-- 重设密码链接: by the hash of what stands in the link.
CREATE TABLE reset_link (
    id {{id}},
    token_hash TEXT NOT NULL UNIQUE,
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    valid_until BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX reset_link_open ON reset_link (payer_id) WHERE ended_at IS NULL;

-- 常用设备: browsers a payer has signed in with, by a keyed hash of the browser's id.
CREATE TABLE known_device (
    id {{id}},
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    device TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    UNIQUE (payer_id, device)
);
