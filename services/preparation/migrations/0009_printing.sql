-- Which notices of a batch went to the printer: who was held meanwhile is left out, and is printed
-- once it is released. What a printer says it has printed is checked against this.
ALTER TABLE notice ADD COLUMN printed_at timestamptz;
UPDATE notice SET printed_at = b.printed_at
FROM notice_batch b WHERE b.batch_id = notice.batch_id AND b.printed_at IS NOT NULL;

-- A name and address may be corrected after the first ones were destroyed with their key, so what
-- is sealed says under which subject: the change of the registry that corrected it, else the case.
ALTER TABLE sealed_addressee ADD COLUMN sealed_under uuid;

-- What a change corrects, sealed, until its card has come.
ALTER TABLE registry_change ADD COLUMN sealed bytea,
    ADD CHECK (sealed IS NULL OR effect = 'waiting');
