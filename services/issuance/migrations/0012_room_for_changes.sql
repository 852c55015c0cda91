-- A case's row is written some eight times, a booking's three: room on its page keeps the indexes as
-- they are and the table from growing with every change.
ALTER TABLE case_file SET (fillfactor = 50);
ALTER TABLE booking SET (fillfactor = 70);
