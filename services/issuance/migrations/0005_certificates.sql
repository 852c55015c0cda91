-- The renewal of a case's certificates, over all its visits: results as entered at the counter, never
-- numbers or PINs. What was written before a failure stays written.
CREATE TABLE certificate_work (
    case_id                   uuid PRIMARY KEY,
    visit_id                  uuid REFERENCES visit,
    signing                   text,
    signing_wrong             int  NOT NULL DEFAULT 0,
    user_authentication       text,
    user_authentication_wrong int  NOT NULL DEFAULT 0,
    written                   text[] NOT NULL DEFAULT '{}',
    failed                    text,
    switch                    text CHECK (switch IN ('accepted', 'declined'))
);

-- An inquiry letter (照会書): asked for at the first visit of a proxy, mailed by the city, and brought
-- back in its sealed envelope. To whom it goes stands in the register, not here.
CREATE TABLE inquiry_letter (
    case_id     uuid PRIMARY KEY,
    site_id     text NOT NULL,
    ward        text,
    state       text NOT NULL CHECK (state IN ('to_mail', 'mailed', 'returned')),
    asked_at    timestamptz NOT NULL,
    mailed_at   timestamptz,
    returned_at timestamptz
);
CREATE INDEX inquiry_letter_of_site ON inquiry_letter (site_id, state, asked_at, case_id);
