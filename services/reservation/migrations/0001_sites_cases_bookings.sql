-- Sites as the planner describes them. definition is the whole value; state is in it too, and
-- kept beside it for queries. Cells exist up to made_until.
CREATE TABLE site (
    site_id    text        PRIMARY KEY,
    state      text        NOT NULL,
    version    int         NOT NULL,
    definition jsonb       NOT NULL,
    made_until date,
    changed_at timestamptz NOT NULL
);

-- The time grid. The CHECK is what keeps a cell from being oversold; everything else is courtesy.
-- Cells are locked in the order of their key.
CREATE TABLE cell (
    site_id   text        NOT NULL REFERENCES site,
    starts_at timestamptz NOT NULL,
    capacity  int         NOT NULL,
    booked    int         NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, starts_at),
    CONSTRAINT never_oversold CHECK (0 <= booked AND booked <= capacity)
) WITH (fillfactor = 70);

-- What other rooms have told of a case, in whatever order it came. Each group of facts carries
-- the sequence it was told at, and only a later telling replaces it.
CREATE TABLE case_facts (
    case_id         uuid     PRIMARY KEY,
    procedure       text     NOT NULL DEFAULT 'card_issuance',
    ward            text,
    ward_told       bigint   NOT NULL DEFAULT 0,
    card_site_id    text,
    card_there_on   date,
    place_told      bigint   NOT NULL DEFAULT 0,
    held            boolean  NOT NULL DEFAULT false,
    hold_told       bigint   NOT NULL DEFAULT 0,
    notice_seq      int      NOT NULL DEFAULT 0,
    number_key      text,
    login_key       text,
    key_id          text,
    pickup_deadline date,
    card_expires_on date,
    voided_at       timestamptz,
    disposal_due_at timestamptz,
    done_at         timestamptz,
    may_book_from   date
) WITH (fillfactor = 80);
CREATE INDEX case_by_login ON case_facts (login_key) WHERE login_key IS NOT NULL;

CREATE TABLE booking (
    booking_id   uuid        PRIMARY KEY,
    case_id      uuid        NOT NULL,
    party_id     uuid        NOT NULL,
    site_id      text        NOT NULL,
    starts_at    timestamptz NOT NULL,
    minutes      int         NOT NULL CHECK (minutes > 0),
    procedure    text        NOT NULL,
    card_site_id text,
    state        text        NOT NULL DEFAULT 'active'
                 CHECK (state IN ('active', 'cancelled', 'missed', 'fulfilled')),
    reason       text        CHECK ((reason IS NOT NULL) = (state = 'cancelled')),
    version      int         NOT NULL DEFAULT 1,
    made_at      timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX one_active_booking_per_case ON booking (case_id) WHERE state = 'active';
CREATE INDEX booking_by_party ON booking (party_id);
CREATE INDEX booking_by_day ON booking (site_id, starts_at) WHERE state = 'active';

-- Seats given back and not free again yet. They return when the cell is next claimed after
-- due_at, under the cell's lock; whoever gives a seat back never waits for a cell.
CREATE TABLE seat_return (
    site_id    text        NOT NULL,
    starts_at  timestamptz NOT NULL,
    booking_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    PRIMARY KEY (site_id, starts_at, booking_id)
);
