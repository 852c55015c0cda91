-- One row per case, completed by its events in whatever order they come. Every column has a rule
-- by which two tellings become one (earliest, latest told), so any order and any repetition of
-- the same events ends in the same row. Counts are derived from these rows and kept nowhere else.
CREATE TABLE case_fact (
    case_id              uuid PRIMARY KEY,

    -- What case.opened said; the earliest counts.
    opened_at            timestamptz,
    opened_event         uuid,
    procedure            text,
    kind                 text,

    -- Ward of residence; the latest telling counts (time, then the source's sequence, then the id).
    ward                 text,
    ward_at              timestamptz,
    ward_sequence        bigint,
    ward_event           uuid,

    -- Milestones: the first time each was reached. The first two are days, as told by J-LIS.
    applied_on           date,
    shipped_on           date,
    received_at          timestamptz,
    inspected_at         timestamptz,
    rejected_at          timestamptz,
    registry_checked_at  timestamptz,
    held_at              timestamptz,
    released_at          timestamptz,
    voided_at            timestamptz,
    preset_at            timestamptz,
    shelved_at           timestamptz,
    notified_at          timestamptz,
    notice_returned_at   timestamptz,
    dispatched_at        timestamptz,
    arrived_at           timestamptz,
    transfer_failed_at   timestamptz,
    disposal_due_at      timestamptz,
    disposed_at          timestamptz,
    booked_at            timestamptz,
    booking_moved_at     timestamptz,
    booking_cancelled_at timestamptz,
    booking_missed_at    timestamptz,
    booking_fulfilled_at timestamptz,
    offered_at           timestamptz,
    contact_erased_at    timestamptz,
    checked_in_at        timestamptz,
    called_at            timestamptz,
    served_at            timestamptz,
    deferred_at          timestamptz,
    abandoned_at         timestamptz,
    visit_missed_at      timestamptz,
    certificate_failed_at timestamptz,
    pin_reset_at         timestamptz,

    -- The completion, as the counter told it; a case is completed once, and the earliest counts.
    completed_at         timestamptz,
    completed_event      uuid,
    completed_procedure  text,
    completed_kind       text,
    completed_ward       text,
    completed_site       text,
    completed_month      date GENERATED ALWAYS AS
        (date_trunc('month', completed_at AT TIME ZONE 'Asia/Tokyo')::date) STORED,

    CHECK (num_nulls(opened_at, opened_event, procedure, kind) IN (0, 4)),
    CHECK (num_nulls(ward, ward_at, ward_sequence, ward_event) IN (0, 4)),
    CHECK (num_nulls(completed_at, completed_event, completed_procedure, completed_kind,
                     completed_ward, completed_site) IN (0, 6))
) WITH (fillfactor = 60);  -- a case's row is written some fifteen times; room for HOT updates

-- Reads a month's counts, and the cases behind them in order, without touching the rows.
CREATE INDEX case_fact_completed
    ON case_fact (completed_month, completed_procedure, completed_at, case_id)
    INCLUDE (completed_ward, completed_site)
    WHERE completed_month IS NOT NULL;

-- Sites and their days, as told last.
CREATE TABLE site_fact (
    site_id       text        PRIMARY KEY,
    name_ja       text        NOT NULL,
    name_en       text        NOT NULL,
    kind          text        NOT NULL,
    ward          text        NOT NULL,
    state         text        NOT NULL,
    opens_on      date        NOT NULL,
    closes_on     date,
    told_at       timestamptz NOT NULL,
    told_sequence bigint      NOT NULL,
    told_event    uuid        NOT NULL
);

CREATE TABLE site_seats (
    site_id       text        NOT NULL,
    procedure     text        NOT NULL,
    business_date date        NOT NULL,
    total         int         NOT NULL,
    free          int         NOT NULL,
    told_at       timestamptz NOT NULL,
    told_sequence bigint      NOT NULL,
    told_event    uuid        NOT NULL,
    PRIMARY KEY (site_id, procedure, business_date)
);

CREATE TABLE site_day_closed (
    site_id       text        NOT NULL,
    business_date date        NOT NULL,
    closed_at     timestamptz NOT NULL,
    PRIMARY KEY (site_id, business_date)
);

-- An interruption of the national system at a site; its end may be told before its beginning.
CREATE TABLE site_suspension (
    suspension_id uuid NOT NULL,
    site_id       text NOT NULL,
    starts_at     timestamptz,
    ends_at       timestamptz,
    reason        text,
    told_at       timestamptz,
    told_sequence bigint,
    told_event    uuid,
    resumed_at    timestamptz,
    PRIMARY KEY (suspension_id, site_id)
);
