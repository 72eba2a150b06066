-- Which 公告 a payer has opened.
CREATE TABLE announcement_read (
    payer_id BIGINT NOT NULL REFERENCES payer (id),
    announcement_id BIGINT NOT NULL REFERENCES announcement (id),
    read_at BIGINT NOT NULL,
    PRIMARY KEY (payer_id, announcement_id)
);
