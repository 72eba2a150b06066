-- 缴费协议: each text that was ever agreed to, under the hash of its words, and which orders were made under which.
CREATE TABLE agreement (
    version TEXT PRIMARY KEY,
    text_zh TEXT NOT NULL,
    text_en TEXT NOT NULL,
    first_at BIGINT NOT NULL
);
CREATE TABLE order_agreement (
    order_id BIGINT PRIMARY KEY REFERENCES payment_order (id),
    version TEXT NOT NULL REFERENCES agreement (version),
    agreed_at BIGINT NOT NULL
);
