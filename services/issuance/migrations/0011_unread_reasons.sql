-- Why a proxy came is also kept in an entry that was set aside unread, one level deeper.
CREATE INDEX conflict_row_any_reason ON conflict_row (conflict_id)
    WHERE coalesce(entry -> 'entry', entry) ->> 'verb' = 'proxy'
          AND coalesce(entry -> 'entry', entry) ? 'reason'
          AND coalesce(entry -> 'entry', entry) ->> 'reason' <> 'other';
DROP INDEX conflict_row_reason;
