-- A card that cannot be at the site of the booking in time is news that cannot wait for a mail.
ALTER TABLE phone_entry DROP CONSTRAINT phone_entry_reason_check;
ALTER TABLE phone_entry ADD CONSTRAINT phone_entry_reason_check CHECK (
    reason IN ('no_contact', 'bounced', 'not_possible', 'no_answer', 'card_not_there'));
