-- How citizens are reached. Address and number are sealed under a key of the contact's own
-- (subject_key 'contact:<contact_id>'); erasing destroys that key. address_key finds a mailbox or
-- telephone without the value.
CREATE TABLE contact (
    contact_id       uuid        PRIMARY KEY,
    is_login         boolean     NOT NULL DEFAULT false,
    address_key      text,
    sealed_email     bytea,
    sealed_phone     bytea,
    language         text        NOT NULL CHECK (language IN ('ja', 'en')),
    verified_at      timestamptz,
    reserved_case_id uuid,
    created_at       timestamptz NOT NULL,
    erased_at        timestamptz
);
CREATE UNIQUE INDEX one_login_per_address ON contact (address_key)
    WHERE is_login AND erased_at IS NULL;

-- Whom to write to about a case; another contact replaces the former.
CREATE TABLE case_contact (
    case_id    uuid PRIMARY KEY,
    contact_id uuid NOT NULL REFERENCES contact
);
CREATE INDEX case_contact_by_contact ON case_contact (contact_id);

-- Certificate renewals that this room opened. The index is what keeps a contact to one at a time.
CREATE TABLE renewal (
    case_id                uuid        PRIMARY KEY,
    contact_id             uuid        NOT NULL REFERENCES contact,
    ward                   text        NOT NULL,
    certificate_expires_on date        NOT NULL,
    opened_at              timestamptz NOT NULL,
    ended_at               timestamptz
);
CREATE UNIQUE INDEX one_active_renewal_per_contact ON renewal (contact_id) WHERE ended_at IS NULL;

-- A login by e-mail that waits for its code. The code is not kept: it follows from the request
-- and a secret. The address is sealed under a key of the request ('login:<request_id>').
CREATE TABLE login_request (
    request_id   uuid        PRIMARY KEY,
    address_keys text[]      NOT NULL,
    sealed_email bytea       NOT NULL,
    language     text        NOT NULL CHECK (language IN ('ja', 'en')),
    expires_at   timestamptz NOT NULL,
    tries        int         NOT NULL DEFAULT 0,
    used_at      timestamptz
);
CREATE INDEX login_request_by_expiry ON login_request (expires_at);

-- The message log: one row per message, keyed by what it is about, so that saying it again, or
-- handling the same news again, never writes it twice. facts holds references and times alone.
CREATE TABLE message (
    message_id  uuid        PRIMARY KEY,
    dedupe_key  text        NOT NULL UNIQUE,
    kind        text        NOT NULL,
    case_id     uuid,
    booking_id  uuid,
    site_id     text,
    request_id  uuid,
    facts       jsonb       NOT NULL,
    state       text        NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'sent', 'bounced', 'not_possible', 'superseded')),
    reason      text,
    tries       int         NOT NULL DEFAULT 0,
    not_before  timestamptz,
    taken_until timestamptz,
    created_at  timestamptz NOT NULL,
    settled_at  timestamptz
) WITH (fillfactor = 80);
CREATE INDEX message_waiting ON message (created_at, message_id) WHERE state = 'waiting';
CREATE INDEX message_by_case ON message (case_id, created_at);
CREATE INDEX message_by_site ON message (site_id, created_at, message_id);

-- Whom staff have to call, because no mail reached them.
CREATE TABLE phone_entry (
    entry_id   uuid        PRIMARY KEY,
    case_id    uuid        NOT NULL,
    booking_id uuid,
    site_id    text,
    about      text        NOT NULL,
    reason     text        NOT NULL
               CHECK (reason IN ('no_contact', 'bounced', 'not_possible', 'no_answer')),
    facts      jsonb       NOT NULL,
    added_at   timestamptz NOT NULL,
    done_at    timestamptz,
    outcome    text        CHECK ((outcome IS NULL) = (done_at IS NULL))
);
CREATE INDEX phone_entry_open ON phone_entry (site_id, added_at, entry_id) WHERE done_at IS NULL;
CREATE INDEX phone_entry_by_case ON phone_entry (case_id);

-- How often something was tried since when (real time). Keys are keyed hashes, never values.
CREATE TABLE fair_use (
    key   text        PRIMARY KEY,
    since timestamptz NOT NULL,
    tries int         NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX fair_use_by_age ON fair_use (since);

-- Work of the day that is done: reminders, retention.
CREATE TABLE daily_work (
    name          text        NOT NULL,
    business_date date        NOT NULL,
    done_at       timestamptz NOT NULL,
    PRIMARY KEY (name, business_date)
);
