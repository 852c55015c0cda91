-- What a site's day is made of: how it was planned, who was booked, who came, which cards travelled.
-- As with case_fact, every column merges what is told by earliest or latest, so any order and any
-- repetition of the same events ends in the same rows. Figures are derived from them when asked for.

-- Every telling of a site, whole: a day is judged by the plan that held on it.
CREATE TABLE site_version (
    site_id       text        NOT NULL,
    told_at       timestamptz NOT NULL,
    told_sequence bigint      NOT NULL,
    told_event    uuid        NOT NULL,
    site          jsonb       NOT NULL,
    PRIMARY KEY (site_id, told_at, told_sequence, told_event)
);

-- Seats as they were offered when a day began: what is told on the day itself counts only its rest.
CREATE TABLE site_offer (
    site_id       text        NOT NULL,
    procedure     text        NOT NULL,
    business_date date        NOT NULL,
    seats         int         NOT NULL,
    minutes       int,
    told_at       timestamptz NOT NULL,
    told_sequence bigint      NOT NULL,
    told_event    uuid        NOT NULL,
    PRIMARY KEY (site_id, procedure, business_date)
);
CREATE INDEX site_offer_of_day ON site_offer (business_date, site_id);

-- A booking and its seat as told last; its end may be told before its beginning.
CREATE TABLE booking_fact (
    booking_id    uuid        PRIMARY KEY,
    case_id       uuid        NOT NULL,
    site_id       text,
    starts_at     timestamptz,
    minutes       int,
    procedure     text,
    told_at       timestamptz,
    told_sequence bigint,
    told_event    uuid,
    booked_at     timestamptz,
    cancelled_at  timestamptz,
    missed_at     timestamptz,
    fulfilled_at  timestamptz,
    business_date date GENERATED ALWAYS AS ((starts_at AT TIME ZONE 'Asia/Tokyo')::date) STORED,
    CHECK (num_nulls(site_id, starts_at, minutes, procedure, told_at, told_sequence, told_event,
                     booked_at) IN (0, 8))
) WITH (fillfactor = 80);
CREATE INDEX booking_fact_of_day ON booking_fact (business_date, site_id);

-- A case in a visit. The first call ends the waiting, the last begins the service.
CREATE TABLE visit_fact (
    visit_id        uuid        NOT NULL,
    case_id         uuid        NOT NULL,
    site_id         text        NOT NULL,
    procedure       text,
    arrival         text,
    checked_in_at   timestamptz,
    first_called_at timestamptz,
    last_called_at  timestamptz,
    last_called_seq bigint,
    counter         text,
    completed_at    timestamptz,
    deferred_at     timestamptz,
    abandoned_at    timestamptz,
    business_date   date GENERATED ALWAYS AS (
        (least(checked_in_at, first_called_at, completed_at, deferred_at, abandoned_at)
            AT TIME ZONE 'Asia/Tokyo')::date) STORED,
    PRIMARY KEY (visit_id, case_id)
) WITH (fillfactor = 60);
CREATE INDEX visit_fact_of_day ON visit_fact (business_date, site_id);

-- A card on its way to another site, in its sealed batch.
CREATE TABLE transfer_fact (
    batch_id      uuid NOT NULL,
    case_id       uuid NOT NULL,
    from_site     text,
    to_site       text,
    due_on        date,
    dispatched_at timestamptz,
    arrived_at    timestamptz,
    failed_at     timestamptz,
    PRIMARY KEY (batch_id, case_id)
);
CREATE INDEX transfer_fact_under_way ON transfer_fact (to_site, due_on)
    WHERE arrived_at IS NULL AND failed_at IS NULL;
