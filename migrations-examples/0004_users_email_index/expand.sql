-- CONCURRENTLY: nobody waits while it is built. zdm runs it outside a transaction, and builds it again if it fails.
CREATE INDEX CONCURRENTLY users_email_idx ON users (email);
