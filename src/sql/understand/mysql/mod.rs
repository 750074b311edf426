//! Tables, columns, indexes and options in the words of MySQL and MariaDB, read from the tokens.
//!
//! Sources: the manuals' pages on ALTER TABLE, CREATE TABLE and CREATE INDEX of MySQL 8.0 to 9 and MariaDB 10.6 to 11.

mod alter;
mod column;
mod create;
mod grammar;
mod index;
mod options;
mod partitions;
mod session;

pub(super) use alter::{clause, clauses};
pub(super) use create::{create_index, create_table, drop_index};
pub(super) use grammar::marks;
pub(crate) use session::Session;

use super::reader::Reader;

/// What `SET STATEMENT max_statement_time = 1 FOR ...` runs (MariaDB).
pub(super) fn without_settings(reader: Reader<'_>) -> Reader<'_> {
    let mut settings = reader;
    if !(reader.engine.is_mysql_family() && settings.eat("SET STATEMENT")) {
        return reader;
    }
    let (_, mut run) = settings.split_at_word(&["FOR"]);
    if run.eat("FOR") { run } else { reader }
}
