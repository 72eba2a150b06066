-- 公众号通知 stand in the outbox too: for which WeChat, so that nothing is sent to who has left, and what they are about
-- for which binding, so that each is written once. The openid goes when nothing is to be tried any more.
ALTER TABLE message ADD COLUMN openid TEXT;
ALTER TABLE message ADD COLUMN once_key TEXT;
CREATE UNIQUE INDEX message_once ON message (once_key);
CREATE INDEX message_openid ON message (openid) WHERE openid IS NOT NULL;
