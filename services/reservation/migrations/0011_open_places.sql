-- Staff see who waits at a site and who has an offer there, page by page, among all who ever waited.
CREATE INDEX open_at_site ON waitlist_entry USING gin (site_ids)
    WHERE state IN ('waiting', 'offered');
DROP INDEX waiting_at_site;
