-- Which residents a site hands cards to: none means every ward, an empty list nobody.
ALTER TABLE site ADD COLUMN card_wards text[] DEFAULT '{}';

-- The seats for cards that a site has on a day, as reservation last published them; the greater
-- sequence wins. They pace notices, and the outlook counts from them when citizens can come.
CREATE TABLE seat_day (
    site_id       text   NOT NULL,
    business_date date   NOT NULL,
    total         int    NOT NULL CHECK (total >= 0),
    free          int    NOT NULL CHECK (free >= 0),
    sequence      bigint NOT NULL,
    PRIMARY KEY (site_id, business_date)
);

-- How many people work at a desk from a day on, until its next period.
CREATE TABLE desk_period (
    desk    text         NOT NULL CHECK (desk IN (
                'inspected', 'registry_checked', 'preset', 'shelved', 'notified')),
    from_on date         NOT NULL,
    people  numeric(6,2) NOT NULL CHECK (people >= 0),
    PRIMARY KEY (desk, from_on)
);

-- Lead times are read by the week in which a step ended.
CREATE INDEX card_stage_by_end ON card_stage (stage, at, case_id);
