-- Takes an Idempotency-Key for the transaction and reads the answer stored under it, in one round
-- trip. Each statement of a volatile function has a snapshot of its own, so the answer is read after
-- the key was taken: what a twin stored until then is seen.
CREATE FUNCTION recall_answer(
    of_scope text, of_key text,
    OUT is_own boolean, OUT request_hash bytea, OUT status int, OUT body bytea
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    is_own := pg_try_advisory_xact_lock(
        hashtextextended('idempotency:' || of_scope || E'\n' || of_key, 0));
    IF is_own THEN
        SELECT i.request_hash, i.status, i.body INTO request_hash, status, body
        FROM idempotency i WHERE i.scope = of_scope AND i.key = of_key;
    END IF;
END $$;
