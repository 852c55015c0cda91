-- A connection keeps the plan of the look for an answer. One made while no answers were stored, as
-- after a night's purge, would read the table from end to end until its figures are taken again.
ALTER FUNCTION recall_answer(text, text) SET enable_seqscan = off;
