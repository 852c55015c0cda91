-- What asked for somebody, from when it was first seen until it was seen no more, and who took note
-- of it. Kept by the clock from facts as they were then: no read model, and no rebuild touches it.
CREATE TABLE alert (
    alert_id        uuid        PRIMARY KEY,
    kind            text        NOT NULL,
    subject         text        NOT NULL,
    site_id         text,
    since           timestamptz,
    figures         jsonb       NOT NULL,
    opened_at       timestamptz NOT NULL,
    closed_at       timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    CHECK (closed_at >= opened_at),
    CHECK (num_nulls(acknowledged_at, acknowledged_by) IN (0, 2))
);
CREATE UNIQUE INDEX alert_open ON alert (kind, subject) WHERE closed_at IS NULL;
CREATE INDEX alert_opened ON alert (opened_at, alert_id);
