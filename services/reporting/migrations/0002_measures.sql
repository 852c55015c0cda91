-- A quarter of an hour at a site as issuance measured it; times by service and step as they came.
CREATE TABLE site_measure (
    site_id              text        NOT NULL,
    starts_at            timestamptz NOT NULL,
    business_date        date        NOT NULL,
    booked               int         NOT NULL,
    late                 int         NOT NULL,
    walk_in              int         NOT NULL,
    called               int         NOT NULL,
    waited_seconds       int         NOT NULL,
    longest_wait_seconds int         NOT NULL,
    service_times        jsonb       NOT NULL,
    open_seconds         int         NOT NULL,
    busy_seconds         int         NOT NULL,
    abandoned            int         NOT NULL,
    deferred             int         NOT NULL,
    expected             int         NOT NULL,
    missed               int         NOT NULL,
    told_at              timestamptz NOT NULL,
    told_sequence        bigint      NOT NULL,
    told_event           uuid        NOT NULL,
    PRIMARY KEY (site_id, starts_at)
);
CREATE INDEX site_measure_of_day ON site_measure (business_date, site_id);
