-- The day (Tokyo) on which a card came to each stage, beside the card: figures over a year read one
-- table once. The trigger that lets a card take a step writes it, so it cannot differ from the step.
ALTER TABLE card
    ADD COLUMN received_on         date,
    ADD COLUMN inspected_on        date,
    ADD COLUMN registry_checked_on date,
    ADD COLUMN preset_on           date,
    ADD COLUMN shelved_on          date,
    ADD COLUMN notified_on         date,
    ADD COLUMN issued_on           date,
    ADD COLUMN ended_on            date;

UPDATE card SET received_on = s.received_on, inspected_on = s.inspected_on,
    registry_checked_on = s.registry_checked_on, preset_on = s.preset_on,
    shelved_on = s.shelved_on, notified_on = s.notified_on, issued_on = s.issued_on,
    ended_on = s.ended_on
FROM (SELECT case_id,
             min(day) FILTER (WHERE stage = 'received') AS received_on,
             min(day) FILTER (WHERE stage = 'inspected') AS inspected_on,
             min(day) FILTER (WHERE stage = 'registry_checked') AS registry_checked_on,
             min(day) FILTER (WHERE stage = 'preset') AS preset_on,
             min(day) FILTER (WHERE stage = 'shelved') AS shelved_on,
             min(day) FILTER (WHERE stage = 'notified') AS notified_on,
             min(day) FILTER (WHERE stage = 'issued') AS issued_on,
             min(day) FILTER (WHERE stage IN ('voided', 'disposed')) AS ended_on
      FROM (SELECT case_id, stage, (at AT TIME ZONE 'Asia/Tokyo')::date AS day FROM card_stage)
           AS history
      GROUP BY case_id) AS s
WHERE card.case_id = s.case_id;

DROP INDEX card_stage_by_end;

-- The plain way is looked at first, without a query; everything else is in stage_step.
CREATE OR REPLACE FUNCTION guard_card_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    day date := (NEW.stage_since AT TIME ZONE 'Asia/Tokyo')::date;
BEGIN
    IF NEW.holds > 0 OR OLD.stage || '>' || NEW.stage NOT IN (
        'received>inspected', 'inspected>registry_checked', 'registry_checked>preset',
        'preset>shelved', 'shelved>notified')
    THEN
        IF NOT EXISTS (SELECT 1 FROM stage_step
                       WHERE frm = OLD.stage AND upto = NEW.stage
                         AND (while_held OR NEW.holds = 0)) THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'card_step',
                MESSAGE = format('no card goes from %s to %s with %s holds',
                                 OLD.stage, NEW.stage, NEW.holds);
        END IF;
    END IF;
    CASE NEW.stage
        WHEN 'inspected' THEN NEW.inspected_on := day;
        WHEN 'registry_checked' THEN NEW.registry_checked_on := day;
        WHEN 'preset' THEN NEW.preset_on := day;
        WHEN 'shelved' THEN NEW.shelved_on := day;
        WHEN 'notified' THEN NEW.notified_on := day;
        WHEN 'issued' THEN NEW.issued_on := day;
        WHEN 'voided', 'disposed' THEN NEW.ended_on := coalesce(NEW.ended_on, day);
        ELSE NULL;
    END CASE;
    RETURN NEW;
END
$$;

-- Opening stock is written at the stage it has: it came to the earlier ones on the same day.
CREATE FUNCTION date_new_card() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    day date := (NEW.stage_since AT TIME ZONE 'Asia/Tokyo')::date;
BEGIN
    NEW.received_on := day;
    IF NEW.stage <> 'received' THEN
        NEW.inspected_on := day;
        IF NEW.stage <> 'inspected' THEN
            NEW.registry_checked_on := day;
            IF NEW.stage <> 'registry_checked' THEN
                NEW.preset_on := day;
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER card_dated BEFORE INSERT ON card
    FOR EACH ROW EXECUTE FUNCTION date_new_card();
