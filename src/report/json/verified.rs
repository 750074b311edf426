//! What statements did on a scratch server, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::plan::{ServerWords, server};
use super::statement::{Effect, Lock};
use crate::model::server::Engine;
use crate::plan::verified::{self, Seen};

/// What `plan --verify` saw.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verification {
    /// The scratch server.
    server: ServerWords,
    /// Whether everything was as foretold.
    agrees: bool,
    /// In the order in which they ran.
    statements: Vec<VerifiedStatement>,
    /// What people should know.
    notes: Vec<String>,
}

/// A statement that ran.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifiedStatement {
    /// The migration.
    migration: String,
    /// The phase.
    phase: String,
    /// The step's name.
    step: String,
    /// The file that it stands in; null: zdm wrote it.
    file: Option<String>,
    /// 1-based line of its beginning.
    line: Option<usize>,
    /// Its text.
    sql: String,
    /// What the plan foretells.
    foretold: Effect,
    /// What it did; null: the server does not show it.
    seen: Option<SeenWords>,
    /// Where the two are not the same.
    differences: Vec<Difference>,
}

/// What a statement did.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenWords {
    /// The strongest lock on each table that was there before the migration.
    locks: Vec<Lock>,
    /// Tables that were written anew; null: that was not to be seen.
    rewrites: Option<Vec<String>>,
    /// The best algorithm that the server granted (MySQL, MariaDB).
    algorithm: Option<String>,
    /// Whether only the first lock was to be seen, as no transaction may hold the statement.
    partial: bool,
}

/// Where what was seen is not what was foretold.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    /// What it is about.
    what: String,
    /// As the plan has it.
    foretold: String,
    /// As it was.
    seen: String,
}

impl From<&verified::Verified> for Verification {
    fn from(verified: &verified::Verified) -> Self {
        Self {
            server: server(verified.server),
            agrees: verified.differences().next().is_none(),
            statements: verified.statements.iter().map(statement).collect(),
            notes: verified.notes.clone(),
        }
    }
}

fn statement(one: &verified::VerifiedStatement) -> VerifiedStatement {
    let difference = |found: &verified::Difference| Difference {
        what: found.what.clone(),
        foretold: found.foretold.clone(),
        seen: found.seen.clone(),
    };
    VerifiedStatement {
        migration: one.migration.to_string(),
        phase: one.phase.to_string(),
        step: one.step.clone(),
        file: one.place.as_ref().map(|(path, _)| path.clone()),
        line: one.place.as_ref().map(|(_, span)| span.line),
        sql: one.sql.clone(),
        foretold: (&one.foretold).into(),
        seen: seen(&one.seen),
        differences: one.differences.iter().map(difference).collect(),
    }
}

fn seen(seen: &Seen) -> Option<SeenWords> {
    match seen {
        Seen::Tables(footprint) => {
            let locks = footprint.locks.iter();
            let names = |tables: &Vec<crate::model::name::TableName>| {
                tables.iter().map(ToString::to_string).collect()
            };
            Some(SeenWords {
                locks: locks
                    .map(|(table, mode)| Lock::new(table.to_string(), mode.name(Engine::Postgres)))
                    .collect(),
                rewrites: footprint.rewrites.as_ref().map(names),
                algorithm: None,
                partial: footprint.partial,
            })
        }
        Seen::Granted { table, algorithm, lock, refused_as_sent: _ } => Some(SeenWords {
            locks: vec![Lock::new(table.to_string(), lock)],
            rewrites: None,
            algorithm: Some(algorithm.as_str().to_owned()),
            partial: false,
        }),
        Seen::Nothing => None,
    }
}
