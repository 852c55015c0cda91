-- What a card's end depends on, as its notice and its arrival told, and whether the case was served
-- with a booking. Rows from before this file have none of it until `madoguchi projections rebuild`.
ALTER TABLE case_fact
    -- The notice; the latest telling counts.
    ADD COLUMN notice_site          text,
    ADD COLUMN notice_deadline      date,
    ADD COLUMN notice_at            timestamptz,
    ADD COLUMN notice_sequence      bigint,
    ADD COLUMN notice_event         uuid,
    -- Last days of validity; the latest day counts.
    ADD COLUMN card_expires_on      date,
    ADD COLUMN old_card_expires_on  date,
    -- Belongs to the completion.
    ADD COLUMN completed_booked     boolean,
    ADD CHECK (num_nulls(notice_site, notice_deadline, notice_at, notice_sequence, notice_event)
               IN (0, 5));

-- Every move and every cancellation of a booking, once.
CREATE TABLE booking_change (
    event_id   uuid        PRIMARY KEY,
    booking_id uuid        NOT NULL,
    case_id    uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('moved', 'cancelled')),
    reason     text        NOT NULL,
    site_id    text        NOT NULL,
    procedure  text        NOT NULL,
    told_at    timestamptz NOT NULL,
    told_on    date        NOT NULL GENERATED ALWAYS AS
        ((told_at AT TIME ZONE 'Asia/Tokyo')::date) STORED
);
CREATE INDEX booking_change_of_day ON booking_change (told_on, site_id);
