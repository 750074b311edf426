-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := now(); -- a semicolon; inside
    RETURN NEW;
END;
$$
-- +goose StatementEnd
ALTER TABLE parcels
    ADD COLUMN weight numeric(8, 2) NOT NULL DEFAULT 0;
CREATE INDEX CONCURRENTLY parcels_weight ON parcels (weight);

-- +goose Down
DROP INDEX parcels_weight;
ALTER TABLE parcels DROP COLUMN weight;
