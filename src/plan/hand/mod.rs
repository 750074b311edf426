//! What people wrote by hand: SQL files and backfills, as steps.

mod assert;
mod probe;

pub(crate) use assert::bare;

use super::migration::{HandBackfill, Migration, SqlFile};
use super::steps::PlanContext;
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::{Action, Backfill, Group, Origin, Statement, Step, Verify};
use crate::operation::{Refusal, kept};
use crate::sql::change::{Change, Located};
use crate::sql::rename::split_at_word;
use crate::sql::seal::seal;
use crate::sql::split::SourceStatement;

/// The steps that files and backfills give a phase.
pub(super) fn steps(
    migration: &Migration,
    phase: Phase,
    cx: &PlanContext<'_>,
) -> Result<Vec<Step>, Vec<Refusal>> {
    let refusals = refusals(migration, phase, cx.server.engine);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut steps = Vec::new();
    if phase == Phase::Migrate {
        for (index, backfill) in migration.backfills.iter().enumerate() {
            steps.extend(backfilled(index + 1, backfill, cx));
        }
    }
    if let Some(file) = migration.files.get(&phase) {
        let units = units(&file.read(cx.server.engine).statements, |(source, _)| source.group);
        let numbered = units.into_iter().enumerate();
        steps.extend(numbered.map(|(index, unit)| step(file, index + 1, unit, cx)));
    }
    Ok(steps)
}

/// Why the files of a phase cannot be run.
pub(super) fn refusals(migration: &Migration, phase: Phase, engine: Engine) -> Vec<Refusal> {
    let mut refusals = missing_way_back(migration, phase);
    if let Some(file) = migration.files.get(&phase) {
        let statements = file.read(engine).statements.iter();
        refusals.extend(statements.filter_map(|(source, _)| refusal(file, source, engine)));
    }
    refusals
}

/// What files did, only files can undo.
fn missing_way_back(migration: &Migration, phase: Phase) -> Vec<Refusal> {
    let has = |phase: Phase| migration.files.contains_key(&phase);
    let id = &migration.id;
    let refusal = match phase {
        Phase::Rollback if !has(Phase::Rollback) && (has(Phase::Expand) || has(Phase::Migrate)) => {
            Refusal {
                message: format!("migration {id} has no rollback.sql"),
                help: "write the statements that undo expand.sql into rollback.sql beside it"
                    .to_owned(),
            }
        }
        Phase::Reveal if has(Phase::Contract) => Refusal {
            message: format!("contract.sql of migration {id} cannot be undone by zdm"),
            help: "write a new migration that makes again what it took away".to_owned(),
        },
        Phase::Expand
        | Phase::Migrate
        | Phase::Contract
        | Phase::Purge
        | Phase::Rollback
        | Phase::Reveal => return Vec::new(),
    };
    vec![refusal]
}

fn backfilled(number: usize, backfill: &HandBackfill, cx: &PlanContext<'_>) -> Vec<Step> {
    let table = backfill.fill.table.or_in(cx.schema);
    let shown = table.shown(cx.schema);
    let written = [
        table.to_string(),
        backfill.fill.set.clone(),
        backfill.fill.pending.clone().unwrap_or_default(),
        backfill.verify.clone().unwrap_or_default(),
    ];
    let sealed = seal(&written.join("\n;\n"), cx.server.engine);
    let kept = cx
        .base
        .tables
        .get(&table)
        .map(|known| kept(cx.server.engine, known, &backfill.fill.set))
        .unwrap_or_default();
    let fill = Step {
        name: format!("backfill-{number}"),
        title: format!("fill rows of {shown}: {}", short(&backfill.fill.set)),
        tables: Vec::new(),
        seal: sealed.clone(),
        action: Action::Backfill(Backfill {
            table: table.clone(),
            set: format!("{}{kept}", backfill.fill.set),
            pending: backfill.fill.pending.clone(),
        }),
        origin: None,
    };
    let mut steps = vec![fill];
    // What still needs it must be nobody afterwards.
    if let Some(wrong) = backfill.verify.clone().or_else(|| backfill.fill.pending.clone()) {
        steps.push(Step {
            name: format!("backfill-{number}-verify"),
            title: format!("verify that no row of {shown} has {}", short(&wrong)),
            tables: Vec::new(),
            seal: sealed,
            action: Action::Verify(Verify { table, wrong }),
            origin: None,
        });
    }
    steps
}

/// What belongs into one step: a statement, or all of a `BEGIN; ... COMMIT;`.
pub(super) fn units<T>(statements: &[T], group: impl Fn(&T) -> Option<usize>) -> Vec<&[T]> {
    let same = |one: &T, next: &T| group(one).is_some() && group(one) == group(next);
    statements.chunk_by(same).collect()
}

fn refusal(file: &SqlFile, statement: &SourceStatement, engine: Engine) -> Option<Refusal> {
    let place = format!("{}:{}:{}", file.path, statement.span.line, statement.span.column);
    if let Some(problem) = &statement.problem {
        return Some(Refusal {
            message: format!("{place}: {problem}"),
            help: "zdm sends statements to the server one by one: write plain SQL".to_owned(),
        });
    }
    (statement.group.is_some() && is_alone(&statement.sql, engine)).then(|| Refusal {
        message: format!("{place}: this statement cannot run inside BEGIN and COMMIT"),
        help: "take it out of the transaction".to_owned(),
    })
}

