-- A sealed batch of cards under way between two sites. What is in it is written once, when it is
-- sealed; what left must arrive.
CREATE TABLE transfer (
    transfer_id  uuid        PRIMARY KEY,
    from_site_id text        NOT NULL,
    to_site_id   text        NOT NULL CHECK (to_site_id <> from_site_id),
    sealed_at    timestamptz NOT NULL,
    sealed_by    text        NOT NULL,
    seal         text        NOT NULL,
    due_on       date        NOT NULL,
    card_count   int         NOT NULL CHECK (card_count > 0),
    emptied_at   timestamptz,
    alarmed_at   timestamptz
);
CREATE INDEX transfer_by_due ON transfer (due_on) WHERE alarmed_at IS NULL;
CREATE INDEX transfer_from ON transfer (from_site_id, transfer_id);
CREATE INDEX transfer_to ON transfer (to_site_id, transfer_id);

CREATE TABLE transfer_card (
    transfer_id   uuid NOT NULL REFERENCES transfer,
    case_id       uuid NOT NULL REFERENCES card,
    left_position text NOT NULL,
    reason        text NOT NULL CHECK (reason IN ('booking', 'wind_down', 'chosen')),
    state         text NOT NULL DEFAULT 'under_way'
                  CHECK (state IN ('under_way', 'missing', 'arrived', 'ended')),
    settled_at    timestamptz,
    PRIMARY KEY (transfer_id, case_id)
);
-- A card is in one batch at a time, and says the same of itself.
CREATE UNIQUE INDEX transfer_card_once ON transfer_card (case_id)
    WHERE state IN ('under_way', 'missing');
ALTER TABLE card
    ADD CONSTRAINT card_in_known_transfer
        FOREIGN KEY (transfer_id, case_id) REFERENCES transfer_card (transfer_id, case_id);
CREATE INDEX card_under_way ON card (transfer_id) WHERE transfer_id IS NOT NULL;

-- A card that leaves its batch settles its line there, whoever takes it out: on a shelf it has
-- arrived, anywhere else its way has ended.
CREATE FUNCTION settle_transfer_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE transfer_card
    SET state = CASE WHEN NEW.site_id IS NULL THEN 'ended' ELSE 'arrived' END
    WHERE transfer_id = OLD.transfer_id AND case_id = OLD.case_id;
    RETURN NULL;
END $$;
CREATE TRIGGER card_left_transfer AFTER UPDATE OF transfer_id ON card
    FOR EACH ROW WHEN (OLD.transfer_id IS NOT NULL
                       AND NEW.transfer_id IS DISTINCT FROM OLD.transfer_id)
    EXECUTE FUNCTION settle_transfer_card();

-- That a booking cannot be kept because its card is elsewhere is told once per booking and time;
-- that a card is missing from its batch, once per batch.
CREATE TABLE transfer_failure (
    case_id   uuid        NOT NULL REFERENCES card,
    about     text        NOT NULL,
    reason    text        NOT NULL CHECK (reason IN ('late', 'missing', 'not_movable')),
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, about)
);
