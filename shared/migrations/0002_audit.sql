-- Audit. Every read of personal data and every change, written in the transaction that did it,
-- with references only. Entries and seals are append-only: nothing here is changed or deleted.
-- (xid, pos) is the order of sealing; see docs/decisions on the outbox cursor for why both.
CREATE TABLE audit_entry (
    pos      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid      xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at       timestamptz NOT NULL,
    actor    text        NOT NULL,
    roles    text[]      NOT NULL,
    action   text        NOT NULL,
    subject  text        NOT NULL,
    site_id  text,
    refs     jsonb       NOT NULL DEFAULT '{}',
    trace_id text
);
CREATE INDEX audit_entry_order ON audit_entry (xid, pos);
CREATE INDEX audit_entry_by_subject ON audit_entry (subject, pos);
CREATE INDEX audit_entry_by_actor ON audit_entry (actor, pos);

-- One seal per entry. hash = SHA-256(hash of the seal before || the entry); seq has no gaps.
CREATE TABLE audit_seal (
    seq  bigint NOT NULL PRIMARY KEY,
    xid  xid8   NOT NULL,
    pos  bigint NOT NULL UNIQUE,
    hash bytea  NOT NULL CHECK (octet_length(hash) = 32)
);

-- Transaction ids count per cluster. A dump restored elsewhere starts a new era: entries up to
-- from_pos were sealed before it, and (xid, pos) orders only those after.
CREATE TABLE audit_era (
    era               int    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_identifier bigint NOT NULL,
    from_seq          bigint NOT NULL,
    from_pos          bigint NOT NULL
);

-- Checkpoints this room knows to have been stored in the audit database, so that one missing
-- there is noticed here.
CREATE TABLE audit_receipt (
    number bigint NOT NULL PRIMARY KEY,
    seq    bigint NOT NULL,
    hash   bytea  NOT NULL
);

CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_era
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
