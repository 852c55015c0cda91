-- Why a proxy came is kept for a time only; each day those whose time is over are looked for.
CREATE INDEX case_step_reason ON case_step (done_at) WHERE step = 'proxy' AND result <> 'other';
CREATE INDEX journal_reason ON journal (told_at)
    WHERE entry ->> 'verb' = 'proxy' AND entry ? 'reason' AND entry ->> 'reason' <> 'other';
CREATE INDEX conflict_row_reason ON conflict_row (conflict_id)
    WHERE entry ->> 'verb' = 'proxy' AND entry ? 'reason' AND entry ->> 'reason' <> 'other';
