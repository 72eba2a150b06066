-- 统一身份认证: a session (or a WeChat) for which the university's portal has vouched, and the hash of the ticket that
-- opened a session, by which the portal ends it.
ALTER TABLE session ADD COLUMN via TEXT CHECK (via IN ('portal'));
ALTER TABLE session ADD COLUMN ticket_hash TEXT;
CREATE INDEX session_by_ticket ON session (ticket_hash) WHERE ticket_hash IS NOT NULL;
ALTER TABLE wechat_binding ADD COLUMN via TEXT CHECK (via IN ('portal'));
