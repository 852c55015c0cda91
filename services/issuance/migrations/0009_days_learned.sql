-- How long the parties of a day that is signed off took, by purpose: what a month has taught is then
-- a few sums, and not every turn at every counter of that month, looked at anew each evening.
CREATE TABLE service_day_time (
    site_id       text    NOT NULL,
    business_date date    NOT NULL,
    purpose       text    NOT NULL,
    parties       int     NOT NULL CHECK (parties > 0),
    seconds       numeric NOT NULL CHECK (seconds >= 0),
    PRIMARY KEY (site_id, business_date, purpose)
);

INSERT INTO service_day_time (site_id, business_date, purpose, parties, seconds)
SELECT site_id, business_date, purpose, count(*), sum(seconds)
FROM (
    SELECT c.site_id, c.business_date, t.purposes[1] AS purpose,
           extract(epoch FROM sum(c.ended_at - c.began_at)) AS seconds
    FROM counter_turn c JOIN ticket t USING (visit_id) JOIN visit v USING (visit_id)
    JOIN service_day d ON d.site_id = c.site_id AND d.business_date = c.business_date
    WHERE v.ended_at < d.signed_off_at AND c.outcome <> 'skipped' AND v.state = 'ended'
          AND cardinality(t.purposes) = 1
          AND NOT EXISTS (SELECT FROM visit_case x
                          WHERE x.visit_id = c.visit_id AND x.state = 'abandoned')
    GROUP BY c.site_id, c.business_date, c.visit_id, t.purposes[1]
) AS party
GROUP BY site_id, business_date, purpose;
