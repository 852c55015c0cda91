-- A return is seats of some cells on their way back, whoever had them: a booking, a hold, an
-- offer. While held_until lies ahead its holder may still keep them; due_at is always later.
-- passed: nobody on the waiting list has use for it.
ALTER TABLE seat_return RENAME COLUMN booking_id TO return_id;
ALTER TABLE seat_return ADD COLUMN seats int NOT NULL DEFAULT 1 CHECK (seats > 0);
ALTER TABLE seat_return ADD COLUMN held_until timestamptz;
ALTER TABLE seat_return ADD COLUMN passed boolean NOT NULL DEFAULT false;
ALTER TABLE seat_return ADD CONSTRAINT back_after_the_hold CHECK (held_until <= due_at);
CREATE INDEX seat_return_by_id ON seat_return (return_id);
CREATE INDEX seat_return_not_passed ON seat_return (due_at) WHERE NOT passed;

-- A hold's seats are returns of its id. One per holder; an ended hold is kept for a day, so that
-- whoever asks again hears what became of it.
CREATE TABLE hold (
    hold_id    uuid        PRIMARY KEY,
    holder     text        NOT NULL,
    case_ids   uuid[]      NOT NULL,
    minutes    int[]       NOT NULL,
    site_id    text        NOT NULL,
    starts_at  timestamptz NOT NULL,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    state      text        NOT NULL DEFAULT 'held'
               CHECK (state IN ('held', 'confirmed', 'released', 'lapsed')),
    party_id   uuid
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX one_hold_per_holder ON hold (holder) WHERE state = 'held';
CREATE INDEX hold_to_end ON hold (expires_at) WHERE state = 'held';
CREATE INDEX hold_to_forget ON hold (expires_at) WHERE state <> 'held';

-- What a site decides otherwise than the city for one procedure; absent members are the city's.
CREATE TABLE site_rule (
    site_id    text        NOT NULL REFERENCES site,
    procedure  text        NOT NULL,
    overrides  jsonb       NOT NULL,
    version    int         NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, procedure)
);

-- The waiting list, in fair order: fewest offers first, then who has waited longest.
CREATE TABLE waitlist_entry (
    entry_id   uuid        PRIMARY KEY,
    case_ids   uuid[]      NOT NULL,
    site_ids   text[]      NOT NULL,
    procedure  text        NOT NULL,
    first_day  date        NOT NULL,
    last_day   date        NOT NULL,
    made_at    timestamptz NOT NULL,
    offers     int         NOT NULL DEFAULT 0,
    state      text        NOT NULL DEFAULT 'waiting'
               CHECK (state IN ('waiting', 'offered', 'served', 'withdrawn', 'ended')),
    changed_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX waiting_in_order ON waitlist_entry (offers, made_at, entry_id)
    WHERE state = 'waiting';
CREATE INDEX waiting_until ON waitlist_entry (last_day) WHERE state = 'waiting';
CREATE INDEX waiting_at_site ON waitlist_entry USING gin (site_ids) WHERE state = 'waiting';

-- One place on the list per case.
CREATE TABLE waitlist_case (
    case_id  uuid PRIMARY KEY,
    entry_id uuid NOT NULL REFERENCES waitlist_entry
);
CREATE INDEX waitlist_case_by_entry ON waitlist_case (entry_id);

-- Offers made; the seats of an open one are held by the hold of the same id. Nobody is offered
-- the same time at the same site twice, and nobody two at once.
CREATE TABLE waitlist_offer (
    offer_id   uuid        PRIMARY KEY,
    entry_id   uuid        NOT NULL REFERENCES waitlist_entry,
    site_id    text        NOT NULL,
    starts_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    state      text        NOT NULL DEFAULT 'open'
               CHECK (state IN ('open', 'accepted', 'declined', 'lapsed')),
    UNIQUE (entry_id, site_id, starts_at)
);
CREATE UNIQUE INDEX one_open_offer ON waitlist_offer (entry_id) WHERE state = 'open';
CREATE INDEX offer_by_end ON waitlist_offer (expires_at) WHERE state = 'open';

-- Until when the certificates to be renewed are valid, where somebody has said so.
ALTER TABLE case_facts ADD COLUMN certificate_expires_on date;
