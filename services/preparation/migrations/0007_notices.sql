-- How fast notices of a site's cards go out. run_on: the last day on which they went by themselves.
CREATE TABLE notice_pace (
    site_id     text    PRIMARY KEY,
    share       int     NOT NULL CHECK (share BETWEEN 0 AND 200),
    window_days int     NOT NULL CHECK (window_days BETWEEN 1 AND 366),
    daily_limit int     CHECK (daily_limit >= 0),
    automatic   boolean NOT NULL,
    run_on      date,
    version     int     NOT NULL DEFAULT 1
);

-- A second notice repeats the number of the first, for the birth date is no longer known: a number
-- is one case's, not one notice's.
ALTER TABLE notice
    DROP CONSTRAINT notice_number_key_key,
    ADD COLUMN returned_at timestamptz,
    ADD COLUMN site_id text;
CREATE UNIQUE INDEX notice_number ON notice (number_key) WHERE notice_seq = 1;

ALTER TABLE notice_batch
    ADD COLUMN notice_seq int NOT NULL DEFAULT 1 CHECK (notice_seq > 0),
    ADD COLUMN printed_at timestamptz,
    ADD COLUMN printed_by text,
    ADD CHECK (num_nonnulls(printed_at, printed_by) IN (0, 2));
CREATE INDEX notice_batch_newest ON notice_batch (created_at DESC, batch_id DESC);
CREATE INDEX notice_by_site ON notice (site_id, batch_id);

-- Name and address, sealed under a key per case, only until the batch is acknowledged as printed.
CREATE TABLE sealed_addressee (
    case_id uuid  PRIMARY KEY REFERENCES card,
    sealed  bytea NOT NULL
);
