-- Who has moved to another ward may be booked where that ward is not served.
ALTER TABLE phone_entry DROP CONSTRAINT phone_entry_reason_check;
ALTER TABLE phone_entry ADD CONSTRAINT phone_entry_reason_check CHECK (
    reason IN ('no_contact', 'bounced', 'not_possible', 'no_answer', 'card_not_there',
               'notice_returned', 'not_signed_off', 'ward_changed'));
