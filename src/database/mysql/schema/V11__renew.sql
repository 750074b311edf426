-- Renews a lease. The fences are read without a lock, after the call was sent, and the caller counts its deadline from
-- before: so a fence that this call misses was raised after it was sent, and its gate waits for the deadline.

CREATE PROCEDURE IF NOT EXISTS zdm_renew_v1(IN p_lease BIGINT)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
  DECLARE v_service   VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_instance  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_version   VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_tolerates TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '';
  DECLARE v_needs     TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '';
  DECLARE v_migration VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_kind      VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_status    VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_outcome   VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_detail    TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_epoch     BIGINT DEFAULT NULL;
  DECLARE v_ttl       BIGINT DEFAULT NULL;
  DECLARE v_id        BIGINT DEFAULT p_lease DIV 1048576;
  DECLARE v_mark      BIGINT DEFAULT p_lease MOD 1048576;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK AND NO CHAIN NO RELEASE; RESIGNAL; END;

  COMMIT AND NO CHAIN NO RELEASE;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  -- A gate takes an expired lease that suspends for gone: only a join, which it can see, brings it back.
  SELECT l.service, l.instance, l.version, l.tolerates, l.needs, l.ttl_ms
  INTO v_service, v_instance, v_version, v_tolerates, v_needs, v_ttl
  FROM zdm_lease AS l
  WHERE l.id = v_id
    AND l.mark = v_mark
    AND l.left_at IS NULL
    AND (l.ending = 'reports' OR l.seen_at + INTERVAL l.ttl_ms * 1000 MICROSECOND > UTC_TIMESTAMP(6));

  IF v_service IS NULL THEN
    SET v_outcome = 'gone';
  ELSE
    SELECT f.migration, f.kind, f.status, f.epoch INTO v_migration, v_kind, v_status, v_epoch
    FROM zdm_fence AS f
    WHERE (f.services IS NULL
           OR FIND_IN_SET(v_service, f.services) > 0
           OR NOT EXISTS (SELECT 1 FROM zdm_service AS s WHERE s.name = v_service AND s.declared = 1))
      AND CASE f.kind
            WHEN 'tolerate' THEN FIND_IN_SET(f.migration, v_tolerates) = 0
            ELSE LOCATE(CONCAT(',', f.migration, '='), CONCAT(',', v_needs)) > 0
          END
    ORDER BY f.status = 'final' DESC, f.migration, f.kind
    LIMIT 1;

    IF v_status = 'final' THEN
      SET v_outcome = 'fenced', v_detail = CONCAT(v_kind, '=', v_migration);
    ELSEIF v_status IS NOT NULL THEN
      SET v_outcome = 'fencing', v_detail = CONCAT(v_kind, '=', v_migration);
      UPDATE zdm_fence AS f SET f.knocked_by = CONCAT(v_service, ' ', v_instance, ' (version ', v_version, ')')
      WHERE f.migration = v_migration AND f.kind = v_kind AND f.status = 'provisional';
      -- Each row in a transaction of its own, so that no order of locks can meet another one.
      COMMIT AND NO CHAIN NO RELEASE;
      START TRANSACTION;
      UPDATE zdm_lease AS l SET l.knocked_epoch = v_epoch WHERE l.id = v_id;
      -- If its gate has died, the next call is renewed.
      COMMIT AND NO CHAIN NO RELEASE;
      CALL zdm_lift_dead_fence(v_service, v_instance, v_version);
    ELSE
      -- The granted time never falls: the reply with a shorter one may be lost.
      UPDATE zdm_lease AS l
      SET l.beat = l.beat + 1,
          l.seen_at = UTC_TIMESTAMP(6),
          l.ttl_ms = GREATEST(l.ttl_ms, COALESCE((SELECT s.ttl_ms FROM zdm_service AS s WHERE s.name = l.service), 0))
      WHERE l.id = v_id AND l.left_at IS NULL;
      SET v_outcome = IF(ROW_COUNT() = 1, 'renewed', 'gone');
      SELECT l.ttl_ms INTO v_ttl FROM zdm_lease AS l WHERE l.id = v_id;
    END IF;
  END IF;

  COMMIT AND NO CHAIN NO RELEASE;
  SELECT v_outcome AS outcome, IF(v_outcome = 'gone', NULL, v_ttl) AS ttl_ms, v_detail AS detail;
END
