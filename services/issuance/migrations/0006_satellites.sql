-- Satellites that may serve by themselves. While one is away, cards at its site are handed over
-- there alone; whoever holds the lease is told by the id of its database.
CREATE TABLE satellite (
    site_id         text   PRIMARY KEY,
    state           text   NOT NULL CHECK (state IN ('ready', 'away', 'back')),
    lease           bigint NOT NULL DEFAULT 0,
    holder          uuid,
    changed_at      timestamptz NOT NULL,
    changed_by      text   NOT NULL,
    CHECK (state <> 'away' OR holder IS NOT NULL)
);

-- Each entry of a satellite's journal is worked here once and for all.
CREATE TABLE journal_received (
    site_id     text   NOT NULL,
    lease       bigint NOT NULL,
    number      bigint NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, lease, number)
);

-- What happened at a satellite and cannot be true beside what happened meanwhile: all that its
-- journal says of the visit from there on is kept until a supervisor has decided.
CREATE TABLE conflict (
    conflict_id uuid PRIMARY KEY,
    site_id     text NOT NULL,
    lease       bigint NOT NULL,
    visit_id    uuid,
    code        text NOT NULL,
    state       text NOT NULL CHECK (state IN ('open', 'recorded', 'dismissed')),
    raised_at   timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text,
    CHECK ((state = 'open') = (resolved_at IS NULL))
);
CREATE UNIQUE INDEX conflict_of_visit ON conflict (site_id, visit_id) WHERE state = 'open';
CREATE INDEX conflict_of_site ON conflict (site_id, conflict_id);

CREATE TABLE conflict_row (
    conflict_id uuid   NOT NULL REFERENCES conflict,
    number      bigint NOT NULL,
    actor       text   NOT NULL,
    entry       jsonb  NOT NULL,
    PRIMARY KEY (conflict_id, number)
);

-- In the database of a satellite: which it is, and its lease.
CREATE TABLE satellite_here (
    is_one   boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    site_id  text   NOT NULL,
    holder   uuid   NOT NULL,
    lease    bigint NOT NULL DEFAULT 0,
    is_valid boolean NOT NULL DEFAULT false,
    asked_at timestamptz,
    said     text
);

-- In the database of a satellite: every act, written with its effect, told in this order.
CREATE TABLE journal (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lease       bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor       text   NOT NULL,
    entry       jsonb  NOT NULL,
    told_at     timestamptz
);
CREATE INDEX journal_untold ON journal (number) WHERE told_at IS NULL;
