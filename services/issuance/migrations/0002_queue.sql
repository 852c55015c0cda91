-- What decides whether a card may be collected without a booking; each from one type of event.
ALTER TABLE case_file
    ADD COLUMN old_card_expires_on date,
    ADD COLUMN replaces_seq bigint NOT NULL DEFAULT -1,
    ADD COLUMN pickup_deadline date,
    ADD COLUMN deadline_seq bigint NOT NULL DEFAULT -1;

-- A counter of a site and what it does. It opens, pauses and closes; its row is taken by whoever
-- calls a party to it.
CREATE TABLE counter (
    site_id    text   NOT NULL,
    counter    text   NOT NULL,
    purposes   text[] NOT NULL CHECK (cardinality(purposes) > 0),
    state      text   NOT NULL CHECK (state IN ('open', 'paused', 'closed')),
    version    bigint NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, counter)
);

-- When it was open: what utilisation is measured against.
CREATE TABLE counter_span (
    site_id   text NOT NULL,
    counter   text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (site_id, counter, opened_at)
);
CREATE UNIQUE INDEX counter_span_open ON counter_span (site_id, counter) WHERE closed_at IS NULL;

-- The last number given at a site on a day.
CREATE TABLE ticket_number (
    site_id       text NOT NULL,
    business_date date NOT NULL,
    last          int  NOT NULL,
    PRIMARY KEY (site_id, business_date)
);

-- The place of a visit in the queue. Whether it waits, was called or has ended is the visit's own
-- state: it is kept once.
CREATE TABLE ticket (
    visit_id        uuid PRIMARY KEY REFERENCES visit,
    site_id         text NOT NULL,
    business_date   date NOT NULL,
    number          int  NOT NULL CHECK (number > 0),
    purposes        text[] NOT NULL CHECK (cardinality(purposes) > 0),
    need            text CHECK (need IN ('wheelchair', 'parent')),
    starts_at       timestamptz,
    skips           int  NOT NULL DEFAULT 0,
    skipped_at      timestamptz,
    only_counter    text,
    transferred_at  timestamptz,
    calls           int  NOT NULL DEFAULT 0,
    first_called_at timestamptz,
    UNIQUE (site_id, business_date, number)
);

-- A party's time at a counter. A counter that is known here has one party at a time, and a party
-- one counter, whoever calls beside us.
CREATE TABLE counter_turn (
    turn_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    visit_id      uuid NOT NULL REFERENCES visit,
    site_id       text NOT NULL,
    business_date date NOT NULL,
    counter       text NOT NULL,
    is_known      boolean NOT NULL,
    began_at      timestamptz NOT NULL,
    ended_at      timestamptz,
    outcome       text CHECK (outcome IN ('ended', 'skipped', 'moved')),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX counter_turn_at ON counter_turn (site_id, counter)
    WHERE ended_at IS NULL AND is_known;
CREATE UNIQUE INDEX counter_turn_of ON counter_turn (visit_id) WHERE ended_at IS NULL;
CREATE INDEX counter_turn_of_day ON counter_turn (site_id, business_date);

-- A card that was at the counter and not handed over, counted at the end of the day.
CREATE TABLE card_count (
    visit_id   uuid NOT NULL,
    case_id    uuid NOT NULL,
    is_back    boolean NOT NULL,
    counted_at timestamptz NOT NULL,
    counted_by text NOT NULL,
    PRIMARY KEY (visit_id, case_id),
    FOREIGN KEY (visit_id, case_id) REFERENCES visit_case
);

-- How long a party takes at a site, as measured; until then the default holds.
CREATE TABLE service_time (
    site_id     text NOT NULL,
    purpose     text NOT NULL,
    seconds     int  NOT NULL CHECK (seconds > 0),
    samples     int  NOT NULL,
    measured_on date NOT NULL,
    PRIMARY KEY (site_id, purpose)
);

-- Whoever changes the queue, the boards of its site hear of it at the commit.
CREATE FUNCTION tell_board() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('issuance_board', NEW.site_id);
    RETURN NULL;
END $$;
CREATE TRIGGER visit_tells_board AFTER INSERT OR UPDATE OF state, counter ON visit
    FOR EACH ROW EXECUTE FUNCTION tell_board();
CREATE TRIGGER ticket_tells_board AFTER INSERT OR UPDATE ON ticket
    FOR EACH ROW EXECUTE FUNCTION tell_board();
CREATE TRIGGER counter_tells_board AFTER INSERT OR UPDATE ON counter
    FOR EACH ROW EXECUTE FUNCTION tell_board();
