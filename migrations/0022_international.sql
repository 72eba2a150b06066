-- 留学生: accounts that sign in by e-mail. The payer row is the account's own; nothing is charged to it.
CREATE TABLE member (
    id {{id}},
    payer_id BIGINT NOT NULL UNIQUE REFERENCES payer (id),
    email_sealed TEXT NOT NULL,
    email_index TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- 学业: what the office says of one course of study. All that is personal is sealed.
CREATE TABLE study (
    id {{id}},
    payer_id BIGINT NOT NULL UNIQUE REFERENCES payer (id),
    application_no TEXT NOT NULL,
    application_key TEXT NOT NULL UNIQUE,
    details_sealed TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Which accounts may pay for which studies.
CREATE TABLE study_binding (
    id {{id}},
    member_id BIGINT NOT NULL REFERENCES payer (id),
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    bound_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX study_binding_live ON study_binding (member_id, payer_id) WHERE ended_at IS NULL;
CREATE INDEX study_binding_by_payer ON study_binding (payer_id);
-- Which study the session of a member has chosen; the member itself where none is; NULL in everybody else's session.
ALTER TABLE session ADD COLUMN acting BIGINT REFERENCES payer (id);
