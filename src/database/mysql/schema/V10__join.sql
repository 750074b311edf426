-- How applications touch the state: join, renew, leave. Nothing but EXECUTE on these procedures is granted to them.
-- A CALL is not atomic here, so each procedure has a transaction of its own: calling it commits what the caller has open.
-- What an instance holds is its lease's number times 2^20, and a random mark: a server that lost what was committed last
-- (a fail-over, a restored backup) hands numbers out again, and nobody must renew the lease of another build.
-- Lists are texts with commas: tolerates '0002_x,0003_y', needs '0002_x=migrated,0003_y=expanded'.
-- Nothing in a body may depend on the caller's isolation level, completion_type or autocommit.

CREATE PROCEDURE IF NOT EXISTS zdm_join_v1(
  IN p_service   VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_version   VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_instance  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_tolerates TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_needs     TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_ending    VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
  DECLARE v_tolerates TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT REPLACE(COALESCE(p_tolerates, ''), ' ', '');
  DECLARE v_needs     TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT REPLACE(COALESCE(p_needs, ''), ' ', '');
  DECLARE v_rest      TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_item      TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_missing   TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '';
  DECLARE v_migration VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_kind      VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_status    VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_outcome   VARCHAR(32)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_detail    TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE v_lease     BIGINT DEFAULT NULL;
  DECLARE v_mark      INT    DEFAULT FLOOR(RAND() * 1048576);
  DECLARE v_ttl       BIGINT DEFAULT NULL;
  DECLARE v_epoch     BIGINT DEFAULT NULL;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK AND NO CHAIN NO RELEASE; RESIGNAL; END;

  IF COALESCE(p_service, '') = '' OR p_version IS NULL OR p_instance IS NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'service, version and instance must be given';
  END IF;
  IF p_ending IS NULL OR p_ending NOT IN ('suspends', 'reports') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ending must be "suspends" or "reports"';
  END IF;

  COMMIT AND NO CHAIN NO RELEASE;
  CALL zdm_lift_dead_fence(p_service, p_instance, p_version);
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  -- No gate can raise a fence from here to the end of the transaction.
  SELECT g.epoch INTO v_epoch FROM zdm_gate AS g WHERE g.id = 1 LOCK IN SHARE MODE;

  -- Looked for first: an INSERT that finds the row would lock it against the joins beside this one.
  SELECT s.ttl_ms INTO v_ttl FROM zdm_service AS s WHERE s.name = p_service;
  IF v_ttl IS NULL THEN
    INSERT IGNORE INTO zdm_service (name, ttl_ms, evidence, declared) VALUES (p_service, 60000, 'leases', 0);
    SELECT s.ttl_ms INTO v_ttl FROM zdm_service AS s WHERE s.name = p_service;
  END IF;

  -- The fence that turns such an instance away: final ones first. One without services, or asked about a service that
  -- nobody declared, concerns everybody.
  SELECT f.migration, f.kind, f.status INTO v_migration, v_kind, v_status
  FROM zdm_fence AS f
  WHERE (f.services IS NULL
         OR FIND_IN_SET(p_service, f.services) > 0
         OR NOT EXISTS (SELECT 1 FROM zdm_service AS s WHERE s.name = p_service AND s.declared = 1))
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
    UPDATE zdm_fence AS f
    SET f.knocked_by = CONCAT(p_service, ' ', p_instance, ' (version ', p_version, ')')
    WHERE f.migration = v_migration AND f.kind = v_kind AND f.status = 'provisional';
  ELSE
    SET v_rest = v_needs;
    WHILE v_rest <> '' DO
      SET v_item = SUBSTRING_INDEX(v_rest, ',', 1);
      SET v_rest = SUBSTRING(v_rest, CHAR_LENGTH(v_item) + 2);
      IF v_item <> '' AND NOT EXISTS (
        SELECT 1 FROM zdm_migration AS m
        WHERE m.id = SUBSTRING_INDEX(v_item, '=', 1)
          AND (m.state IN ('migrated', 'contracting', 'hidden', 'purging', 'purged', 'revealing')
               OR (SUBSTRING_INDEX(v_item, '=', -1) = 'expanded' AND m.state IN ('expanded', 'migrating')))
      ) THEN
        SET v_missing = CONCAT(v_missing, IF(v_missing = '', '', ','), v_item);
      END IF;
    END WHILE;
    IF v_missing <> '' THEN
      SET v_outcome = 'missing', v_detail = v_missing;
    ELSE
      INSERT INTO zdm_lease
        (mark, service, version, instance, tolerates, needs, ending, role, ttl_ms, beat, joined_at, seen_at)
      VALUES
        (v_mark, p_service, p_version, p_instance, v_tolerates, v_needs, p_ending,
         LEFT(USER(), CHAR_LENGTH(USER()) - CHAR_LENGTH(SUBSTRING_INDEX(USER(), '@', -1)) - 1), v_ttl, 0, UTC_TIMESTAMP(6),
         UTC_TIMESTAMP(6));
      SET v_outcome = 'joined', v_lease = LAST_INSERT_ID() * 1048576 + v_mark;
    END IF;
  END IF;

  COMMIT AND NO CHAIN NO RELEASE;
  SELECT v_outcome AS outcome, v_lease AS lease, IF(v_lease IS NULL, NULL, v_ttl) AS ttl_ms, v_detail AS detail;
END
