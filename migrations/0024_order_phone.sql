-- 票据接收手机: the phone that was proven when an order was made.
CREATE TABLE order_phone (
    id {{id}},
    order_id BIGINT NOT NULL UNIQUE REFERENCES payment_order (id),
    phone_sealed TEXT NOT NULL
);
