-- What issuance last said of a case's visit: its card is at the counter, or back on its shelf. The
-- greater sequence wins.
CREATE TABLE visit (
    case_id  uuid        PRIMARY KEY,
    site_id  text        NOT NULL,
    state    text        NOT NULL CHECK (state IN ('at_counter', 'back')),
    since    timestamptz NOT NULL,
    sequence bigint      NOT NULL
);

-- Whether a card is at a counter now. Nobody is served overnight: what was not told to be back by
-- the end of its day is.
CREATE FUNCTION at_counter(of_case uuid, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM visit
        WHERE case_id = of_case AND state = 'at_counter'
          AND since >= date_trunc('day', at AT TIME ZONE 'Asia/Tokyo') AT TIME ZONE 'Asia/Tokyo')
$$;

-- Notices made by hand may be more than the pace allows: how many were is kept.
ALTER TABLE notice_batch ADD COLUMN over_pace int NOT NULL DEFAULT 0 CHECK (over_pace >= 0);

-- A voided card waits for its disposal too; that is told once, which its history remembers.
CREATE INDEX card_voided ON card (case_id) WHERE stage = 'voided';
