-- Every hold of a card and every release, once: a card may be held again, and for several reasons at
-- a time, so what was told first does not say whether it is on hold, nor since when.
CREATE TABLE hold_change (
    event_id      uuid        PRIMARY KEY,
    case_id       uuid        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('held', 'released')),
    told_at       timestamptz NOT NULL,
    told_sequence bigint      NOT NULL
);
CREATE INDEX hold_change_of_case ON hold_change (case_id, told_at, told_sequence);

-- Of the past the first hold and the first release are known: nobody on hold is let go meanwhile. A
-- card that was never released is on hold since the first, so only others ask for a rebuild.
INSERT INTO hold_change
SELECT gen_random_uuid(), case_id, 'held', held_at, 0 FROM case_fact WHERE held_at IS NOT NULL
UNION ALL
SELECT gen_random_uuid(), case_id, 'released', released_at, 0
FROM case_fact WHERE released_at IS NOT NULL;
INSERT INTO projection_behind
SELECT 'cases', 13 WHERE EXISTS (SELECT FROM case_fact WHERE released_at IS NOT NULL)
ON CONFLICT (name) DO NOTHING;
