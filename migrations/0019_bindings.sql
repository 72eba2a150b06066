-- 微信绑定: which WeChat user comes in as which payer without a password, with the rights of the sign-in that bound
-- them. `epoch` is the payer's at that time: what signs the payer out everywhere ends the binding too.
CREATE TABLE wechat_binding (
    id {{id}},
    openid TEXT NOT NULL,
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    rights TEXT NOT NULL CHECK (rights IN ('full', 'own_arrears')),
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (openid, payer_id)
);
CREATE INDEX wechat_binding_by_payer ON wechat_binding (payer_id);
