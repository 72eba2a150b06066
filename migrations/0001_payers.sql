-- 缴费人. The ID number and the phone are sealed (AES-256-GCM); the index column finds them (HMAC-SHA-256), nothing
-- reads them.
CREATE TABLE payer (
    id {{id}},
    kind TEXT NOT NULL CHECK (kind IN ('student', 'staff', 'newcomer', 'outsider')),
    number TEXT NOT NULL,
    number_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    name_en TEXT NOT NULL,
    college TEXT NOT NULL,
    class_name TEXT NOT NULL,
    id_number_sealed TEXT,
    id_number_index TEXT,
    phone_sealed TEXT,
    password_hash TEXT,
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX payer_by_id_number ON payer (id_number_index);

-- 登录会话. Only the hash of the token is kept. Signing out everywhere raises the payer's epoch.
CREATE TABLE session (
    id {{id}},
    token_hash TEXT NOT NULL UNIQUE,
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    rights TEXT NOT NULL CHECK (rights IN ('full', 'own_arrears')),
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX session_by_payer ON session (payer_id);

-- 流水号: daily serials, taken in blocks.
CREATE TABLE serial (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
