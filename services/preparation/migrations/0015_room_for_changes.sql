-- Each row is written again soon after it was: room on its page keeps its indexes as they are.
ALTER TABLE notice SET (fillfactor = 50);
ALTER TABLE visit SET (fillfactor = 50);
