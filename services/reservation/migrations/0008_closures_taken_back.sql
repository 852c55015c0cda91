-- What a closure can be taken back to: the site as it was before, and the version that the change
-- made of it. listed_version: the site's when the closure last looked who has a seat; a site that
-- has changed since is looked at again.
ALTER TABLE closure ADD COLUMN former jsonb;
ALTER TABLE closure ADD COLUMN made_version int;
ALTER TABLE closure ADD COLUMN listed_version int;
ALTER TABLE closure ADD COLUMN withdrawn_at timestamptz;
