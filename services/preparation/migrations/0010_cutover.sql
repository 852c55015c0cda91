-- Cards that another system had notified before: their numbers were not derived here (no secret),
-- so that they cannot be printed again. A second notice of such a card has a number of its own.
ALTER TABLE notice
    ALTER COLUMN secret_id DROP NOT NULL,
    ADD COLUMN own_number boolean NOT NULL DEFAULT false;
DROP INDEX notice_number;
CREATE UNIQUE INDEX notice_number ON notice (number_key) WHERE notice_seq = 1 OR own_number;

-- What is odd about a row that was taken all the same: codes.
ALTER TABLE lot_row ADD COLUMN warnings text[] NOT NULL DEFAULT '{}';
ALTER TABLE lot_import ADD COLUMN warned int NOT NULL DEFAULT 0;
