-- What is known of a case, from news that may come in any order. Each group of columns keeps the
-- sequence of the event it comes from: older news never overwrites newer.
CREATE TABLE case_file (
    case_id         uuid    PRIMARY KEY,
    procedure       text,
    kind            text,
    ward            text,
    ward_seq        bigint  NOT NULL DEFAULT -1,
    site_id         text,
    shelf_position  text,
    in_transit      boolean NOT NULL DEFAULT false,
    place_seq       bigint  NOT NULL DEFAULT -1,
    held            boolean NOT NULL DEFAULT false,
    held_seq        bigint  NOT NULL DEFAULT -1,
    ended           text CHECK (ended IN ('voided', 'disposal_due', 'disposed')),
    ended_seq       bigint  NOT NULL DEFAULT -1,
    notified        boolean NOT NULL DEFAULT false,
    card_expires_on date,
    validity_seq    bigint  NOT NULL DEFAULT -1
);

-- A notice number is known by its keyed hash alone.
CREATE TABLE notice (
    key_id     text NOT NULL,
    number_key text NOT NULL,
    case_id    uuid NOT NULL,
    notice_seq int  NOT NULL,
    PRIMARY KEY (key_id, number_key)
);

-- Whom a site expects. The seat and the state of a booking come from different events.
CREATE TABLE booking (
    booking_id    uuid   PRIMARY KEY,
    case_id       uuid   NOT NULL,
    party_id      uuid,
    site_id       text,
    starts_at     timestamptz,
    business_date date,
    minutes       int,
    procedure     text,
    seat_seq      bigint NOT NULL DEFAULT -1,
    state         text   NOT NULL
                  CHECK (state IN ('active', 'cancelled', 'missed', 'fulfilled')),
    state_seq     bigint NOT NULL
);
CREATE INDEX booking_of_day ON booking (site_id, business_date, starts_at, booking_id);
CREATE INDEX booking_by_party ON booking (party_id);
CREATE INDEX booking_by_case ON booking (case_id);

-- A business day of a site. Its row is locked by whoever lets a visit in or expects one (shared)
-- and by the sign-off (alone), so that nobody comes in behind a sign-off unseen.
CREATE TABLE service_day (
    site_id       text NOT NULL,
    business_date date NOT NULL,
    signed_off_at timestamptz,
    signed_off_by text,
    PRIMARY KEY (site_id, business_date)
);

-- Said once: this booking was not kept.
CREATE TABLE missed (
    booking_id    uuid NOT NULL,
    site_id       text NOT NULL,
    business_date date NOT NULL,
    PRIMARY KEY (booking_id, site_id, business_date)
);
CREATE INDEX missed_of_day ON missed (site_id, business_date);

CREATE TABLE visit (
    visit_id      uuid   PRIMARY KEY,
    site_id       text   NOT NULL,
    business_date date   NOT NULL,
    arrival       text   NOT NULL CHECK (arrival IN ('booked', 'late', 'walk_in')),
    state         text   NOT NULL CHECK (state IN ('waiting', 'called', 'ended')),
    counter       text,
    checked_in_at timestamptz NOT NULL,
    called_at     timestamptz,
    ended_at      timestamptz,
    version       bigint NOT NULL DEFAULT 1,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
);
CREATE INDEX visit_of_day ON visit (site_id, business_date, checked_in_at, visit_id);

CREATE TABLE visit_case (
    visit_id      uuid NOT NULL REFERENCES visit,
    case_id       uuid NOT NULL,
    booking_id    uuid,
    procedure     text NOT NULL,
    state         text NOT NULL CHECK (state IN ('open', 'done', 'deferred', 'abandoned')),
    reason        text,
    documents     text[],
    identified_at timestamptz,
    pin_set_at    timestamptz,
    closed_at     timestamptz,
    PRIMARY KEY (visit_id, case_id),
    CHECK ((state = 'open') = (closed_at IS NULL))
);
-- A case is served in one visit at a time, whoever checks it in beside us.
CREATE UNIQUE INDEX visit_case_open ON visit_case (case_id) WHERE state = 'open';
CREATE INDEX visit_case_by_booking ON visit_case (booking_id);

-- Exactly once: a procedure ends once per case, whatever is clicked twice or on two terminals.
CREATE TABLE procedure_ended (
    case_id  uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visit,
    site_id  text NOT NULL,
    ended_at timestamptz NOT NULL
);
