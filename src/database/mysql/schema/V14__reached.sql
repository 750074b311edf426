-- How far a migration is, for whoever may start, or read the new structure, from there on: 'expanded', 'migrated' (also
-- once the old structure is out of sight) or NULL. Looks at what is committed, whatever the caller's transaction sees.

CREATE PROCEDURE IF NOT EXISTS zdm_reached_v1(IN p_migration VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
  DECLARE v_state VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK AND NO CHAIN NO RELEASE; RESIGNAL; END;

  COMMIT AND NO CHAIN NO RELEASE;
  SET v_state = (SELECT m.state FROM zdm_migration AS m WHERE m.id = p_migration);
  COMMIT AND NO CHAIN NO RELEASE;
  SELECT CASE
           WHEN v_state IN ('migrated', 'contracting', 'hidden', 'purging', 'purged', 'revealing') THEN 'migrated'
           WHEN v_state IN ('expanded', 'migrating') THEN 'expanded'
         END AS reached;
END
