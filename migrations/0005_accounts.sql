-- 密保. The answer is hashed like a password (argon2id).
CREATE TABLE security_question (
    payer_id BIGINT PRIMARY KEY REFERENCES payer (id),
    question TEXT NOT NULL,
    answer_hash TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Passwords a payer has had: none of the last ones is taken again.
CREATE TABLE past_password (
    id {{id}},
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    hash TEXT NOT NULL,
    set_at BIGINT NOT NULL
);
CREATE INDEX past_password_by_payer ON past_password (payer_id, set_at);
