-- When a site cannot use the national system, as reservation tells. The end may be heard before the
-- beginning: each fills in its own columns.
CREATE TABLE suspension (
    suspension_id uuid NOT NULL,
    site_id       text NOT NULL,
    procedures    text[],
    starts_at     timestamptz,
    ends_at       timestamptz,
    reason        text,
    resumed_at    timestamptz,
    PRIMARY KEY (suspension_id, site_id)
);
CREATE INDEX suspension_running ON suspension (site_id) WHERE resumed_at IS NULL;

-- The boards of the site say it.
CREATE TRIGGER suspension_tells_board AFTER INSERT OR UPDATE ON suspension
    FOR EACH ROW EXECUTE FUNCTION tell_board();
