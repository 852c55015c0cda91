-- A card that nobody may be handed any more waits for its disposal where it lies, and is then
-- destroyed. Either is the end of its way, unless it turns out that it was handed over.
ALTER TABLE card
    DROP CONSTRAINT card_stage_known,
    DROP CONSTRAINT card_end_has_reason,
    ADD COLUMN disposal_id uuid,
    ADD COLUMN disposal_confirmed boolean
        GENERATED ALWAYS AS (CASE WHEN disposal_id IS NOT NULL THEN true END) STORED,
    ADD CONSTRAINT card_stage_known CHECK (stage IN (
        'received', 'inspected', 'registry_checked', 'preset', 'shelved', 'notified', 'issued',
        'rejected', 'voided', 'disposal_due', 'disposed')),
    ADD CONSTRAINT card_end_has_reason CHECK (
        stage NOT IN ('rejected', 'voided', 'disposal_due', 'disposed')
        OR end_reason IS NOT NULL),
    ADD CONSTRAINT card_disposed_on_record
        CHECK (stage <> 'disposed' OR disposal_id IS NOT NULL);

INSERT INTO stage_step (frm, upto, while_held) VALUES
    ('shelved', 'disposal_due', false),
    ('notified', 'disposal_due', false),
    ('voided', 'disposed', false),
    ('disposal_due', 'disposed', false),
    ('disposal_due', 'issued', true),
    ('disposed', 'issued', true);

-- The record of a disposal: one operator lays the cards out, another confirms that they were
-- destroyed. It cannot be the same.
CREATE TABLE disposal (
    disposal_id  uuid        PRIMARY KEY,
    site_id      text        NOT NULL,
    method       text        NOT NULL,
    card_count   int         NOT NULL CHECK (card_count > 0),
    opened_at    timestamptz NOT NULL,
    opened_by    text        NOT NULL,
    confirmed_at timestamptz,
    confirmed_by text,
    withdrawn_at timestamptz,
    withdrawn_by text,
    confirmed    boolean     NOT NULL GENERATED ALWAYS AS (confirmed_at IS NOT NULL) STORED,
    UNIQUE (disposal_id, confirmed),
    CONSTRAINT disposal_by_two CHECK (confirmed_by <> opened_by),
    CHECK (num_nonnulls(confirmed_at, confirmed_by) IN (0, 2)),
    CHECK (num_nonnulls(withdrawn_at, withdrawn_by) IN (0, 2)),
    CHECK (num_nonnulls(confirmed_at, withdrawn_at) <= 1)
);
CREATE INDEX disposal_by_site ON disposal (site_id, disposal_id);

-- No card is disposed without a record that two have signed.
ALTER TABLE card ADD CONSTRAINT card_disposal_confirmed
    FOREIGN KEY (disposal_id, disposal_confirmed) REFERENCES disposal (disposal_id, confirmed);

CREATE TABLE disposal_card (
    disposal_id   uuid NOT NULL REFERENCES disposal,
    case_id       uuid NOT NULL REFERENCES card,
    reason        text NOT NULL CHECK (reason IN ('unclaimed', 'expired', 'voided')),
    left_position text,
    state         text NOT NULL DEFAULT 'laid_out'
                  CHECK (state IN ('laid_out', 'disposed', 'kept')),
    PRIMARY KEY (disposal_id, case_id)
);
-- A card is laid out once at a time, and destroyed once.
CREATE UNIQUE INDEX disposal_card_once ON disposal_card (case_id) WHERE state <> 'kept';

-- What is done once a day, and the last day on which it was.
CREATE TABLE daily_mark (
    name    text PRIMARY KEY,
    done_on date NOT NULL
);
