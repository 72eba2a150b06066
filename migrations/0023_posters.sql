-- 海报: codes that hang on walls, and what came of each. Counted are scans, right answers and orders; never who.
-- kind: platform | item | programme | department; lang: zh | en, the language that stands first on it
-- about: the code of the fee item or of the programme, or the department's name; empty for the platform
-- items: what a department's poster collects, fee item codes with commas between
CREATE TABLE poster (
    id {{id}},
    poster_no TEXT NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    items TEXT NOT NULL,
    title TEXT NOT NULL,
    title_en TEXT NOT NULL,
    lang TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    scans BIGINT NOT NULL DEFAULT 0,
    sign_ins BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX poster_no ON poster (poster_no);
CREATE UNIQUE INDEX poster_code ON poster (code);

-- Which poster an order came from.
CREATE TABLE poster_order (
    order_id BIGINT NOT NULL PRIMARY KEY REFERENCES payment_order (id),
    poster_id BIGINT NOT NULL REFERENCES poster (id)
);
CREATE INDEX poster_order_poster ON poster_order (poster_id);
