-- What a manifest says of a lot, and where that differs from what came.
CREATE TABLE manifest (
    lot_id      text        PRIMARY KEY,
    card_count  int         NOT NULL CHECK (card_count > 0),
    shipped_on  date        NOT NULL,
    recorded_at timestamptz NOT NULL,
    version     int         NOT NULL DEFAULT 1
);

CREATE TABLE discrepancy (
    discrepancy_id uuid        PRIMARY KEY,
    lot_id         text        NOT NULL REFERENCES manifest,
    expected       int         NOT NULL,
    found          int         NOT NULL,
    state          text        NOT NULL CHECK (state IN ('open', 'in_work', 'closed')),
    resolution     text        CHECK (resolution IN (
                       'counts_agree', 'cards_found', 'reported_to_jlis', 'manifest_corrected',
                       'surplus_returned')),
    opened_at      timestamptz NOT NULL,
    worked_by      text,
    closed_at      timestamptz,
    version        int         NOT NULL DEFAULT 1,
    CHECK (expected <> found OR state = 'closed'),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((state = 'closed') = (resolution IS NOT NULL))
);
-- A lot has one discrepancy that is not closed.
CREATE UNIQUE INDEX discrepancy_open ON discrepancy (lot_id) WHERE state <> 'closed';
CREATE INDEX discrepancy_by_lot ON discrepancy (lot_id, discrepancy_id);

-- A long file is taken in slices, each in a transaction of its own; what is left of it stands here,
-- sealed under a key that is destroyed with the last slice.
ALTER TABLE lot_import
    ADD COLUMN rows_done   int NOT NULL DEFAULT 0,
    ADD COLUMN rejected    int NOT NULL DEFAULT 0,
    ADD COLUMN finished_at timestamptz;
UPDATE lot_import SET rows_done = row_count, finished_at = imported_at,
    rejected = (SELECT count(*) FROM lot_row r
                WHERE r.import_id = lot_import.import_id AND r.code IS NOT NULL);
ALTER TABLE lot_import
    ADD CHECK (rows_done BETWEEN 0 AND row_count),
    ADD CHECK ((rows_done = row_count) = (finished_at IS NOT NULL));
CREATE TABLE lot_slice (
    import_id uuid  NOT NULL REFERENCES lot_import,
    number    int   NOT NULL,
    sealed    bytea NOT NULL,
    PRIMARY KEY (import_id, number)
);
