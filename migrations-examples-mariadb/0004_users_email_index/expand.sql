-- MariaDB builds an index beside writers; zdm adds ALGORITHM and LOCK, so that it refuses rather than blocks.
CREATE INDEX users_email_idx ON users (email);
