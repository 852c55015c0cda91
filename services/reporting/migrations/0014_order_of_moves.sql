-- Of two moves of one booking that were told at the same time, which came first: by its source's own
-- sequence. Rows from before this file have 0, so they stand before what comes from now on; only
-- where two of them have one time do they ask for a rebuild.
ALTER TABLE booking_change ADD COLUMN told_sequence bigint NOT NULL DEFAULT 0;
INSERT INTO projection_behind
SELECT 'cases', 14
WHERE EXISTS (
    SELECT FROM booking_change WHERE kind = 'moved'
    GROUP BY booking_id, told_at HAVING count(*) > 1
)
ON CONFLICT (name) DO NOTHING;

-- A move of which nobody told what seat it left (see 0012) is a former one all the same.
DROP INDEX booking_change_of_booking;
CREATE INDEX booking_change_of_booking ON booking_change (booking_id) WHERE kind = 'moved';
