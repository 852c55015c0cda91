-- Which generation of each read model is live, and which is being built beside it, in the schema
-- projection_<name>_<generation>. A generation is never used twice, so neither are its schema and
-- its consumer group.
CREATE TABLE projection (
    name           text PRIMARY KEY,
    live           int  NOT NULL DEFAULT 1,
    switched_at    timestamptz,
    last           int  NOT NULL DEFAULT 1,
    building       int,
    building_since timestamptz,
    -- Number of the room's migrations when the tables were made: others would not fit in.
    building_shape int,
    CHECK (num_nulls(building, building_since, building_shape) IN (0, 3))
);
