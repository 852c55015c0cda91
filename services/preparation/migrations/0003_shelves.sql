-- A shelf may have a capacity; none means that nobody has said how many cards it takes.
ALTER TABLE shelf
    ADD COLUMN capacity int CHECK (capacity BETWEEN 1 AND 99999),
    ADD COLUMN version  int NOT NULL DEFAULT 1;

-- A card is in one place: on a shelf, or in a sealed batch under way (transfer_id). While it is
-- shelved or notified it is in exactly one of them; one that is voided or waits for its disposal
-- stays where it was; any other is in none.
ALTER TABLE card
    ADD COLUMN transfer_id uuid,
    ADD COLUMN shelf text
        GENERATED ALWAYS AS (regexp_replace(shelf_position, '-[0-9]+$', '')) STORED,
    DROP CONSTRAINT card_place,
    ADD CONSTRAINT card_in_one_place CHECK (CASE
        WHEN stage IN ('shelved', 'notified') THEN num_nonnulls(site_id, transfer_id) = 1
        WHEN stage IN ('voided', 'disposal_due') THEN num_nonnulls(site_id, transfer_id) <= 1
        ELSE num_nonnulls(site_id, transfer_id) = 0 END),
    ADD CONSTRAINT card_on_known_shelf FOREIGN KEY (site_id, shelf) REFERENCES shelf;

-- A place takes one card.
CREATE UNIQUE INDEX card_place ON card (site_id, shelf_position) WHERE site_id IS NOT NULL;
CREATE INDEX card_by_shelf ON card (site_id, shelf) WHERE site_id IS NOT NULL;

-- A shelf never holds more cards than its capacity, whatever a command believed: those who lay
-- cards on it wait for each other at its row, and count when it is theirs.
CREATE FUNCTION shelf_within_capacity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM shelf s
    WHERE s.capacity IS NOT NULL
      AND EXISTS (SELECT FROM laid JOIN lifted USING (case_id)
                  WHERE (laid.site_id, laid.shelf) = (s.site_id, s.shelf)
                    AND (lifted.site_id, lifted.shelf) IS DISTINCT FROM (laid.site_id, laid.shelf))
    ORDER BY s.site_id, s.shelf FOR NO KEY UPDATE;
    IF FOUND AND EXISTS (
        SELECT FROM shelf s
        WHERE (s.site_id, s.shelf) IN (SELECT site_id, shelf FROM laid)
          AND s.capacity < (SELECT count(*) FROM card c
                            WHERE (c.site_id, c.shelf) = (s.site_id, s.shelf)))
    THEN
        RAISE check_violation USING MESSAGE = 'a shelf holds more cards than it takes',
                                    CONSTRAINT = 'shelf_within_capacity';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER shelf_within_capacity AFTER UPDATE ON card
    REFERENCING OLD TABLE AS lifted NEW TABLE AS laid
    FOR EACH STATEMENT EXECUTE FUNCTION shelf_within_capacity();

-- Who is expected where, for picking and dispatch.
CREATE INDEX booking_expected ON booking (site_id, starts_at) WHERE state = 'booked';

-- What reservation last said of each site; the greater sequence wins.
CREATE TABLE site (
    site_id  text   PRIMARY KEY,
    kind     text   NOT NULL,
    ward     text   NOT NULL,
    state    text   NOT NULL,
    last_day date,
    sequence bigint NOT NULL
);

-- A stock-take of a shelf: what the book said when it began, and what was scanned since. A scan
-- keeps what the book said at its moment, so that a card that moves meanwhile is no difference.
CREATE TABLE stock_take (
    stock_take_id uuid        PRIMARY KEY,
    site_id       text        NOT NULL,
    shelf         text        NOT NULL,
    opened_at     timestamptz NOT NULL,
    opened_by     text        NOT NULL,
    counted_at    timestamptz,
    closed_at     timestamptz,
    FOREIGN KEY (site_id, shelf) REFERENCES shelf,
    CHECK (closed_at IS NULL OR counted_at IS NOT NULL)
);
CREATE UNIQUE INDEX stock_take_open ON stock_take (site_id, shelf) WHERE closed_at IS NULL;
CREATE INDEX stock_take_newest ON stock_take (site_id, shelf, stock_take_id);

CREATE TABLE stock_expected (
    stock_take_id uuid NOT NULL REFERENCES stock_take,
    case_id       uuid NOT NULL REFERENCES card,
    PRIMARY KEY (stock_take_id, case_id)
);

CREATE TABLE stock_scan (
    stock_take_id  uuid        NOT NULL REFERENCES stock_take,
    card_reference text        NOT NULL,
    case_id        uuid,
    by_the_book    boolean     NOT NULL,
    scanned_at     timestamptz NOT NULL,
    PRIMARY KEY (stock_take_id, card_reference)
);

CREATE TABLE stock_difference (
    stock_take_id  uuid NOT NULL REFERENCES stock_take,
    number         int  NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('missing', 'elsewhere', 'unknown')),
    card_reference text NOT NULL,
    case_id        uuid,
    resolution     text,
    resolved_at    timestamptz,
    resolved_by    text,
    PRIMARY KEY (stock_take_id, number),
    CHECK ((kind = 'unknown') = (case_id IS NULL)),
    CHECK (num_nonnulls(resolution, resolved_at, resolved_by) IN (0, 3)),
    CHECK (resolution IS NULL OR (kind, resolution) IN (
        ('missing', 'found'), ('missing', 'gone'),
        ('elsewhere', 'moved_here'), ('elsewhere', 'brought_back'),
        ('unknown', 'set_aside')))
);
