-- 注册: accounts that people from outside opened themselves. One form opens one account, by the hash of its ticket.
-- `opened`: `new` for an account of its own, `joined` where the office's was taken over after its phone was proven.
CREATE TABLE sign_up (
    id {{id}},
    ticket_hash TEXT NOT NULL UNIQUE,
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    opened TEXT NOT NULL CHECK (opened IN ('new', 'joined')),
    document TEXT NOT NULL,
    gender TEXT NOT NULL CHECK (gender IN ('female', 'male')),
    created_at BIGINT NOT NULL
);
CREATE INDEX sign_up_by_payer ON sign_up (payer_id);

-- 激活链接: mailboxes that are not proven yet, by the hash of what stands in the link.
CREATE TABLE mail_link (
    id {{id}},
    token_hash TEXT NOT NULL UNIQUE,
    payer_id BIGINT REFERENCES payer (id),
    email_sealed TEXT NOT NULL,
    valid_until BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX mail_link_open ON mail_link (payer_id) WHERE ended_at IS NULL;

-- The outbox again, without a list of kinds: the program knows them, and neither database lets a list grow.
CREATE TABLE message_next (
    id {{id}},
    kind TEXT NOT NULL,
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
INSERT INTO message_next (kind, letter_sealed, state, tries, next_try_at, useful_until, created_at, done_at)
    SELECT kind, letter_sealed, state, tries, next_try_at, useful_until, created_at, done_at FROM message ORDER BY id;
DROP TABLE message;
ALTER TABLE message_next RENAME TO message;
CREATE INDEX message_due ON message (next_try_at) WHERE next_try_at IS NOT NULL;
