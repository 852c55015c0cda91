-- A card may leave the way: rejected (back to J-LIS) or voided (its case has ended). A voided card
-- lies where it lay until its disposal takes it.
ALTER TABLE card
    DROP CONSTRAINT card_stage_check,
    DROP CONSTRAINT card_check,
    ADD CONSTRAINT card_stage_known CHECK (stage IN (
        'received', 'inspected', 'registry_checked', 'preset', 'shelved', 'notified', 'issued',
        'rejected', 'voided')),
    ADD CONSTRAINT card_place CHECK (CASE
        WHEN stage IN ('shelved', 'notified') THEN site_id IS NOT NULL
        WHEN stage = 'voided' THEN true
        ELSE site_id IS NULL END),
    ADD COLUMN old_card_expires_on date,
    ADD COLUMN holds int NOT NULL DEFAULT 0 CHECK (holds >= 0),
    ADD COLUMN end_reason text,
    ADD CONSTRAINT card_end_has_reason
        CHECK (stage NOT IN ('rejected', 'voided') OR end_reason IS NOT NULL);

-- The steps there are; a held card takes only those that say so. Whatever a command forgets, no
-- other step can be written.
CREATE TABLE stage_step (
    frm        text    NOT NULL,
    upto       text    NOT NULL,
    while_held boolean NOT NULL,
    PRIMARY KEY (frm, upto)
);
INSERT INTO stage_step (frm, upto, while_held) VALUES
    ('received', 'inspected', false),
    ('inspected', 'registry_checked', false),
    ('registry_checked', 'preset', false),
    ('preset', 'shelved', false),
    ('shelved', 'notified', false);
INSERT INTO stage_step (frm, upto, while_held)
SELECT frm, 'rejected', true
FROM unnest(ARRAY['received', 'inspected', 'registry_checked', 'preset']) AS frm;
INSERT INTO stage_step (frm, upto, while_held)
SELECT frm, 'voided', true
FROM unnest(ARRAY['received', 'inspected', 'registry_checked', 'preset', 'shelved', 'notified'])
     AS frm;
-- That a card was handed over is a fact of another room: it holds wherever the card stood here.
INSERT INTO stage_step (frm, upto, while_held)
SELECT frm, 'issued', true
FROM unnest(ARRAY['received', 'inspected', 'registry_checked', 'preset', 'shelved', 'notified',
                  'rejected', 'voided']) AS frm;

CREATE FUNCTION guard_card_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM stage_step
                   WHERE frm = OLD.stage AND upto = NEW.stage
                     AND (while_held OR NEW.holds = 0)) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'card_step',
            MESSAGE = format('no card goes from %s to %s with %s holds',
                             OLD.stage, NEW.stage, NEW.holds);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER card_step BEFORE UPDATE OF stage ON card
    FOR EACH ROW WHEN (OLD.stage IS DISTINCT FROM NEW.stage) EXECUTE FUNCTION guard_card_step();

-- No notice without preset: the notice points at the day on which the card was preset.
ALTER TABLE notice
    ADD COLUMN needs text NOT NULL GENERATED ALWAYS AS ('preset') STORED,
    ADD CONSTRAINT notice_after_preset
        FOREIGN KEY (case_id, needs) REFERENCES card_stage (case_id, stage);

-- Why a card waits, and when somebody looks at it again. A card may wait for several reasons and
-- goes on when the last is gone.
CREATE TABLE card_hold (
    case_id   uuid        NOT NULL REFERENCES card,
    reason    text        NOT NULL CHECK (reason IN (
                  'moved_within_city', 'name_or_address_changed', 'residence_period',
                  'support_measures', 'registry_mismatch', 'discrepancy', 'other')),
    held_at   timestamptz NOT NULL,
    review_on date        NOT NULL,
    PRIMARY KEY (case_id, reason)
);
CREATE INDEX card_hold_by_review ON card_hold (review_on, case_id, reason);

-- The card counts its holds itself, so that the guard above reads nothing but the card.
CREATE FUNCTION count_card_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE card SET holds = holds + 1, version = version + 1 WHERE case_id = NEW.case_id;
    ELSE
        UPDATE card SET holds = holds - 1, version = version + 1 WHERE case_id = OLD.case_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER card_hold_counted AFTER INSERT OR DELETE ON card_hold
    FOR EACH ROW EXECUTE FUNCTION count_card_holds();

-- Who works on a case now; one operator at a time, until it is given back or forgotten.
CREATE TABLE assignment (
    case_id     uuid        PRIMARY KEY REFERENCES card,
    operator    text        NOT NULL,
    assigned_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    CHECK (expires_at > assigned_at)
);
CREATE INDEX assignment_by_operator ON assignment (operator, case_id);
CREATE INDEX assignment_by_expiry ON assignment (expires_at);

-- What the resident registry said, once per reference. A change whose card has not come yet waits
-- for it.
CREATE TABLE registry_change (
    change_id        uuid        PRIMARY KEY,
    change_reference text        NOT NULL UNIQUE,
    card_reference   text        NOT NULL,
    case_id          uuid        REFERENCES card,
    kind             text        NOT NULL CHECK (kind IN (
                         'moved_out', 'died', 'moved_within_city', 'name_or_address_changed',
                         'support_measures', 'residence_period_renewed')),
    effective_on     date        NOT NULL,
    ward             text        CHECK (ward ~ '^[0-9]{6}$'),
    review_on        date,
    effect           text        NOT NULL CHECK (effect IN (
                         'waiting', 'held', 'rerouted', 'voided', 'none')),
    recorded_at      timestamptz NOT NULL,
    CHECK ((kind = 'moved_within_city') = (ward IS NOT NULL)),
    CHECK ((effect = 'waiting') = (case_id IS NULL))
);
CREATE INDEX registry_change_by_case ON registry_change (case_id, effective_on);
CREATE INDEX registry_change_waiting ON registry_change (card_reference) WHERE effect = 'waiting';
