-- One data key per subject, wrapped under a master key that never comes here. Erasing takes the
-- wrapped key away and keeps the row, so that nothing is sealed for an erased subject again.
CREATE TABLE subject_key (
    subject       text        PRIMARY KEY,
    master_key_id text,
    wrapped       bytea,
    erased_at     timestamptz,
    CHECK ((erased_at IS NULL) = (wrapped IS NOT NULL AND master_key_id IS NOT NULL)),
    CHECK (erased_at IS NULL OR (wrapped IS NULL AND master_key_id IS NULL))
);
CREATE INDEX subject_key_by_master ON subject_key (master_key_id, subject) WHERE erased_at IS NULL;
