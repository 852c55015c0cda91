-- Which read models hold less than their code could know: an upgrade added tables or columns that
-- only events of the past can fill. `madoguchi projections rebuild` takes a name off the list.
CREATE TABLE projection_behind (
    name  text PRIMARY KEY,
    since int  NOT NULL  -- the migration that added what is empty
);

-- In which hours of a day its seats lie, from the first on; none where it was not told.
ALTER TABLE site_offer
    ADD COLUMN first_hour      smallint,
    ADD COLUMN minutes_by_hour int[],
    ADD CHECK (first_hour IS NULL OR minutes_by_hour IS NOT NULL);

-- Every telling of free seats, once and whole: what was known on each day. A day of which a telling
-- says nothing is null; days follow each other from the first.
CREATE TABLE free_told (
    told_event    uuid        PRIMARY KEY,
    site_id       text        NOT NULL,
    procedure     text        NOT NULL,
    told_at       timestamptz NOT NULL,
    told_sequence bigint      NOT NULL,
    told_on       date        NOT NULL GENERATED ALWAYS AS
        ((told_at AT TIME ZONE 'Asia/Tokyo')::date) STORED,
    first_day     date        NOT NULL,
    free          int[]       NOT NULL
);
CREATE INDEX free_told_on ON free_told (told_on, site_id, procedure);

INSERT INTO projection_behind SELECT 'free_days', 8 WHERE EXISTS (SELECT FROM site_seats);
INSERT INTO projection_behind
SELECT 'cases', 6
WHERE EXISTS (SELECT FROM case_fact WHERE notified_at IS NOT NULL AND notice_at IS NULL);
