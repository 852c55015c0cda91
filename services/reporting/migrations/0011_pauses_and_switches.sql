-- A visit that waits for the national system, and a next-generation card wanted instead of new
-- certificates.
ALTER TABLE case_fact ADD COLUMN paused_at timestamptz, ADD COLUMN switch_accepted_at timestamptz;
