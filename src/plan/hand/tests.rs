use super::*;
use crate::config::folder::{Entry, migrations};
use crate::model::server::Server;
use crate::model::step::Probe;
use crate::sql::catalog::{Catalog, Column, Index, Table};

fn planned(
    files: &[(&str, &str)],
    phase: Phase,
    engine: Engine,
) -> Result<Vec<Step>, Vec<Refusal>> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let entry = Entry::Folder { name: "0001_a".to_owned(), files: files.collect() };
    let mut read = migrations("m", vec![entry]).unwrap_or_default();
    let migration = read.remove(0);
    let updated = Column {
        name: "updated".to_owned(),
        on_update: Some("current_timestamp()".to_owned()),
        ..Column::default()
    };
    let index = Index {
        name: "i".to_owned(),
        columns: vec!["held".to_owned()],
        unique: false,
        definition: "(held)".to_owned(),
        kind: None,
        constraint: None,
    };
    let table = Table { columns: vec![updated], indexes: vec![index], ..Table::default() };
    let mut base = Catalog::default();
    base.tables.insert(TableName::bare("t"), table);
    let server = Server { engine, version: (15, 0) };
    let schema = (engine == Engine::Postgres).then_some("public");
    let cx = PlanContext { server, schema, base: &base, now: None, others: &[] };
    crate::plan::steps::steps(&migration, phase, &cx)
}

/// The steps of expand.sql: name, kind, statements.
fn check(text: &str, engine: Engine) -> Vec<String> {
    let steps = planned(&[("expand.sql", text)], Phase::Expand, engine).unwrap();
    let line = |step: &Step| {
        let (kind, statements) = match &step.action {
            Action::Statements(group) => ("group", group.statements.clone()),
            Action::Alone(statement) => ("alone", vec![statement.clone()]),
            Action::Backfill(_) | Action::Verify(_) => ("rows", Vec::new()),
        };
        let sql: Vec<_> = statements.into_iter().map(|statement| statement.sql).collect();
        format!("{} {kind} {}", step.name, sql.join("; "))
    };
    steps.iter().map(line).collect()
}

#[test]
fn a_transaction_of_the_file_is_one_step_and_what_cannot_be_in_one_stands_alone() {
    let text = "SELECT 1; BEGIN; SELECT 2; SELECT 3; COMMIT; create index concurrently i on t (a); VACUUM t";
    assert_eq!(
        check(text, Engine::Postgres),
        [
            "expand.sql-1 group SELECT 1",
            "expand.sql-2 group SELECT 2; SELECT 3",
            "expand.sql-3 alone create index concurrently i on t (a)",
            "expand.sql-4 alone VACUUM t",
        ]
    );
}

#[test]
fn an_alter_for_mariadb_gets_an_assertion_unless_its_author_wrote_one() {
    let text = "ALTER TABLE t ADD COLUMN a int; CREATE INDEX i ON t (a); ALTER TABLE t DROP COLUMN a, ALGORITHM=COPY; \
                RENAME TABLE t TO u; UPDATE t SET a = 1";
    assert_eq!(
        check(text, Engine::MariaDb),
        [
            "expand.sql-1 group ALTER TABLE t ADD COLUMN a int, ALGORITHM=INPLACE, LOCK=NONE",
            "expand.sql-2 group CREATE INDEX i ON t (a) ALGORITHM=INPLACE LOCK=NONE",
            "expand.sql-3 group ALTER TABLE t DROP COLUMN a, ALGORITHM=COPY",
            "expand.sql-4 group RENAME TABLE t TO u",
            "expand.sql-5 group UPDATE t SET a = 1",
        ]
    );
    let instant = check("ALTER TABLE t ADD COLUMN a int", Engine::MySql);
    assert_eq!(instant, ["expand.sql-1 group ALTER TABLE t ADD COLUMN a int, ALGORITHM=INSTANT"]);
    let dropped =
        check("ALTER TABLE t DROP COLUMN a; ALTER TABLE t DROP COLUMN held", Engine::MySql);
    assert!(dropped[0].ends_with(", ALGORITHM=INSTANT"), "{dropped:?}");
    assert!(dropped[1].ends_with(", ALGORITHM=INPLACE, LOCK=NONE"), "{dropped:?}");
}

#[test]
fn a_statement_says_how_the_catalog_shows_it() {
    let table = TableName::bare("t");
    for (sql, expected) in [
        ("CREATE TABLE t (a int)", Probe::Table { table: table.clone(), present: true }),
        ("CREATE TABLE IF NOT EXISTS t (a int)", Probe::Repeatable),
        (
            "ALTER TABLE t DROP COLUMN a, ADD COLUMN b int",
            Probe::Column { table: table.clone(), column: "a".to_owned(), present: false },
        ),
        ("DROP INDEX i ON t", Probe::Index { table, index: "i".to_owned(), present: false }),
        ("UPDATE t SET a = a + 1", Probe::Undecidable),
        ("CALL p()", Probe::Undecidable),
        ("SET @a = 1", Probe::Repeatable),
    ] {
        let steps = planned(&[("expand.sql", sql)], Phase::Expand, Engine::MariaDb).unwrap();
        let Action::Statements(group) = &steps[0].action else { panic!("{sql}") };
        assert_eq!(group.statements[0].done, expected, "{sql}");
    }
}

#[test]
fn a_backfill_is_verified_and_writes_back_what_would_change_by_itself() {
    let text = "[[backfill]]\ntable = 't'\nset = 'b = a'\nwhere = 'b IS NULL'\n";
    let steps = planned(&[("migration.toml", text)], Phase::Migrate, Engine::MariaDb).unwrap();
    let [Step { action: Action::Backfill(fill), .. }, Step { action: Action::Verify(verify), .. }] =
        steps.as_slice()
    else {
        panic!("{steps:?}")
    };
    assert_eq!(fill.set, "b = a, `updated` = `updated`");
    assert_eq!(verify.wrong, "b IS NULL");
}

#[test]
fn a_contract_by_hand_hides_by_its_first_step_and_cannot_be_undone() {
    let files = [("contract.sql", "ALTER TABLE t DROP COLUMN a; DROP TABLE u;")];
    let steps = planned(&files, Phase::Contract, Engine::Postgres).unwrap();
    let hides = |step: &Step| matches!(&step.action, Action::Statements(group) if group.hides);
    assert_eq!(steps.iter().map(hides).collect::<Vec<_>>(), [true, false]);
    let refusals = planned(&files, Phase::Reveal, Engine::Postgres).unwrap_err();
    assert_eq!(refusals[0].message, "contract.sql of migration 0001_a cannot be undone by zdm");
    let refusals =
        planned(&[("expand.sql", "SELECT 1")], Phase::Rollback, Engine::Postgres).unwrap_err();
    assert_eq!(refusals[0].message, "migration 0001_a has no rollback.sql");
}

#[test]
fn what_can_be_no_step_is_refused_with_its_place() {
    let text = "SELECT 1;\nBEGIN; CREATE INDEX CONCURRENTLY i ON t (a); COMMIT;\n";
    let refusals = planned(&[("expand.sql", text)], Phase::Expand, Engine::Postgres).unwrap_err();
    assert_eq!(
        refusals[0].message,
        "m/0001_a/expand.sql:2:8: this statement cannot run inside BEGIN and COMMIT"
    );
}
