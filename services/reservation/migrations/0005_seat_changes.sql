-- Days whose seats have changed, so that whoever keeps an availability in memory learns what to
-- read again; no day: the site itself, its rules or its suspensions. Append-only, so bookings never
-- wait for each other here. Read from the xmin of one's last snapshot on, and deleted after minutes.
CREATE TABLE seat_change (
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    site_id    text        NOT NULL,
    day        date,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX seat_change_by_xid ON seat_change (xid);

CREATE FUNCTION note_seats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seat_change (site_id, day)
    SELECT DISTINCT site_id, (starts_at AT TIME ZONE 'Asia/Tokyo')::date FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION note_site() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seat_change (site_id) SELECT DISTINCT site_id FROM changed;
    RETURN NULL;
END $$;

-- Triggers, not calls: no statement that changes a seat can forget to tell.
CREATE TRIGGER cell_made AFTER INSERT ON cell REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_seats();
CREATE TRIGGER cell_changed AFTER UPDATE ON cell REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_seats();
CREATE TRIGGER cell_dropped AFTER DELETE ON cell REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_seats();
CREATE TRIGGER seat_returning AFTER INSERT ON seat_return REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_seats();
CREATE TRIGGER seat_return_changed AFTER UPDATE ON seat_return REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_seats();
CREATE TRIGGER seat_returned AFTER DELETE ON seat_return REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_seats();

CREATE TRIGGER site_made AFTER INSERT ON site REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_site();
CREATE TRIGGER site_changed AFTER UPDATE ON site REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_site();
CREATE TRIGGER site_rule_made AFTER INSERT ON site_rule REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_site();
CREATE TRIGGER site_rule_changed AFTER UPDATE ON site_rule REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_site();
CREATE TRIGGER suspension_made AFTER INSERT ON suspension REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_site();
CREATE TRIGGER suspension_changed AFTER UPDATE ON suspension REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_site();

-- Bookings taken over from another system name the notice alone.
CREATE INDEX case_by_number ON case_facts (number_key) WHERE number_key IS NOT NULL;
