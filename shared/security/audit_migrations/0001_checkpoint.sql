-- Checkpoints of every room's audit chain, kept in a database of their own: who can change a
-- room's database cannot change these. ``chain`` is the CloudEvents source of the room.
CREATE TABLE audit_checkpoint (
    chain     text        NOT NULL,
    number    bigint      NOT NULL CHECK (number > 0),
    seq       bigint      NOT NULL CHECK (seq > 0),
    hash      bytea       NOT NULL CHECK (octet_length(hash) = 32),
    at        timestamptz NOT NULL,
    key_id    text        NOT NULL,
    signature bytea       NOT NULL CHECK (octet_length(signature) = 64),
    PRIMARY KEY (chain, number)
);

CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
