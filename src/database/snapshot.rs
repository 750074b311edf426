//! The stored form of what a plan wants to know of a database: server, tables with their sizes, what has run.
//!
//! Format 1. A newer zdm may add fields: an older one ignores them, and what is not there has its default.
//!
//! No rows, and no texts that somebody may have put a secret in: those inside defaults and generated columns are
//! replaced by `'...'`, comments and rights of roles are left out. Conditions of CHECKs and of partial indexes stay: they
//! decide what a statement costs. Steps that have run are known by name and seal.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

use super::stored::StoredTable;
use crate::config::zdm_toml::parse_version;
use crate::model::journal::{MigrationRecord, Progress, StepRecord};
use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::{Engine, Server};
use crate::model::state::State;
use crate::model::step::Seal;
use crate::plan::history::History;
use crate::sql::catalog::{Catalog, Column, Size, Table};
use crate::sql::redact;

const FORMAT: u32 = 1;
const KIND: &str = "zdm snapshot";

/// What a plan wants to know of a database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Snapshot {
    /// The server.
    pub(crate) server: Server,
    /// When it was taken: milliseconds since 1970.
    pub(crate) taken_at: i64,
    /// The tables, with their sizes.
    pub(crate) catalog: Catalog,
    /// What has run; none: the state could not be read.
    pub(crate) history: Option<History>,
}

/// Why a file is not a snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// It is not JSON, or lacks what every version has.
    #[error("it cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
    /// It is something else.
    #[error("it is not a file that `zdm snapshot` wrote")]
    Other,
    /// It was written by a zdm whose format this one does not know.
    #[error("it has format {0}, which only a newer zdm reads")]
    Newer(u32),
    /// A word that this zdm does not know.
    #[error("{what} \"{word}\" is not known here")]
    Word {
        /// What the word should be.
        what: &'static str,
        /// The word.
        word: String,
    },
}

/// The text of a snapshot. Texts in it are hidden.
pub(crate) fn write(snapshot: &Snapshot) -> Result<String, SnapshotError> {
    let Snapshot { server, taken_at, catalog, history } = snapshot;
    let (major, minor) = server.version;
    let taken_at = DateTime::from_timestamp_millis(*taken_at).unwrap_or_default();
    let migrations = history.as_ref().map(|history| {
        history.records.iter().map(|record| migration(record, history, server.engine)).collect()
    });
    let stored = Stored {
        kind: KIND.to_owned(),
        format: FORMAT,
        zdm: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: taken_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        engine: server.engine.as_str().to_owned(),
        version: format!("{major}.{minor}"),
        tables: tables(catalog, server.engine),
        migrations,
    };
    let mut text = serde_json::to_string_pretty(&stored)?;
    text.push('\n');
    Ok(text)
}

/// The snapshot that a text holds.
pub(crate) fn read(text: &str) -> Result<Snapshot, SnapshotError> {
    let head: Head = serde_json::from_str(text)?;
    if head.kind.as_deref() != Some(KIND) {
        return Err(SnapshotError::Other);
    }
    if head.format != Some(FORMAT) {
        return Err(SnapshotError::Newer(head.format.unwrap_or_default()));
    }
    let stored: Stored = serde_json::from_str(text)?;
    let engine = known("engine", stored.engine, Engine::parse)?;
    let version = known("version", stored.version, parse_version)?;
    let taken_at = known("time", stored.taken_at, |word| DateTime::parse_from_rfc3339(word).ok())?;
    let history = stored.migrations.map(loaded_history).transpose()?;
    Ok(Snapshot {
        server: Server { engine, version },
        taken_at: taken_at.timestamp_millis(),
        catalog: loaded(stored.tables),
        history,
    })
}

