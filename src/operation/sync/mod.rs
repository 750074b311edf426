//! Sync triggers: one a table and event, made from every open migration of the table.
//!
//! INSERT: the new side wins if it is given (neither NULL nor its default), else the old. UPDATE: the side that
//! changed; both: the new. What counts is the image of a value, not what its type calls equal: a change of case in a
//! case-insensitive text, of spelling in a json, of scale in a numeric is a change.

mod mysql;
mod postgres;

use super::{Sync, SyncMode};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use crate::model::step::Statement;

/// How two values of a column are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Image {
    /// By their bytes: types that call different values equal, as the texts of MySQL and MariaDB do by their collations.
    Bytes,
    /// By what the type calls equal, which is quicker: on PostgreSQL a seventh of the time (measured on version 15).
    Value,
}

/// The statements after which the table's triggers keep exactly `syncs` alike. On PostgreSQL they belong into one
/// transaction.
pub(crate) fn triggers(server: Server, table: &TableName, syncs: &[Sync]) -> Vec<Statement> {
    let syncs = ordered(table, syncs);
    match server.engine {
        Engine::Postgres => postgres::triggers(server, table, &syncs),
        Engine::MySql | Engine::MariaDb => mysql::triggers(server.engine, table, &syncs),
    }
}

/// A condition that is true where two columns differ.
pub(crate) fn differs(engine: Engine, image: Image, one: &str, other: &str) -> String {
    match (engine, image) {
        (Engine::Postgres, Image::Bytes) => {
            format!("pg_catalog.record_image_ne(ROW({one}), ROW({other}))")
        }
        (Engine::Postgres, Image::Value) => format!("{one} IS DISTINCT FROM {other}"),
        (_, Image::Bytes) => {
            format!("NOT (CAST({one} AS BINARY) <=> CAST({other} AS BINARY))")
        }
        (_, Image::Value) => format!("NOT ({one} <=> {other})"),
    }
}

/// What a trigger does, as the server keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Body {
    /// The trigger's name.
    pub(crate) name: String,
    /// PostgreSQL: what stands in its function. MySQL, MariaDB: what stands behind FOR EACH ROW.
    pub(crate) text: String,
}

/// What the table's triggers do that keep exactly `syncs` alike.
pub(crate) fn bodies(server: Server, table: &TableName, syncs: &[Sync]) -> Vec<Body> {
    let (open, close) = match server.engine {
        Engine::Postgres => ("$zdm$", "$zdm$"),
        Engine::MySql | Engine::MariaDb => ("FOR EACH ROW\n", "\u{0}"),
    };
    let statements = triggers(server, table, syncs);
    let texts = statements.iter().filter_map(|statement| {
        let (_, behind) = statement.sql.split_once(open)?;
        Some(behind.split_once(close).map_or(behind, |(text, _)| text).to_owned())
    });
    let names = trigger_names(server.engine, table);
    names.into_iter().zip(texts).map(|(name, text)| Body { name, text }).collect()
}

/// The triggers' names on a table: INSERT's and UPDATE's.
pub(crate) fn trigger_names(engine: Engine, table: &TableName) -> [String; 2] {
    match engine {
        Engine::Postgres => postgres::EVENTS.map(|(_, word)| postgres::trigger_name(word)),
        Engine::MySql | Engine::MariaDb => {
            postgres::EVENTS.map(|(_, word)| mysql::trigger_name(engine, table, word))
        }
    }
}

/// The syncs of the table, those that write the new column first, so that what feeds a hidden column comes after.
fn ordered<'s>(table: &TableName, syncs: &'s [Sync]) -> Vec<&'s Sync> {
    let mut chosen: Vec<_> = syncs.iter().filter(|sync| sync.table == *table).collect();
    chosen.sort_by(|a, b| {
        let rank = |sync: &Sync| match sync.mode {
            SyncMode::Both => 0,
            SyncMode::Feed => 1,
        };
        (rank(a), &a.migration, &a.new).cmp(&(rank(b), &b.migration, &b.new))
    });
    chosen
}
