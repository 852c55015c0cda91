-- The checklist as versions that are never changed: another follows, valid from a date on.
CREATE TABLE checklist (
    version      int  PRIMARY KEY CHECK (version > 0),
    valid_from   date NOT NULL,
    class_a      text[] NOT NULL,
    class_b      text[] NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL
);
CREATE INDEX checklist_by_date ON checklist (valid_from, version);

-- The steps of a version per procedure and kind, in order.
CREATE TABLE checklist_step (
    version   int  NOT NULL REFERENCES checklist,
    procedure text NOT NULL,
    kind      text NOT NULL,
    position  int  NOT NULL,
    step      text NOT NULL,
    rule      text NOT NULL CHECK (rule IN ('always', 'if_replaced', 'optional')),
    accepts   text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (version, procedure, kind, step)
);

INSERT INTO checklist (version, valid_from, class_a, class_b, published_at, published_by) VALUES (
    1, '2019-04-01',
    '{drivers_licence,driving_record,passport,residence_card,special_permanent_resident,basic_resident_card,my_number_card,disability_handbook}',
    '{health_insurance,pension_book,nursing_insurance,medical_certificate,mother_and_child_handbook,student_id,employee_id,public_assistance}',
    '2019-04-01T00:00:00Z', 'system:issuance'
);
INSERT INTO checklist_step (version, procedure, kind, position, step, rule, accepts)
SELECT 1, 'card_issuance', kind, position, step, rule, accepts
FROM unnest('{new,renewal,next_generation}'::text[]) AS k (kind),
(VALUES
    (1, 'proxy', 'optional', '{power_of_attorney,evidence_of_reason}'::text[]),
    (2, 'identity', 'always', '{}'),
    (4, 'registry', 'always', '{}'),
    (5, 'pin-set', 'always', '{}'),
    (6, 'receipt', 'optional', '{}')
) AS s (position, step, rule, accepts);
-- A card that is known to replace another is handed over against it. A notification card
-- (通知カード) is no longer issued since May 2020: who has one returns it, nobody has to have one.
INSERT INTO checklist_step (version, procedure, kind, position, step, rule, accepts) VALUES
    (1, 'card_issuance', 'new', 3, 'old-card', 'optional',
     '{notification_card_returned,declared_lost,none}'),
    (1, 'card_issuance', 'renewal', 3, 'old-card', 'if_replaced', '{card_returned,declared_lost}'),
    (1, 'card_issuance', 'next_generation', 3, 'old-card', 'if_replaced',
     '{card_returned,declared_lost}'),
    (1, 'certificate_renewal', 'renewal', 1, 'proxy', 'optional', '{power_of_attorney}'),
    (1, 'certificate_renewal', 'renewal', 2, 'certificates', 'optional', '{}'),
    (1, 'certificate_renewal', 'renewal', 3, 'pin-set', 'always', '{}');

-- Each case goes by the version of its day.
ALTER TABLE visit_case ADD COLUMN checklist_version int NOT NULL DEFAULT 1 REFERENCES checklist;

-- What was noted of a step; identity and PIN stand in visit_case. Types and results, never numbers.
CREATE TABLE case_step (
    visit_id  uuid NOT NULL,
    case_id   uuid NOT NULL,
    step      text NOT NULL,
    result    text NOT NULL,
    documents text[] NOT NULL DEFAULT '{}',
    papers    text[] NOT NULL DEFAULT '{}',
    done_at   timestamptz NOT NULL,
    PRIMARY KEY (visit_id, case_id, step),
    FOREIGN KEY (visit_id, case_id) REFERENCES visit_case
);
