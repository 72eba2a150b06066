-- 个人信息 a payer gives: e-mail, postcode with address, and the card for refunds. All sealed (AES-256-GCM).
CREATE TABLE profile (
    id {{id}},
    payer_id BIGINT NOT NULL UNIQUE REFERENCES payer (id),
    email_sealed TEXT,
    address_sealed TEXT,
    card_sealed TEXT,
    updated_at BIGINT NOT NULL
);

-- When the payer changed the phone; an import no longer overwrites it then.
ALTER TABLE payer ADD COLUMN phone_set_at BIGINT;
