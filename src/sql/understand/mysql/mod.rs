//! Tables, columns, indexes and options in the words of MySQL and MariaDB, read from the tokens.
//!
//! Sources: the manuals' pages on ALTER TABLE, CREATE TABLE and CREATE INDEX of MySQL 8.0 to 9 and MariaDB 10.6 to 11.

mod alter;
mod column;
mod create;
mod index;
mod options;
mod partitions;
mod session;

pub(super) use alter::{clause, clauses};
pub(super) use create::{create_index, create_table, drop_index};
pub(crate) use session::Session;
