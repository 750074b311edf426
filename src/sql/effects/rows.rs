//! The rows of `lints/effects`: what each form of a change costs, on which servers.
//!
//! A row holds for a change when its `change` is the change's kind and all of its `when` are facts of it (`!fact`: must
//! not be one). The first row in the file's order wins, so the special stands before the general. What a row says is
//! executed on real servers by the tests (`truth_tests`), which also fill in `confirmed_on`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::mode::Mode;
use crate::model::server::{Engine, Server};
use crate::sql::effect::Algorithm;

/// A form of a change, and what it costs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Unique among all rows of the family.
    pub(crate) id: String,
    /// The form as SQL, for people: `ADD COLUMN ... DEFAULT volatile()`.
    pub(crate) form: String,
    /// The kind of change: `add_column`.
    pub(crate) change: String,
    /// Facts that must hold, or, with `!` before them, must not.
    #[serde(default)]
    pub(crate) when: Vec<String>,
    /// The first one whose `on` names the server counts.
    pub(crate) answers: Vec<Answer>,
    /// Statements of this form, each run on a fresh copy of the family's base schema (`base.sql`).
    pub(crate) examples: Vec<String>,
    /// Statements that are run before each example, in its schema.
    #[serde(default)]
    pub(crate) setup: String,
    /// The servers on which the examples were executed and did what the answers say: `postgres:15`.
    #[serde(default)]
    pub(crate) confirmed_on: Vec<String>,
    /// Where an answer comes from that no execution has confirmed: a section of a manual.
    #[serde(default)]
    pub(crate) source: Option<String>,
}

/// What a form costs on some servers. Tables are named by the part that they play for the change (`table`, `partner`).
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// `postgres`, `mariadb:11.2..` (from 11.2 on), `mariadb:..11.1` (up to it), `mysql:8.0..8.4`.
    pub(crate) on: Vec<String>,
    /// PostgreSQL: the mode as `pg_locks` names it. MySQL, MariaDB: the best LOCK that is granted.
    #[serde(default)]
    pub(crate) locks: BTreeMap<String, String>,
    /// The tables that are written anew.
    #[serde(default)]
    pub(crate) rewrites: Vec<String>,
    /// The tables that are read from end to end; what is written anew from its old rows is read, too.
    #[serde(default)]
    pub(crate) scans: Vec<String>,
    /// MySQL, MariaDB: the best ALGORITHM that is granted, or FAILS.
    #[serde(default)]
    pub(crate) algorithm: Option<String>,
    /// MySQL, MariaDB: how the clause goes together with others in one ALTER TABLE (`effects/mysql/together.rs`).
    #[serde(default)]
    pub(crate) together: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    row: Vec<Row>,
}

/// A file of rows: its path in the repository, and its text.
type Text = (&'static str, &'static str);

/// Includes a file of rows.
macro_rules! file {
    ($path:literal) => {
        (concat!("lints/effects/", $path), include_str!(concat!("../../../lints/effects/", $path)))
    };
}

/// PostgreSQL's files, in the order in which their rows are looked at.
const POSTGRES: &[Text] = &[
    file!("postgres/columns.toml"),
    file!("postgres/indexes.toml"),
    file!("postgres/tables.toml"),
    file!("postgres/partitions.toml"),
    file!("postgres/views.toml"),
    file!("postgres/hanging.toml"),
    file!("postgres/beside.toml"),
    file!("postgres/upkeep.toml"),
    file!("postgres/rows.toml"),
    file!("postgres/types.toml"),
    file!("postgres/constraints.toml"),
    file!("postgres/settings.toml"),
    file!("postgres/domains.toml"),
];

/// The files of MySQL and MariaDB.
const MYSQL: &[Text] = &[
    file!("mysql/columns.toml"),
    file!("mysql/types.toml"),
    file!("mysql/indexes.toml"),
    file!("mysql/tables.toml"),
    file!("mysql/partitions.toml"),
    file!("mysql/statements.toml"),
    file!("mysql/together.toml"),
];

static POSTGRES_ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| parse(POSTGRES));
static MYSQL_ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| parse(MYSQL));

/// The rows of a kind of change, in their order.
type Kinds = BTreeMap<&'static str, Vec<&'static Row>>;

static POSTGRES_KINDS: LazyLock<Kinds> = LazyLock::new(|| by_kind(all(Engine::Postgres)));
static MYSQL_KINDS: LazyLock<Kinds> = LazyLock::new(|| by_kind(all(Engine::MySql)));

