-- A card that comes as received is written with its day, and others are dated as before: for each
-- card of a long file the trigger cost more than any of its indexes.
DROP TRIGGER card_dated ON card;
CREATE TRIGGER card_dated BEFORE INSERT ON card
    FOR EACH ROW WHEN (NEW.received_on IS NULL) EXECUTE FUNCTION date_new_card();