fn known<T>(
    what: &'static str,
    word: String,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, SnapshotError> {
    parse(&word).ok_or(SnapshotError::Word { what, word })
}

#[derive(Deserialize)]
struct Head {
    kind: Option<String>,
    format: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    kind: String,
    format: u32,
    zdm: String,
    taken_at: String,
    engine: String,
    version: String,
    tables: Vec<Measured>,
    /// Null: the state could not be read.
    migrations: Option<Vec<StoredMigration>>,
}

#[derive(Serialize, Deserialize)]
struct Measured {
    table: StoredTable,
    #[serde(default)]
    size: StoredSize,
}

#[derive(Serialize, Deserialize, Default)]
struct StoredSize {
    #[serde(default)]
    bytes: Option<u64>,
    #[serde(default)]
    index_bytes: Option<u64>,
    #[serde(default)]
    indexes: std::collections::BTreeMap<String, u64>,
    #[serde(default)]
    writes_per_hour: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct StoredMigration {
    id: String,
    state: String,
    since: i64,
    /// The tables as they were before it, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<Vec<Measured>>,
    #[serde(default)]
    steps: Vec<StoredStep>,
}

#[derive(Serialize, Deserialize)]
struct StoredStep {
    phase: String,
    name: String,
    seal: String,
    done: bool,
}

fn tables(catalog: &Catalog, engine: Engine) -> Vec<Measured> {
    let measured = |(name, table): (&TableName, &Table)| {
        let table = without_texts(table.clone(), engine);
        let Size { bytes, index_bytes, indexes, writes_per_hour } = table.size.clone();
        let size = StoredSize { bytes, index_bytes, indexes, writes_per_hour };
        Measured { table: StoredTable::new(name, table), size }
    };
    catalog.tables.iter().map(measured).collect()
}

fn without_texts(mut table: Table, engine: Engine) -> Table {
    let hide = |expression: &mut Option<String>| {
        if let Some(text) = expression {
            *text = redact::texts(text, engine);
        }
    };
    for column in &mut table.columns {
        // Whoever adds a field decides whether it may hold a secret.
        let Column {
            name: _,
            data_type: _,
            collation: _,
            not_null: _,
            default,
            generated,
            counts: _,
            on_update,
            comment,
            grants,
            is_new: _,
        } = column;
        hide(default);
        hide(generated);
        hide(on_update);
        *comment = None;
        grants.clear();
    }
    table
}

fn loaded(tables: Vec<Measured>) -> Catalog {
    let named = tables.into_iter().map(|measured| {
        let (name, table) = measured.table.into_table();
        let StoredSize { bytes, index_bytes, indexes, writes_per_hour } = measured.size;
        (name, Table { size: Size { bytes, index_bytes, indexes, writes_per_hour }, ..table })
    });
    Catalog { tables: named.collect(), complete: true, ..Catalog::default() }
}

fn migration(record: &MigrationRecord, history: &History, engine: Engine) -> StoredMigration {
    let MigrationRecord { id, state, since, base: _, steps } = record;
    let base = history.bases.get(id).filter(|_| state.is_open());
    let step = |step: &StepRecord| {
        // The title shows the beginning of the statement.
        let StepRecord { phase, name, title: _, seal, progress } = step;
        StoredStep {
            phase: phase.to_string(),
            name: name.clone(),
            seal: seal.0.clone(),
            done: *progress == Progress::Done,
        }
    };
    StoredMigration {
        id: id.to_string(),
        state: state.to_string(),
        since: *since,
        base: base.map(|base| tables(base, engine)),
        steps: steps.iter().map(step).collect(),
    }
}

fn loaded_history(migrations: Vec<StoredMigration>) -> Result<History, SnapshotError> {
    let mut history = History::default();
    for stored in migrations {
        let id = known("migration", stored.id, |word| MigrationId::parse(word).ok())?;
        let mut steps = Vec::new();
        for StoredStep { phase, name, seal, done } in stored.steps {
            let phase = known("phase", phase, Phase::parse)?;
            let progress = if done { Progress::Done } else { Progress::Begun };
            let (title, seal) = (name.clone(), Seal(seal));
            steps.push(StepRecord { phase, name, title, seal, progress });
        }
        let state = known("state", stored.state, State::parse)?;
        if let Some(base) = stored.base {
            history.bases.insert(id.clone(), loaded(base));
        }
        history.records.push(MigrationRecord { id, state, since: stored.since, base: None, steps });
    }
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let column = Column {
            name: "token".to_owned(),
            data_type: "text".to_owned(),
            default: Some("'s3cret'::text".to_owned()),
            comment: Some("s3cret".to_owned()),
            grants: vec!["GRANT SELECT ({column}) ON t TO s3cret".to_owned()],
            ..Column::default()
        };
        let size = Size {
            bytes: Some(12),
            index_bytes: Some(3),
            indexes: [("i".to_owned(), 3)].into(),
            writes_per_hour: Some(7),
        };
        let table = Table { columns: vec![column], size, ..Table::default() };
        let catalog = Catalog {
            tables: [(TableName::in_schema("public", "t"), table)].into_iter().collect(),
            complete: true,
            ..Catalog::default()
        };
        let id = MigrationId::parse("0001_a").unwrap();
        let step = StepRecord {
            phase: Phase::Expand,
            name: "expand.sql-1".to_owned(),
            title: "INSERT INTO t VALUES ('s3cret')".to_owned(),
            seal: Seal("abc".to_owned()),
            progress: Progress::Done,
        };
        let record = MigrationRecord {
            id: id.clone(),
            state: State::Expanded,
            since: 5,
            base: None,
            steps: vec![step],
        };
        let history =
            History { records: vec![record], bases: [(id, catalog.clone())].into(), now: None };
        let server = Server { engine: Engine::Postgres, version: (15, 18) };
        Snapshot { server, taken_at: 1_700_000_000_000, catalog, history: Some(history) }
    }

    #[test]
    fn what_is_written_is_what_is_read_but_for_its_texts() {
        let text = write(&snapshot()).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        let mut expected = snapshot();
        let history = expected.history.as_mut().unwrap();
        history.records[0].steps[0].title = "expand.sql-1".to_owned();
        let base = history.bases.values_mut().next().unwrap();
        for catalog in [&mut expected.catalog, base] {
            let name = catalog.tables.keys().next().unwrap().clone();
            let column = &mut catalog.tables.get_mut(&name).unwrap().columns[0];
            column.default = Some("'...'::text".to_owned());
            column.comment = None;
            column.grants.clear();
        }
        assert_eq!(read(&text).unwrap(), expected);
    }

    #[test]
    fn a_state_that_could_not_be_read_is_told_from_an_empty_one() {
        let without = Snapshot { history: None, ..snapshot() };
        assert_eq!(read(&write(&without).unwrap()).unwrap().history, None);
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_the_reason() {
        let why = |text: &str| read(text).unwrap_err().to_string();
        assert!(why("{").contains("cannot be read"));
        assert!(why("{}").contains("not a file that `zdm snapshot` wrote"));
        assert!(why(r#"{"kind":"zdm snapshot","format":2}"#).contains("newer zdm"));
        let other = write(&snapshot()).unwrap().replace("\"postgres\"", "\"oracle\"");
        assert_eq!(why(&other), "engine \"oracle\" is not known here");
    }

    #[test]
    fn fields_that_are_not_known_are_ignored_and_missing_ones_have_their_defaults() {
        let text = r#"{"kind":"zdm snapshot","format":1,"zdm":"9","more":1,"taken_at":"2026-11-21T00:00:00Z",
            "engine":"mariadb","version":"10.11",
            "tables":[{"table":{"name":"t","columns":[],"key":[]},"new":1}]}"#;
        let read = read(text).unwrap();
        assert_eq!(read.catalog.tables[&TableName::bare("t")].size, Size::default());
        assert_eq!(read.history, None);
    }
}
