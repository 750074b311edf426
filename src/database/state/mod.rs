//! What zdm remembers, in schema `zdm` (PostgreSQL) or in tables `zdm_*` (MySQL, MariaDB) of the database itself.
//!
//! One file a subject; each is a few functions on [`super::connection::Connection`]. SQL is written once for both
//! families through `Connection::sql`. Invariant: nothing here decides; reading never creates anything.

pub(crate) mod schema;