fn by_kind(rows: &'static [Row]) -> Kinds {
    let mut kinds = Kinds::new();
    for row in rows {
        kinds.entry(&row.change).or_default().push(row);
    }
    kinds
}

/// All rows of a family. A file that cannot be read has none, which a test refuses.
pub(crate) fn all(engine: Engine) -> &'static [Row] {
    if engine.is_mysql_family() { &MYSQL_ROWS } else { &POSTGRES_ROWS }
}

fn parse(files: &[Text]) -> Vec<Row> {
    let rows =
        |file: &Text| toml::from_str::<File>(&text(file)).map(|file| file.row).unwrap_or_default();
    files.iter().flat_map(rows).collect()
}

#[cfg(not(test))]
fn text((_, text): &Text) -> String {
    (*text).to_owned()
}

/// Tests read the file as it is now: a row can be tried without compiling it in.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may read files")]
fn text((path, _): &Text) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The row for a change with these facts, and what it says of a server.
pub(super) fn find(
    change: &str,
    is_fact: impl Fn(&str) -> bool,
    server: Server,
) -> Option<(&'static Row, &'static Answer)> {
    let holds = |condition: &String| match condition.strip_prefix('!') {
        Some(fact) => !is_fact(fact),
        None => is_fact(condition),
    };
    let kinds = if server.engine.is_mysql_family() { &MYSQL_KINDS } else { &POSTGRES_KINDS };
    let rows = kinds.get(change).into_iter().flatten().copied();
    let mut rows = rows.filter(|row| row.when.iter().all(holds));
    rows.find_map(|row| Some((row, row.answer(server)?)))
}

impl Row {
    /// What it costs on a server.
    pub(crate) fn answer(&self, server: Server) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.on.iter().any(|on| names(on, server)))
    }
}

/// Whether `mariadb:11.2..` and the like name a server.
fn names(on: &str, server: Server) -> bool {
    let (engine, versions) = on.split_once(':').unwrap_or((on, ".."));
    let (from, to) = versions.split_once("..").unwrap_or((versions, versions));
    let (from, to) = (version(from), version(to));
    let major_only = |(major, minor): (u16, Option<u16>)| (major, minor.unwrap_or(u16::MAX));
    engine == server.engine.as_str()
        && from.is_none_or(|(major, minor)| (major, minor.unwrap_or(0)) <= server.version)
        && to.is_none_or(|to| server.version <= major_only(to))
}

fn version(text: &str) -> Option<(u16, Option<u16>)> {
    let (major, minor) = text.split_once('.').unwrap_or((text, ""));
    Some((major.parse().ok()?, minor.parse().ok()))
}

impl Answer {
    /// The lock on the tables that play a part, the one that it is about first.
    pub(super) fn locks(&self) -> impl Iterator<Item = (&str, Mode)> {
        let about = self.locks.iter().filter(|(part, _)| *part == "table");
        let others = self.locks.iter().filter(|(part, _)| *part != "table");
        about.chain(others).filter_map(|(part, mode)| Some((part.as_str(), Mode::parse(mode)?)))
    }

    /// The best algorithm.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm.as_deref().and_then(Algorithm::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_family_and_range() {
        let mariadb = |version| Server { engine: Engine::MariaDb, version };
        assert!(names("mariadb", mariadb((10, 6))));
        assert!(!names("mysql", mariadb((10, 6))));
        assert!(names("mariadb:11.2..", mariadb((11, 8))));
        assert!(!names("mariadb:11.2..", mariadb((11, 1))));
        assert!(names("mariadb:..11.1", mariadb((10, 11))));
        assert!(names("mariadb:10.6..11.1", mariadb((11, 1))));
        let postgres = |version| Server { engine: Engine::Postgres, version };
        assert!(names("postgres:18..", postgres((18, 0))));
        assert!(names("postgres:..17", postgres((17, 10))));
        assert!(names("postgres:17", postgres((17, 10))));
        assert!(!names("postgres:..17", postgres((18, 0))));
    }

    #[test]
    fn every_file_can_be_read() {
        for file in POSTGRES.iter().chain(MYSQL) {
            if let Err(error) = toml::from_str::<File>(&text(file)) {
                panic!("{}: {error}", file.0);
            }
        }
    }
}
