-- How far a migration is, for whoever may start, or read the new structure, from there on: 'expanded', 'migrated' (also
-- once the old structure is out of sight) or NULL.

CREATE FUNCTION zdm.reached_v1(migration text)
RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
           WHEN m.state IN ('migrated', 'contracting', 'hidden', 'purging', 'purged', 'revealing') THEN 'migrated'
           WHEN m.state IN ('expanded', 'migrating') THEN 'expanded'
         END
  FROM zdm.migration AS m
  WHERE m.id = $1
$$
-- next
REVOKE ALL ON FUNCTION zdm.reached_v1(text) FROM PUBLIC
