-- A long file may be tried only (dry_run), or wanted whole: then all its slices are judged before
-- the first is taken. sha256: of the file, where digest is not what makes it known.
ALTER TABLE lot_import
    ADD COLUMN mode        text    NOT NULL DEFAULT 'partial'
               CHECK (mode IN ('partial', 'whole', 'dry_run')),
    ADD COLUMN sha256      bytea,
    ADD COLUMN rows_judged int     NOT NULL DEFAULT 0,
    ADD COLUMN refused     boolean NOT NULL DEFAULT false;
ALTER TABLE lot_slice ADD COLUMN judged boolean NOT NULL DEFAULT false;

-- A row that was only tried opened no case.
ALTER TABLE lot_row
    ADD COLUMN trial boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT lot_row_check,
    ADD CONSTRAINT lot_row_has_result CHECK (trial OR (code IS NULL) = (case_id IS NOT NULL));

-- Cards that a whole file will bring: from its judgement until it is taken, no other file can.
CREATE TABLE card_claim (
    card_reference text PRIMARY KEY,
    lot_id         text NOT NULL,
    lot_row        int  NOT NULL,
    import_id      uuid NOT NULL REFERENCES lot_import,
    UNIQUE (lot_id, lot_row)
);
CREATE INDEX card_claim_by_import ON card_claim (import_id);
