-- The state of zdm in one database. A released file never changes, not even a comment: add the next number.
-- Statements are separated by a line "-- next"; all of a file is one transaction.
-- Applications get no right on a table: they use the functions of later files.

CREATE TABLE zdm.identity (
  id            smallint    PRIMARY KEY CHECK (id = 1),
  system_id     text        NOT NULL,
  database_name text        NOT NULL,
  environment   text,
  created_at    timestamptz NOT NULL,
  zdm_version   text        NOT NULL
)
-- next
CREATE TABLE zdm.migration (
  id    text        PRIMARY KEY,
  state text        NOT NULL,
  since timestamptz NOT NULL,
  base  text
)
-- next
CREATE TABLE zdm.step (
  ordinal   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  migration text        NOT NULL,
  phase     text        NOT NULL,
  name      text        NOT NULL,
  title     text        NOT NULL,
  seal      text        NOT NULL,
  progress  text        NOT NULL CHECK (progress IN ('begun', 'done')),
  begun_at  timestamptz NOT NULL,
  done_at   timestamptz,
  run_token text        NOT NULL,
  UNIQUE (migration, phase, name)
)
-- next
CREATE TABLE zdm.run (
  id         smallint PRIMARY KEY CHECK (id = 1),
  token      text,
  owner      text,
  host       text,
  command    text,
  since      timestamptz,
  expires_at timestamptz
)
-- next
INSERT INTO zdm.run (id) VALUES (1)
-- next
CREATE TABLE zdm.backfill (
  migration     text    NOT NULL,
  step          text    NOT NULL,
  upper_key     text    NOT NULL,
  cursor_key    text,
  rows_done     bigint  NOT NULL,
  rows_estimate bigint,
  batch_size    bigint  NOT NULL,
  done          boolean NOT NULL,
  window_key    text,
  window_part   bigint  NOT NULL,
  waits_for     text,
  PRIMARY KEY (migration, step)
)
-- next
CREATE TABLE zdm.steering (
  migration     text        PRIMARY KEY,
  paused_by     text,
  share         bigint,
  max_rows      bigint,
  batch_time_ms bigint,
  since         timestamptz NOT NULL
)
-- next
CREATE TABLE zdm.parked (
  id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  migration text        NOT NULL,
  step      text        NOT NULL,
  row_key   text        NOT NULL,
  error     text        NOT NULL,
  since     timestamptz NOT NULL
)
-- next
CREATE TABLE zdm.event (
  id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        timestamptz NOT NULL,
  actor     text        NOT NULL,
  host      text        NOT NULL,
  version   text        NOT NULL,
  migration text,
  kind      text        NOT NULL,
  message   text        NOT NULL,
  detail    text
)
-- next
CREATE INDEX event_migration ON zdm.event (migration)
-- next
CREATE FUNCTION zdm.refuse_event_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'events of zdm are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END
$$
-- next
REVOKE ALL ON FUNCTION zdm.refuse_event_change() FROM PUBLIC
-- next
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON zdm.event
FOR EACH ROW EXECUTE FUNCTION zdm.refuse_event_change()
-- next
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON zdm.event
FOR EACH STATEMENT EXECUTE FUNCTION zdm.refuse_event_change()
-- next
CREATE TABLE zdm.service (
  name     text    PRIMARY KEY,
  ttl_ms   bigint  NOT NULL,
  evidence text    NOT NULL CHECK (evidence IN ('leases', 'sessions')),
  declared boolean NOT NULL
)
-- next
CREATE TABLE zdm.gate (
  id    smallint PRIMARY KEY CHECK (id = 1),
  epoch bigint   NOT NULL
)
-- next
INSERT INTO zdm.gate (id, epoch) VALUES (1, 0)
-- next
CREATE TABLE zdm.fence (
  migration  text        NOT NULL,
  kind       text        NOT NULL CHECK (kind IN ('tolerate', 'withdraw')),
  services   text,
  status     text        NOT NULL CHECK (status IN ('provisional', 'final')),
  epoch      bigint      NOT NULL,
  run_token  text        NOT NULL,
  since      timestamptz NOT NULL,
  knocked_by text,
  PRIMARY KEY (migration, kind)
)
-- next
CREATE TABLE zdm.taken_login (
  role      text NOT NULL,
  host      text NOT NULL,
  migration text NOT NULL,
  kind      text NOT NULL CHECK (kind IN ('tolerate', 'withdraw')),
  PRIMARY KEY (role, host, migration, kind)
)
-- next
CREATE TABLE zdm.lease (
  id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mark          integer     NOT NULL DEFAULT 0,
  service       text        NOT NULL,
  version       text        NOT NULL,
  instance      text        NOT NULL,
  tolerates     text        NOT NULL,
  needs         text        NOT NULL,
  ending        text        NOT NULL CHECK (ending IN ('suspends', 'reports')),
  role          text        NOT NULL DEFAULT '',
  ttl_ms        bigint      NOT NULL,
  beat          bigint      NOT NULL,
  joined_at     timestamptz NOT NULL,
  seen_at       timestamptz NOT NULL,
  left_at       timestamptz,
  knocked_epoch bigint
)
