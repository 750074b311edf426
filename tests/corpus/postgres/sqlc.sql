-- name: Rename :exec
UPDATE people SET name = @name::text WHERE id = sqlc.arg('id');
-- name: Purge :exec
WITH old AS (DELETE FROM visits WHERE seen < @before RETURNING person_id)
UPDATE people SET visits = visits - 1 WHERE id IN (SELECT person_id FROM old);
