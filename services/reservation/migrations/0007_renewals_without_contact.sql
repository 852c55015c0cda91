-- Staff open renewals in bulk too, for citizens of whom no address or telephone is known. The index
-- that keeps a contact to one active renewal says nothing of them.
ALTER TABLE renewal ALTER COLUMN contact_id DROP NOT NULL;
