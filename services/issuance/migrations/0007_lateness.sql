-- How late a site lets a party come, by procedure, where it decides otherwise than the city; as the
-- newest event of the site has it.
CREATE TABLE site_lateness (
    site_id text PRIMARY KEY,
    seq     bigint NOT NULL,
    minutes jsonb NOT NULL
);

CREATE VIEW expected_booking AS
SELECT b.*, (l.minutes ->> b.procedure)::int AS lateness_minutes
FROM booking b LEFT JOIN site_lateness l ON l.site_id = b.site_id;