fn step(
    file: &SqlFile,
    number: usize,
    unit: &[(SourceStatement, Vec<Located>)],
    cx: &PlanContext<'_>,
) -> Step {
    let engine = cx.server.engine;
    let mut text = String::new();
    let (mut sent, mut tables) = (Vec::new(), Vec::new());
    for (one, changes) in unit {
        text.push_str(&one.sql);
        text.push_str(";\n");
        tables.extend(locked(changes, cx.schema));
        let done = probe::done(&one.sql, changes, cx);
        sent.push(Statement { sql: assert::asserted(&one.sql, changes, cx.server, cx.base), done });
    }
    tables.sort();
    tables.dedup();
    let file_name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let first = unit.first().map(|(source, _)| source);
    let begin = first.map(|one| short(&one.sql)).unwrap_or_default();
    let title = match unit.len() {
        0 | 1 => begin,
        length => format!("{begin} (and {} more)", length - 1),
    };
    let alone = unit.len() == 1 && first.is_some_and(|one| is_alone(&one.sql, engine));
    Step {
        name: format!("{file_name}-{number}"),
        title,
        tables: if alone { Vec::new() } else { tables },
        seal: seal(&text, engine),
        action: action(sent, alone),
        origin: first.map(|one| Origin { file: file.path.clone(), line: one.span.line }),
    }
}

fn action(mut statements: Vec<Statement>, alone: bool) -> Action {
    match (alone, statements.pop()) {
        (true, Some(only)) => Action::Alone(only),
        (_, last) => {
            statements.extend(last);
            Action::Statements(Group { statements, lock_tables: Vec::new(), hides: false })
        }
    }
}

/// Whether PostgreSQL refuses the statement inside a transaction.
fn is_alone(sql: &str, engine: Engine) -> bool {
    if engine != Engine::Postgres {
        return false;
    }
    let mut words = sql.split_whitespace().map(str::to_ascii_uppercase);
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let concurrently = || split_at_word(engine, sql, "CONCURRENTLY").is_some();
    match (first.as_str(), second.as_str()) {
        ("VACUUM", _) | ("ALTER", "SYSTEM") => true,
        ("CREATE" | "DROP", "DATABASE" | "TABLESPACE" | "SUBSCRIPTION") => true,
        ("CREATE" | "DROP" | "REINDEX" | "ALTER", _) => concurrently(),
        _ => false,
    }
}

/// The tables on which changes need a strong lock.
fn locked(changes: &[Located], schema: Option<&str>) -> Vec<TableName> {
    let mut tables = Vec::new();
    for located in changes {
        tables.extend(strongly(&located.change).into_iter().map(|table| table.or_in(schema)));
    }
    tables
}

fn strongly(change: &Change) -> Vec<&TableName> {
    match change {
        Change::DropTable { table, .. }
        | Change::RenameTable { table, .. }
        | Change::AddColumn { table, .. }
        | Change::DropColumn { table, .. }
        | Change::RenameColumn { table, .. }
        | Change::ChangeType { table, .. }
        | Change::SetNotNull { table, .. }
        | Change::DropNotNull { table, .. }
        | Change::SetDefault { table, .. }
        | Change::DropConstraint { table, .. }
        | Change::RenameConstraint { table, .. }
        | Change::Truncate { table, .. }
        | Change::Rebuild { table, .. }
        | Change::TableSetting { table, .. }
        | Change::TableOption { table, .. }
        | Change::Partitions { table, .. } => vec![table],
        Change::CreateIndex { table, concurrently, .. } if !concurrently => vec![table],
        Change::DropIndex { table: Some(table), concurrently, .. } if !concurrently => vec![table],
        Change::RenameIndex { table: Some(table), .. } => vec![table],
        Change::AddConstraint { table, constraint } => {
            use crate::sql::change::ConstraintDefKind;
            let mut tables = vec![table];
            if let ConstraintDefKind::ForeignKey { to } = &constraint.kind {
                tables.push(to);
            }
            tables
        }
        Change::Act(act) => act.strongly(),
        Change::CreateTable { .. }
        | Change::CreateIndex { .. }
        | Change::DropIndex { .. }
        | Change::RenameIndex { .. }
        | Change::ValidateConstraint { .. }
        | Change::Update { .. }
        | Change::Delete { .. }
        | Change::Insert { .. }
        | Change::Demand { .. }
        | Change::Clauseless { .. }
        | Change::Harmless
        | Change::Other { .. }
        | Change::Opaque { .. } => Vec::new(),
    }
}

/// The beginning of a text in one line; of a CREATE TABLE up to its columns.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let makes_table =
        line.get(..13).is_some_and(|start| start.eq_ignore_ascii_case("CREATE TABLE "));
    if let Some((name, _)) = line.split_once('(').filter(|_| makes_table) {
        return name.trim_end().to_owned();
    }
    let mut cut: String = line.chars().take(72).collect();
    if cut.len() < line.len() {
        cut.push_str(" ...");
    }
    cut
}

#[cfg(test)]
mod tests;
