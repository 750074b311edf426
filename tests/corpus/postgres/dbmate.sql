-- migrate:up transaction:false
CREATE TABLE stations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);

-- migrate:down
DROP TABLE stations; -- don't
