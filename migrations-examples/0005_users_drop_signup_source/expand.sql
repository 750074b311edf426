-- Builds that no longer know the column can insert.
ALTER TABLE users ALTER COLUMN signup_source SET DEFAULT 'unknown';
