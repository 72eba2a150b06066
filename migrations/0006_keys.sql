-- 密钥: which keys stored rows may need. A key is noted before anything is sealed with it and every minute while a
-- process seals with it; it goes when no row needs it any more (`jiaofei reseal`).
CREATE TABLE key_in_use (
    purpose TEXT NOT NULL CHECK (purpose IN ('field', 'index')),
    name TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, name)
);

-- 原址: where these tables lie, in one row. A copy brought back from a backup lies elsewhere, and so is known as one.
CREATE TABLE home (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    mark TEXT NOT NULL
);
