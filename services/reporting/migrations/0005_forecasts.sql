-- Forecasts as a city publishes them: each file is a version and is never changed. These tables
-- hold what was decided, not what events told: no read model, and no rebuild touches them.
CREATE TABLE forecast (
    version     int         PRIMARY KEY,
    sha256      bytea       NOT NULL UNIQUE,
    name        text        NOT NULL,
    imported_at timestamptz NOT NULL,
    imported_by text        NOT NULL
);

-- basis 'actual': what the file says was done, for months of which no events tell.
CREATE TABLE forecast_value (
    version   int  NOT NULL REFERENCES forecast,
    month     date NOT NULL CHECK (extract(day FROM month) = 1),
    procedure text NOT NULL,
    basis     text NOT NULL CHECK (basis IN ('actual', 'forecast')),
    count     int  NOT NULL CHECK (count >= 0),
    PRIMARY KEY (version, month, procedure, basis)
);
