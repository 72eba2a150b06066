-- 公告. Times in milliseconds; what is published later is shown later.
CREATE TABLE announcement (
    id {{id}},
    department TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL,
    title_en TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL,
    body_en TEXT NOT NULL DEFAULT '',
    -- 1: shown on the first page after signing in
    pinned BIGINT NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    published_at BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX announcement_shown ON announcement (published_at DESC) WHERE withdrawn_at IS NULL;
