-- A satellite's closing told late could end a span that began after it; such a day can not be measured.
UPDATE counter_span SET closed_at = opened_at WHERE closed_at < opened_at;
