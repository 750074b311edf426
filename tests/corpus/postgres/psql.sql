\set ON_ERROR_STOP on
\set owner conductor
\echo 'it''s a script
\connect trains
BEGIN;
CREATE TABLE tickets (id int, price money);
ALTER TABLE tickets OWNER TO :"owner";
COMMIT;
\copy tickets from 'tickets.csv' csv
SELECT format($$ANALYZE %I$$, relname) FROM pg_class \gexec
\i more.sql
TRUNCATE tickets;
