-- The city's wards as it imported them: what no event tells. No read model.
CREATE TABLE ward (
    code       text             PRIMARY KEY CHECK (code ~ '^[0-9]{6}$'),
    name_ja    text             NOT NULL,
    name_en    text             NOT NULL,
    latitude   double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude  double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    population int              CHECK (population >= 0)
);
