-- Outbox. A row waits here from the commit of the state it tells of until the relay has seen it
-- acknowledged. (xid, pos) is the order of publication: see docs/decisions on the outbox cursor.
-- Seven weekday partitions are emptied whole, so that no row is ever deleted one by one.
CREATE TABLE outbox (
    shard       smallint    NOT NULL,
    xid         xid8        NOT NULL,
    pos         bigint      GENERATED ALWAYS AS IDENTITY,
    weekday     smallint    NOT NULL DEFAULT extract(isodow FROM now())::smallint,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    id          uuid        NOT NULL,
    topic       text        NOT NULL,
    source      text        NOT NULL,
    type        text        NOT NULL,
    subject     text        NOT NULL,
    sequence    bigint      NOT NULL,
    time        timestamptz NOT NULL,
    traceparent text,
    headers     jsonb,
    data        bytea       NOT NULL,
    PRIMARY KEY (shard, xid, pos, weekday)
) PARTITION BY LIST (weekday);
CREATE TABLE outbox_1 PARTITION OF outbox FOR VALUES IN (1);
CREATE TABLE outbox_2 PARTITION OF outbox FOR VALUES IN (2);
CREATE TABLE outbox_3 PARTITION OF outbox FOR VALUES IN (3);
CREATE TABLE outbox_4 PARTITION OF outbox FOR VALUES IN (4);
CREATE TABLE outbox_5 PARTITION OF outbox FOR VALUES IN (5);
CREATE TABLE outbox_6 PARTITION OF outbox FOR VALUES IN (6);
CREATE TABLE outbox_7 PARTITION OF outbox FOR VALUES IN (7);

-- Per subject: the last CloudEvents sequence, and the greatest xid any of its rows carries. A
-- transaction that took its id early but writes late inherits that xid, so the order of a
-- subject's rows is the order in which its writers held this row's lock.
CREATE TABLE outbox_head (
    subject  text   PRIMARY KEY,
    sequence bigint NOT NULL,
    xid      xid8   NOT NULL
) WITH (fillfactor = 80);

-- How far each shard has been published. The cluster's identity makes a restored dump visible.
CREATE TABLE outbox_cursor (
    shard             smallint PRIMARY KEY,
    xid               xid8     NOT NULL DEFAULT '0',
    pos               bigint   NOT NULL DEFAULT 0,
    system_identifier bigint   NOT NULL
);
INSERT INTO outbox_cursor (shard, system_identifier)
SELECT shard, (SELECT system_identifier FROM pg_control_system())
FROM generate_series(0, 3) AS shard;

-- Inbox: an event is handled once per consumer, in the transaction that claims it here.
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

-- Messages set aside: the first failed message of a key (attempt > 0) and those that came after
-- it, in order. A dead one has used up its tries and waits for an operator.
CREATE TABLE parked (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer        text        NOT NULL,
    subject         text        NOT NULL,
    event_id        uuid,
    topic           text        NOT NULL,
    partition       int         NOT NULL,
    offset_         bigint      NOT NULL,
    key             bytea,
    headers         jsonb       NOT NULL,
    value           bytea       NOT NULL,
    attempt         int         NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    dead            boolean     NOT NULL DEFAULT false,
    reason          text,
    traceparent     text,
    parked_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (consumer, topic, partition, offset_)
);
CREATE INDEX parked_by_subject ON parked (consumer, subject, id);
CREATE INDEX parked_dead ON parked (consumer, id) WHERE dead;

-- Idempotency-Key: the answer given is stored in the transaction of the command it answers.
CREATE TABLE idempotency (
    scope        text        NOT NULL,
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    status       int         NOT NULL,
    body         bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
