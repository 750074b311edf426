-- How applications touch the state: join, renew, leave. Nothing but EXECUTE on the _v1 functions is granted to them.
-- A function is one statement of the caller's transaction, so call each by itself, outside a transaction block.
-- What an instance holds is its lease's number times 2^20, and a random mark: a server that lost what was committed last
-- (a fail-over, a restored backup) hands numbers out again, and nobody must renew the lease of another build.
-- Lists are texts with commas: tolerates "0002_x,0003_y", needs "0002_x=migrated,0003_y=expanded".

CREATE FUNCTION zdm.lease_fence(service text, tolerates text, needs text)
RETURNS TABLE (migration text, kind text, status text, epoch bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- The fence that turns such an instance away: final ones first. One without services, or asked about a service that
  -- nobody declared, concerns everybody.
  SELECT f.migration, f.kind, f.status, f.epoch
  FROM zdm.fence AS f
  WHERE (f.services IS NULL
         OR $1 = ANY (string_to_array(f.services, ','))
         OR NOT EXISTS (SELECT FROM zdm.service AS s WHERE s.name = $1 AND s.declared))
    AND CASE f.kind
          WHEN 'tolerate' THEN f.migration <> ALL (string_to_array($2, ','))
          ELSE EXISTS (SELECT FROM unnest(string_to_array($3, ',')) AS n (item)
                       WHERE split_part(n.item, '=', 1) = f.migration)
        END
  ORDER BY f.status = 'final' DESC, f.migration, f.kind
  LIMIT 1
$$
-- next
REVOKE ALL ON FUNCTION zdm.lease_fence(text, text, text) FROM PUBLIC
-- next
CREATE FUNCTION zdm.dead_fences()
RETURNS TABLE (migration text, kind text, epoch bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.migration, f.kind, f.epoch
  FROM zdm.fence AS f
  WHERE f.status = 'provisional'
    AND NOT EXISTS (SELECT FROM zdm.run AS r WHERE r.token = f.run_token AND r.expires_at > clock_timestamp())
    AND (f.kind = 'withdraw'
         OR NOT EXISTS (SELECT FROM zdm.migration AS m
                        WHERE m.id = f.migration
                          AND m.state IN ('contracting', 'hidden', 'revealing', 'purging', 'purged')))
$$
-- next
REVOKE ALL ON FUNCTION zdm.dead_fences() FROM PUBLIC
-- next
CREATE FUNCTION zdm.lift_dead_fence(service text, instance text, version text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- A provisional fence whose run has lost its lock, or let it expire: the gate is dead, or will find another epoch and
  -- refuse. Not once its contract has begun, as something may be out of sight: that is for the next run to end.
  IF NOT EXISTS (SELECT FROM zdm.dead_fences()) THEN
    RETURN false;
  END IF;
  PERFORM FROM zdm.gate AS g WHERE g.id = 1 FOR UPDATE;
  WITH lifted AS (
    DELETE FROM zdm.fence AS f
    USING zdm.dead_fences() AS d
    WHERE f.migration = d.migration AND f.kind = d.kind AND f.epoch = d.epoch AND f.status = 'provisional'
    RETURNING f.migration, f.epoch
  )
  INSERT INTO zdm.event (at, actor, host, version, migration, kind, message)
  SELECT clock_timestamp(), $1, $2, $3, l.migration, 'gate_lifted',
         'fence of epoch ' || l.epoch || ' lifted by whoever it held up: its gate had died'
  FROM lifted AS l;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE zdm.gate AS g SET epoch = g.epoch + 1 WHERE g.id = 1;
  RETURN true;
END
$$
-- next
REVOKE ALL ON FUNCTION zdm.lift_dead_fence(text, text, text) FROM PUBLIC
-- next
CREATE FUNCTION zdm.join_v1(service text, version text, instance text, tolerates text, needs text, ending text)
RETURNS TABLE (outcome text, lease bigint, ttl_ms bigint, detail text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s' AS $$
DECLARE
  tolerated text := replace(coalesce(join_v1.tolerates, ''), ' ', '');
  needed    text := replace(coalesce(join_v1.needs, ''), ' ', '');
  fence     record;
BEGIN
  IF coalesce(join_v1.service, '') = '' OR join_v1.version IS NULL OR join_v1.instance IS NULL THEN
    RAISE EXCEPTION 'service, version and instance must be given' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF join_v1.ending IS NULL OR join_v1.ending NOT IN ('suspends', 'reports') THEN
    RAISE EXCEPTION 'ending must be "suspends" or "reports"' USING ERRCODE = 'invalid_parameter_value';
  END IF;

  -- Before the lock below, which a second joiner may have, too.
  PERFORM zdm.lift_dead_fence(join_v1.service, join_v1.instance, join_v1.version);

  -- No gate can raise a fence from here to the end of the transaction. In a transaction with an older snapshot this
  -- fails (40001) if a gate has acted since, as every gate changes the row.
  PERFORM FROM zdm.gate AS g WHERE g.id = 1 FOR SHARE;

  INSERT INTO zdm.service AS s (name, ttl_ms, evidence, declared)
  VALUES (join_v1.service, 60000, 'leases', false)
  ON CONFLICT (name) DO NOTHING;

  SELECT * INTO fence FROM zdm.lease_fence(join_v1.service, tolerated, needed);
  IF FOUND THEN
    IF fence.status = 'final' THEN
      outcome := 'fenced';
    ELSE
      outcome := 'fencing';
      UPDATE zdm.fence AS f
      SET knocked_by = join_v1.service || ' ' || join_v1.instance || ' (version ' || join_v1.version || ')'
      WHERE f.migration = fence.migration AND f.kind = fence.kind AND f.status = 'provisional';
    END IF;
    detail := fence.kind || '=' || fence.migration;
    RETURN NEXT;
    RETURN;
  END IF;

  SELECT string_agg(n.item, ',' ORDER BY n.place) INTO detail
  FROM unnest(string_to_array(needed, ',')) WITH ORDINALITY AS n (item, place)
  WHERE n.item <> ''
    AND (zdm.reached_v1(split_part(n.item, '=', 1)) IN ('migrated', split_part(n.item, '=', 2))) IS NOT TRUE;
  IF detail IS NOT NULL THEN
    outcome := 'missing';
    RETURN NEXT;
    RETURN;
  END IF;

  outcome := 'joined';
  SELECT s.ttl_ms INTO ttl_ms FROM zdm.service AS s WHERE s.name = join_v1.service;
  INSERT INTO zdm.lease AS l
    (mark, service, version, instance, tolerates, needs, ending, role, ttl_ms, beat, joined_at, seen_at)
  VALUES
    (floor(random() * 1048576)::integer, join_v1.service, join_v1.version, join_v1.instance, tolerated, needed, join_v1.ending,
     session_user, join_v1.ttl_ms, 0, clock_timestamp(), clock_timestamp())
  RETURNING l.id * 1048576 + l.mark INTO lease;
  RETURN NEXT;
END
$$
-- next
REVOKE ALL ON FUNCTION zdm.join_v1(text, text, text, text, text, text) FROM PUBLIC
-- next
CREATE FUNCTION zdm.renew_v1(lease bigint)
RETURNS TABLE (outcome text, ttl_ms bigint, detail text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s' AS $$
DECLARE
  held  record;
  fence record;
BEGIN
  -- READ COMMITTED needs no lock: the fences are read after the call was sent, and the caller counts its deadline from
  -- before. A transaction with an older snapshot could miss a fence; the lock makes it fail (40001) if one was raised.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM FROM zdm.gate AS g WHERE g.id = 1 FOR SHARE;
  END IF;

  -- A fence that was lifted between the two statements is not a reason to turn anybody away: look again.
  FOR attempt IN 1..3 LOOP
    -- The granted time never falls: the reply with a shorter one may be lost.
    UPDATE zdm.lease AS l
    SET beat = l.beat + 1,
        seen_at = clock_timestamp(),
        ttl_ms = greatest(l.ttl_ms, (SELECT s.ttl_ms FROM zdm.service AS s WHERE s.name = l.service))
    WHERE l.id = renew_v1.lease / 1048576
      AND l.mark = renew_v1.lease % 1048576
      AND l.left_at IS NULL
      -- A gate takes an expired lease of this kind for gone: only a join, which it can see, brings it back.
      AND (l.ending = 'reports' OR l.seen_at + l.ttl_ms * interval '1 millisecond' > clock_timestamp())
      AND NOT EXISTS (SELECT FROM zdm.lease_fence(l.service, l.tolerates, l.needs))
    RETURNING l.ttl_ms INTO ttl_ms;
    IF FOUND THEN
      outcome := 'renewed';
      RETURN NEXT;
      RETURN;
    END IF;

    SELECT l.* INTO held
    FROM zdm.lease AS l
    WHERE l.id = renew_v1.lease / 1048576
      AND l.mark = renew_v1.lease % 1048576
      AND l.left_at IS NULL
      AND (l.ending = 'reports' OR l.seen_at + l.ttl_ms * interval '1 millisecond' > clock_timestamp());
    IF NOT FOUND THEN
      outcome := 'gone';
      RETURN NEXT;
      RETURN;
    END IF;

    SELECT * INTO fence FROM zdm.lease_fence(held.service, held.tolerates, held.needs);
    CONTINUE WHEN NOT FOUND;
    CONTINUE WHEN fence.status = 'provisional' AND zdm.lift_dead_fence(held.service, held.instance, held.version);
    ttl_ms := held.ttl_ms;
    detail := fence.kind || '=' || fence.migration;
    IF fence.status = 'final' THEN
      outcome := 'fenced';
    ELSE
      outcome := 'fencing';
      UPDATE zdm.fence AS f
      SET knocked_by = held.service || ' ' || held.instance || ' (version ' || held.version || ')'
      WHERE f.migration = fence.migration AND f.kind = fence.kind AND f.status = 'provisional';
      UPDATE zdm.lease AS l SET knocked_epoch = fence.epoch WHERE l.id = held.id;
    END IF;
    RETURN NEXT;
    RETURN;
  END LOOP;
  RAISE EXCEPTION 'fences change too quickly' USING ERRCODE = 'serialization_failure';
END
$$
-- next
REVOKE ALL ON FUNCTION zdm.renew_v1(bigint) FROM PUBLIC
-- next
CREATE FUNCTION zdm.leave_v1(lease bigint)
RETURNS TABLE (outcome text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s' AS $$
BEGIN
  UPDATE zdm.lease AS l SET left_at = clock_timestamp()
  WHERE l.id = leave_v1.lease / 1048576 AND l.mark = leave_v1.lease % 1048576 AND l.left_at IS NULL;
  outcome := CASE WHEN FOUND THEN 'left' ELSE 'gone' END;
  RETURN NEXT;
END
$$
-- next
REVOKE ALL ON FUNCTION zdm.leave_v1(bigint) FROM PUBLIC
