-- How often free seats were looked for, and how often in vain, as it was told: each line once.
CREATE TABLE search_count (
    told_event    uuid NOT NULL,
    line          int  NOT NULL,
    business_date date NOT NULL,
    ward          text,
    procedure     text NOT NULL,
    site_id       text,
    searched      int  NOT NULL,
    refused       int  NOT NULL CHECK (refused BETWEEN 0 AND searched),
    PRIMARY KEY (told_event, line)
);
CREATE INDEX search_count_of_day ON search_count (business_date);
