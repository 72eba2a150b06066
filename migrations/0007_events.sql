-- 事件: what campus systems are told, written in the transaction in which it happened, in the words that are sent.
CREATE TABLE event (
    id {{id}},
    -- evt_…: names the event to its receivers, the same on every try
    event_no TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('order.paid', 'refund.done', 'trade.surplus')),
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, subject)
);

-- 送达: one event for one endpoint. Whoever claims a try moves next_try_at on.
CREATE TABLE event_delivery (
    id {{id}},
    event_id BIGINT NOT NULL REFERENCES event (id),
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    tries BIGINT NOT NULL,
    next_try_at BIGINT,
    done_at BIGINT,
    UNIQUE (event_id, endpoint),
    CHECK ((state = 'waiting') = (next_try_at IS NOT NULL)),
    CHECK ((state = 'done') = (done_at IS NOT NULL))
);
CREATE INDEX event_delivery_due ON event_delivery (endpoint, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX event_delivery_failed ON event_delivery (event_id) WHERE state = 'failed';

-- Each try as it ended. Of what a receiver said a short beginning is kept, and only when it did not take the event.
CREATE TABLE event_try (
    id {{id}},
    delivery_id BIGINT NOT NULL REFERENCES event_delivery (id),
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    status BIGINT,
    millis BIGINT NOT NULL,
    said TEXT NOT NULL
);
CREATE INDEX event_try_by_delivery ON event_try (delivery_id);
