-- What the examples about other things than clauses of ALTER TABLE need; it stands on base.sql.

CREATE SCHEMA app;
CREATE TYPE feeling AS ENUM ('sad', 'ok');
CREATE TYPE couple AS (x int, y int);
CREATE DOMAIN natural_number AS int CHECK (VALUE > 0);

-- Foreign keys between schemas; one that deletes along; a table without an index.
CREATE TABLE depots (id int PRIMARY KEY, x int);
INSERT INTO depots SELECT g, g FROM generate_series(1, 20000) g;
CREATE TABLE app.bills (id int PRIMARY KEY, depot_id int REFERENCES depots, n int);
INSERT INTO app.bills SELECT g, g, g FROM generate_series(1, 20000) g;
CREATE TABLE notes (id int PRIMARY KEY, depot_id int REFERENCES depots ON DELETE CASCADE, words text);
CREATE INDEX notes_depot ON notes (depot_id);
INSERT INTO notes SELECT g, g, 'a' FROM generate_series(1, 20000) g;
CREATE TABLE heap (id int, x int);
INSERT INTO heap SELECT g, g FROM generate_series(1, 20000) g;
CREATE TABLE heap2 (id int, x int);
INSERT INTO heap2 SELECT g, g FROM generate_series(1, 20000) g;

-- Partitions: with a default one; in two levels; with foreign keys in both directions.
CREATE TABLE kinds (k int NOT NULL, v text) PARTITION BY LIST (k);
CREATE TABLE kinds_1 PARTITION OF kinds FOR VALUES IN (1);
CREATE TABLE kinds_rest PARTITION OF kinds DEFAULT;
INSERT INTO kinds SELECT 1 + g % 2, g FROM generate_series(1, 20000) g;
CREATE TABLE deep (k int NOT NULL, v int NOT NULL) PARTITION BY RANGE (k);
CREATE TABLE deep_1 PARTITION OF deep FOR VALUES FROM (1) TO (30000) PARTITION BY LIST (v);
CREATE TABLE deep_1_a PARTITION OF deep_1 FOR VALUES IN (1);
INSERT INTO deep SELECT g, 1 FROM generate_series(1, 20000) g;
CREATE TABLE months (k int NOT NULL, v text) PARTITION BY RANGE (k);
CREATE TABLE months_1 PARTITION OF months FOR VALUES FROM (1) TO (20001);
INSERT INTO months SELECT g, g FROM generate_series(1, 20000) g;
CREATE TABLE stock (k int PRIMARY KEY, v text, depot_id int REFERENCES depots) PARTITION BY RANGE (k);
CREATE TABLE stock_1 PARTITION OF stock FOR VALUES FROM (1) TO (20001);
CREATE TABLE stock_2 PARTITION OF stock FOR VALUES FROM (20001) TO (40001);
CREATE INDEX stock_v ON stock (v);
INSERT INTO stock SELECT g, g, 1 + g % 20000 FROM generate_series(1, 40000) g;
CREATE TABLE moves (id int PRIMARY KEY, k int REFERENCES stock);
INSERT INTO moves SELECT g, g FROM generate_series(1, 20000) g;

-- Tables that can become partitions: as they are; with a CHECK; with all that the parent has.
CREATE TABLE month_plain (k int NOT NULL, v text);
CREATE TABLE month_checked (k int NOT NULL, v text, CONSTRAINT bound CHECK (k >= 40001 AND k < 60001));
INSERT INTO month_plain SELECT g, g FROM generate_series(40001, 60000) g;
INSERT INTO month_checked SELECT g, g FROM generate_series(40001, 60000) g;
CREATE TABLE kind_plain (k int NOT NULL, v text);
CREATE TABLE kind_checked (k int NOT NULL, v text, CONSTRAINT bound CHECK (k = 7));
INSERT INTO kind_plain SELECT 7, g FROM generate_series(1, 20000) g;
INSERT INTO kind_checked SELECT 7, g FROM generate_series(1, 20000) g;
CREATE TABLE stock_plain (k int NOT NULL, v text, depot_id int);
CREATE TABLE stock_full (k int PRIMARY KEY, v text, depot_id int REFERENCES depots, CONSTRAINT bound CHECK (k >= 40001 AND k < 60001));
CREATE INDEX stock_full_v ON stock_full (v);
INSERT INTO stock_plain SELECT g, g, g - 40000 FROM generate_series(40001, 60000) g;
INSERT INTO stock_full SELECT g, g, g - 40000 FROM generate_series(40001, 60000) g;

-- Heirs.
CREATE TABLE elders (id int, x int);
CREATE TABLE heirs (y int) INHERITS (elders);
INSERT INTO elders SELECT g, g FROM generate_series(1, 20000) g;
INSERT INTO heirs SELECT g, g, g FROM generate_series(1, 20000) g;

-- Views over views, and what is kept of them.
CREATE TABLE pages (id int PRIMARY KEY, title text, n int NOT NULL, tags jsonb, mood feeling, worth natural_number, at tsrange);
CREATE INDEX pages_title ON pages (title);
INSERT INTO pages SELECT g, 'a' || g, g, '{}', NULL, 1, NULL FROM generate_series(1, 20000) g;
CREATE VIEW titles AS SELECT id, title FROM pages;
CREATE VIEW joined AS SELECT titles.id, depots.x FROM titles JOIN depots ON depots.id = titles.id;
CREATE VIEW note_ids AS SELECT id FROM notes;
CREATE MATERIALIZED VIEW kept AS SELECT id, title FROM pages;
CREATE UNIQUE INDEX kept_id ON kept (id);
CREATE MATERIALIZED VIEW kept_joined AS SELECT id, x FROM joined;

-- Functions, triggers, sequences, statistics, publications, roles.
CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM pages $$;
CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE TRIGGER notes_same BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION same();
CREATE POLICY notes_all ON notes USING (id > 0);
CREATE RULE heap_rule AS ON DELETE TO heap2 DO NOTHING;
CREATE TABLE numbered (id serial PRIMARY KEY, w int);
INSERT INTO numbered (w) SELECT g FROM generate_series(1, 20000) g;
CREATE SEQUENCE loose;
CREATE STATISTICS pages_st ON title, n FROM pages;
CREATE PUBLICATION pub FOR TABLE pages, depots;
CREATE TRIGGER stock_same AFTER UPDATE ON stock FOR EACH ROW EXECUTE FUNCTION same();
