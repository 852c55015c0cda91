-- Of a move: the day and the length of the seat that was left, so that it counts as free before
-- reservation tells the day's free seats anew. Moves from before this file have none: the next
-- morning's telling knows of them.
ALTER TABLE booking_change
    ADD COLUMN left_on      date,
    ADD COLUMN left_minutes int,
    ADD CHECK (num_nulls(left_on, left_minutes) IN (0, 2));
CREATE INDEX booking_change_left ON booking_change (left_on, site_id) WHERE left_on IS NOT NULL;
CREATE INDEX booking_change_of_booking ON booking_change (booking_id) WHERE left_on IS NOT NULL;
