-- The state of zdm in one database. A released file never changes, not even a comment: add the next number.
-- Statements are separated by a line "-- next". A CREATE commits by itself here, so that a file can end half applied:
-- every statement must be harmless when it is run again.
-- Times are UTC. Applications get no right on a table: they use the procedures of later files.

CREATE TABLE IF NOT EXISTS zdm_identity (
  id            TINYINT      NOT NULL PRIMARY KEY,
  system_id     VARCHAR(255) NOT NULL,
  database_name VARCHAR(255) NOT NULL,
  environment   VARCHAR(255) NULL,
  created_at    DATETIME(6)  NOT NULL,
  zdm_version   VARCHAR(64)  NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_migration (
  id    VARCHAR(190) NOT NULL PRIMARY KEY,
  state VARCHAR(32)  NOT NULL,
  since DATETIME(6)  NOT NULL,
  base  LONGTEXT     NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_step (
  ordinal   BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  migration VARCHAR(190) NOT NULL,
  phase     VARCHAR(32)  NOT NULL,
  name      VARCHAR(190) NOT NULL,
  title     TEXT         NOT NULL,
  seal      VARCHAR(190) NOT NULL,
  progress  VARCHAR(32)  NOT NULL,
  begun_at  DATETIME(6)  NOT NULL,
  done_at   DATETIME(6)  NULL,
  run_token VARCHAR(190) NOT NULL,
  UNIQUE KEY step_name (migration, phase, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_run (
  id         TINYINT      NOT NULL PRIMARY KEY,
  token      VARCHAR(190) NULL,
  owner      VARCHAR(255) NULL,
  host       VARCHAR(255) NULL,
  command    TEXT         NULL,
  since      DATETIME(6)  NULL,
  expires_at DATETIME(6)  NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
INSERT IGNORE INTO zdm_run (id) VALUES (1)
-- next
CREATE TABLE IF NOT EXISTS zdm_backfill (
  migration     VARCHAR(190) NOT NULL,
  step          VARCHAR(190) NOT NULL,
  upper_key     LONGTEXT     NOT NULL,
  cursor_key    LONGTEXT     NULL,
  rows_done     BIGINT       NOT NULL,
  rows_estimate BIGINT       NULL,
  batch_size    BIGINT       NOT NULL,
  done          TINYINT(1)   NOT NULL,
  window_key    LONGTEXT     NULL,
  window_part   BIGINT       NOT NULL,
  waits_for     TEXT         NULL,
  PRIMARY KEY (migration, step)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_steering (
  migration     VARCHAR(190) NOT NULL PRIMARY KEY,
  paused_by     VARCHAR(255) NULL,
  share         BIGINT       NULL,
  max_rows      BIGINT       NULL,
  batch_time_ms BIGINT       NULL,
  since         DATETIME(6)  NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_parked (
  id        BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  migration VARCHAR(190) NOT NULL,
  step      VARCHAR(190) NOT NULL,
  row_key   LONGTEXT     NOT NULL,
  error     TEXT         NOT NULL,
  since     DATETIME(6)  NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_heartbeat (
  id   TINYINT NOT NULL PRIMARY KEY,
  beat BIGINT  NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_event (
  id        BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at        DATETIME(6)  NOT NULL,
  actor     VARCHAR(255) NOT NULL,
  host      VARCHAR(255) NOT NULL,
  version   VARCHAR(64)  NOT NULL,
  migration VARCHAR(190) NULL,
  kind      VARCHAR(64)  NOT NULL,
  message   TEXT         NOT NULL,
  detail    LONGTEXT     NULL,
  KEY event_migration (migration)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TRIGGER IF NOT EXISTS zdm_event_no_update BEFORE UPDATE ON zdm_event
FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events of zdm are never changed or deleted'
-- next
CREATE TRIGGER IF NOT EXISTS zdm_event_no_delete BEFORE DELETE ON zdm_event
FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events of zdm are never changed or deleted'
-- next
CREATE TABLE IF NOT EXISTS zdm_service (
  name     VARCHAR(190) NOT NULL PRIMARY KEY,
  ttl_ms   BIGINT       NOT NULL,
  evidence VARCHAR(32)  NOT NULL,
  declared TINYINT(1)   NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_gate (
  id    TINYINT NOT NULL PRIMARY KEY,
  epoch BIGINT  NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
INSERT IGNORE INTO zdm_gate (id, epoch) VALUES (1, 0)
-- next
CREATE TABLE IF NOT EXISTS zdm_fence (
  migration  VARCHAR(190) NOT NULL,
  kind       VARCHAR(32)  NOT NULL,
  services   TEXT         NULL,
  status     VARCHAR(32)  NOT NULL,
  epoch      BIGINT       NOT NULL,
  run_token  VARCHAR(190) NOT NULL,
  since      DATETIME(6)  NOT NULL,
  knocked_by TEXT         NULL,
  PRIMARY KEY (migration, kind)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_taken_login (
  role      VARCHAR(190) NOT NULL,
  host      VARCHAR(255) NOT NULL,
  migration VARCHAR(190) NOT NULL,
  kind      VARCHAR(32)  NOT NULL,
  PRIMARY KEY (role, host, migration, kind)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- next
CREATE TABLE IF NOT EXISTS zdm_lease (
  id            BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  mark          INT          NOT NULL DEFAULT 0,
  service       VARCHAR(190) NOT NULL,
  version       VARCHAR(255) NOT NULL,
  instance      VARCHAR(255) NOT NULL,
  tolerates     LONGTEXT     NOT NULL,
  needs         LONGTEXT     NOT NULL,
  ending        VARCHAR(32)  NOT NULL,
  role          VARCHAR(190) NOT NULL DEFAULT '',
  ttl_ms        BIGINT       NOT NULL,
  beat          BIGINT       NOT NULL,
  joined_at     DATETIME(6)  NOT NULL,
  seen_at       DATETIME(6)  NOT NULL,
  left_at       DATETIME(6)  NULL,
  knocked_epoch BIGINT       NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
