-- A notice that came back, and a visit that no site signed off, are known from staff's calls too.
ALTER TABLE case_facts ADD COLUMN notice_returned_seq int NOT NULL DEFAULT 0;
ALTER TABLE phone_entry DROP CONSTRAINT phone_entry_reason_check;
ALTER TABLE phone_entry ADD CONSTRAINT phone_entry_reason_check CHECK (
    reason IN ('no_contact', 'bounced', 'not_possible', 'no_answer', 'card_not_there',
               'notice_returned', 'not_signed_off'));
CREATE INDEX phone_entry_not_signed_off ON phone_entry (booking_id)
    WHERE done_at IS NULL AND about = 'not_signed_off';
