-- One file, one import: the digest makes the second sending of a file a reading of the first.
CREATE TABLE lot_import (
    import_id   uuid        PRIMARY KEY,
    digest      bytea       NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    imported_at timestamptz NOT NULL,
    row_count   int         NOT NULL CHECK (row_count >= 0)
);

CREATE TABLE lot (
    lot_id      text        PRIMARY KEY,
    received_at timestamptz NOT NULL
);
CREATE INDEX lot_newest ON lot (received_at DESC, lot_id DESC);

-- How far each card has come. The checks hold whatever a command forgets: a card lies on a shelf
-- exactly while it is shelved or notified, and nowhere in two places.
CREATE TABLE card (
    case_id         uuid        PRIMARY KEY,
    card_reference  text        NOT NULL UNIQUE,
    lot_id          text        NOT NULL REFERENCES lot,
    lot_row         int         NOT NULL CHECK (lot_row > 0),
    ward            text        NOT NULL CHECK (ward ~ '^[0-9]{6}$'),
    kind            text        NOT NULL CHECK (kind IN ('new', 'renewal', 'next_generation')),
    applied_on      date        NOT NULL,
    shipped_on      date        NOT NULL,
    card_expires_on date        NOT NULL,
    stage           text        NOT NULL DEFAULT 'received' CHECK (stage IN (
                        'received', 'inspected', 'registry_checked', 'preset', 'shelved',
                        'notified', 'issued')),
    stage_since     timestamptz NOT NULL,
    site_id         text,
    shelf_position  text,
    version         int         NOT NULL DEFAULT 1,
    UNIQUE (lot_id, lot_row),
    CHECK ((stage IN ('shelved', 'notified')) = (site_id IS NOT NULL)),
    CHECK ((site_id IS NULL) = (shelf_position IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX card_by_lot ON card (lot_id, case_id);
CREATE INDEX card_by_stage ON card (stage, case_id);
CREATE INDEX card_by_ward ON card (ward, stage, case_id);

-- What became of each row of a file: a code or a card. A quarantined row keeps no value.
CREATE TABLE lot_row (
    import_id uuid NOT NULL REFERENCES lot_import,
    line      int  NOT NULL,
    lot_id    text,
    lot_row   int,
    code      text,
    field     text,
    case_id   uuid,
    PRIMARY KEY (import_id, line),
    CHECK ((code IS NULL) = (case_id IS NOT NULL))
);
CREATE INDEX lot_row_by_lot ON lot_row (lot_id, import_id, line);

-- Birth dates, sealed under a key per case, only until the notice is made.
CREATE TABLE sealed_birth_date (
    case_id uuid  PRIMARY KEY REFERENCES card,
    sealed  bytea NOT NULL
);

-- When a card came to a stage; a stage is reached once. No reference to card: a fact of another
-- room is kept even where the card is not known here.
CREATE TABLE card_stage (
    case_id uuid        NOT NULL,
    stage   text        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (case_id, stage)
);

-- The last position given out on each shelf of a site.
CREATE TABLE shelf (
    site_id text NOT NULL,
    shelf   text NOT NULL,
    last    int  NOT NULL,
    PRIMARY KEY (site_id, shelf)
);

CREATE TABLE notice_batch (
    batch_id     uuid        PRIMARY KEY,
    created_at   timestamptz NOT NULL,
    notice_count int         NOT NULL CHECK (notice_count > 0)
);

-- A notice without its number: (secret_id, case_id, notice_seq, attempt) derives it again.
CREATE TABLE notice (
    case_id         uuid NOT NULL REFERENCES card,
    notice_seq      int  NOT NULL CHECK (notice_seq > 0),
    batch_id        uuid NOT NULL REFERENCES notice_batch,
    secret_id       text NOT NULL,
    attempt         int  NOT NULL CHECK (attempt >= 0),
    number_key      text NOT NULL UNIQUE,
    login_key       text NOT NULL,
    key_id          text NOT NULL,
    pickup_deadline date NOT NULL,
    PRIMARY KEY (case_id, notice_seq)
);
CREATE INDEX notice_by_batch ON notice (batch_id, case_id);

-- What reservation last said of a case's booking. sequence is that of the event: an older one
-- that comes late changes nothing.
CREATE TABLE booking (
    case_id    uuid        PRIMARY KEY,
    booking_id uuid        NOT NULL,
    state      text        NOT NULL CHECK (state IN ('booked', 'cancelled', 'missed')),
    site_id    text        NOT NULL,
    starts_at  timestamptz,
    sequence   bigint      NOT NULL,
    CHECK (state <> 'booked' OR starts_at IS NOT NULL)
);
