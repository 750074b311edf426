-- Lifts a provisional fence whose run has lost its lock, or let it expire: the gate is dead, or will find another epoch
-- and refuse. Not once its contract has begun, as something may be out of sight: that is for the next run to end.
-- For the procedures before this one: it commits, and nobody is granted EXECUTE on it.

CREATE PROCEDURE IF NOT EXISTS zdm_lift_dead_fence(
  IN p_service  VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_instance VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_version  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
  DECLARE v_migration VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_kind      VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_epoch     BIGINT DEFAULT NULL;
  DECLARE v_gate      BIGINT DEFAULT NULL;
  DECLARE v_try       INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK AND NO CHAIN NO RELEASE; RESIGNAL; END;

  -- Looked for twice: without a lock, so that a gate that lives is not held up; then behind the lock.
  look: WHILE v_try < 2 DO
    SET v_try = v_try + 1, v_migration = NULL;
    SELECT f.migration, f.kind, f.epoch INTO v_migration, v_kind, v_epoch
    FROM zdm_fence AS f
    WHERE f.status = 'provisional'
      AND NOT EXISTS (SELECT 1 FROM zdm_run AS r WHERE r.token = f.run_token AND r.expires_at > UTC_TIMESTAMP(6))
      AND (f.kind = 'withdraw'
           OR NOT EXISTS (SELECT 1 FROM zdm_migration AS m
                          WHERE m.id = f.migration
                            AND m.state IN ('contracting', 'hidden', 'revealing', 'purging', 'purged')))
    LIMIT 1;
    IF v_migration IS NULL THEN
      LEAVE look;
    END IF;
    IF v_try = 1 THEN
      COMMIT AND NO CHAIN NO RELEASE;
      SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
      START TRANSACTION;
      SELECT g.epoch INTO v_gate FROM zdm_gate AS g WHERE g.id = 1 FOR UPDATE;
    ELSE
      DELETE FROM zdm_fence WHERE migration = v_migration AND kind = v_kind AND epoch = v_epoch;
      UPDATE zdm_gate AS g SET g.epoch = g.epoch + 1 WHERE g.id = 1;
      INSERT INTO zdm_event (at, actor, host, version, migration, kind, message)
      VALUES (UTC_TIMESTAMP(6), p_service, p_instance, LEFT(p_version, 64), v_migration, 'gate_lifted',
              CONCAT('fence of epoch ', v_epoch, ' lifted by whoever it held up: its gate had died'));
    END IF;
  END WHILE;
  COMMIT AND NO CHAIN NO RELEASE;
END
