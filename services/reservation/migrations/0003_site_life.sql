-- A cell that has to shrink: no seat above target is sold, although more may be booked still.
ALTER TABLE cell ADD COLUMN target int CHECK (target >= 0);

-- The last business date whose end was told at this site.
ALTER TABLE site ADD COLUMN day_closed date;

-- Times in which a site cannot use the national system; one command may cover several sites.
-- ends_at is NULL while nobody knows; resumed_at is when it was over.
CREATE TABLE suspension (
    suspension_id uuid        NOT NULL,
    site_id       text        NOT NULL REFERENCES site,
    procedures    text[]      NOT NULL CHECK (cardinality(procedures) > 0),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz CHECK (ends_at > starts_at),
    reason        text        NOT NULL,
    bookings      text        NOT NULL CHECK (bookings IN ('move', 'keep')),
    commanded_at  timestamptz NOT NULL,
    resumed_at    timestamptz,
    PRIMARY KEY (suspension_id, site_id)
);
CREATE INDEX suspension_running ON suspension (site_id) WHERE resumed_at IS NULL;

-- A change of one site that takes booked seats away, and how far dealing with it has come. It is
-- worked on when next_at has come; each step commits with the state that says it is done.
CREATE TABLE closure (
    closure_id    uuid        PRIMARY KEY,
    site_id       text        NOT NULL REFERENCES site,
    kind          text        NOT NULL CHECK (kind IN ('wind_down', 'change', 'suspension')),
    state         text        NOT NULL CHECK (state IN ('listing', 'offering', 'waiting', 'done')),
    last_day      date        CHECK ((last_day IS NOT NULL) = (kind = 'wind_down')),
    suspension_id uuid        CHECK ((suspension_id IS NOT NULL) = (kind = 'suspension')),
    version       int         NOT NULL DEFAULT 1,
    started_at    timestamptz NOT NULL,
    next_at       timestamptz NOT NULL,
    ended_at      timestamptz CHECK ((ended_at IS NOT NULL) = (state = 'done')),
    FOREIGN KEY (suspension_id, site_id) REFERENCES suspension (suspension_id, site_id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX one_closure_of_a_site ON closure (site_id)
    WHERE state <> 'done' AND kind <> 'suspension';
CREATE INDEX closure_due ON closure (next_at) WHERE state <> 'done';
CREATE INDEX closure_by_site ON closure (site_id, started_at);

-- A booking that loses its seat: where it was, what is held for it instead, and how it ended.
-- While seat_held, the cells of the alternative count its seat. ended_at is set once nothing is
-- left to do for it; whoever is on the phone list may still answer by telephone afterwards.
CREATE TABLE displaced (
    closure_id   uuid        NOT NULL REFERENCES closure,
    booking_id   uuid        NOT NULL REFERENCES booking,
    case_id      uuid        NOT NULL,
    party_id     uuid        NOT NULL,
    procedure    text        NOT NULL,
    minutes      int         NOT NULL,
    site_id      text        NOT NULL,
    starts_at    timestamptz NOT NULL,
    state        text        NOT NULL DEFAULT 'listed' CHECK (state IN (
                     'listed', 'held', 'told', 'phone_list',
                     'moved', 'chosen', 'cancelled', 'kept')),
    to_site_id   text,
    to_starts_at timestamptz,
    seat_held    boolean     NOT NULL DEFAULT false,
    listed_at    timestamptz NOT NULL,
    look_at      timestamptz NOT NULL,
    answer_by    timestamptz,
    changed_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (closure_id, booking_id),
    CHECK ((to_site_id IS NULL) = (to_starts_at IS NULL)),
    CHECK (NOT seat_held OR (to_site_id IS NOT NULL AND ended_at IS NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX displaced_by_one_closure ON displaced (booking_id) WHERE ended_at IS NULL;
CREATE INDEX displaced_open ON displaced (closure_id, state) WHERE ended_at IS NULL;
CREATE INDEX displaced_by_booking ON displaced (booking_id, listed_at);
CREATE INDEX displaced_seats ON displaced (to_site_id, to_starts_at) WHERE seat_held;
