//! The journal: where each migration stands, and which of its steps have begun or are done.

use std::collections::BTreeMap;

use super::run_lock::RunToken;
use super::{migration_id, unexpected, unknown_word};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::{Row, Value};
use crate::model::journal::{MigrationRecord, Progress, StepRecord};
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::model::step::{Seal, Step};

/// Everything that has been recorded, in the order in which migrations first did something.
pub(crate) async fn journal(conn: &mut Connection) -> Result<Vec<MigrationRecord>, DbError> {
    let sql = conn.sql(
        "SELECT migration, phase, name, title, seal, progress, ordinal FROM {zdm}step ORDER BY ordinal",
    );
    let mut steps: BTreeMap<String, (i64, Vec<StepRecord>)> = BTreeMap::new();
    for row in conn.query(&sql, &[]).await? {
        let entry = steps.entry(row.text(0)?).or_insert((row.int(6)?, Vec::new()));
        entry.1.push(step_record(&row)?);
    }
    let sql = conn.sql("SELECT id, state, {ms:since}, base FROM {zdm}migration");
    let mut records = Vec::new();
    for row in conn.query(&sql, &[]).await? {
        let word = row.text(1)?;
        let (first, steps) = steps.remove(&row.text(0)?).unwrap_or((i64::MAX, Vec::new()));
        let record = MigrationRecord {
            id: migration_id(&row.text(0)?)?,
            state: State::parse(&word).ok_or_else(|| unknown_word("state", &word))?,
            since: row.int(2)?,
            base: row.opt_text(3)?,
            steps,
        };
        records.push((first, record));
    }
    records.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.id.cmp(&other.id)));
    Ok(records.into_iter().map(|(_, record)| record).collect())
}

/// Where one migration stands.
pub(crate) async fn state_of(conn: &mut Connection, id: &MigrationId) -> Result<State, DbError> {
    let sql = conn.sql("SELECT state FROM {zdm}migration WHERE id = ?");
    let rows = conn.query(&sql, &[id.as_str().into()]).await?;
    let Some(row) = rows.first() else { return Ok(State::Pending) };
    let word = row.text(0)?;
    State::parse(&word).ok_or_else(|| unknown_word("state", &word))
}

/// Moves a migration from one state to the next; the first time its record is made (`from` is then `Pending`).
///
/// An error when it is not in state `from`: another run has been there.
pub(crate) async fn set_state(
    conn: &mut Connection,
    id: &MigrationId,
    from: State,
    to: State,
) -> Result<(), DbError> {
    let sql = conn.sql("SELECT state FROM {zdm}migration WHERE id = ? FOR UPDATE");
    let rows = conn.query(&sql, &[id.as_str().into()]).await?;
    let found = rows.first().map(|row| row.text(0)).transpose()?;
    let sql = match found.as_deref() {
        None if from == State::Pending => {
            "INSERT INTO {zdm}migration (state, since, id) VALUES (?, {now}, ?)"
        }
        Some(found) if found == from.as_str() => {
            "UPDATE {zdm}migration SET state = ?, since = {now} WHERE id = ?"
        }
        _ => {
            let found = found.unwrap_or_else(|| State::Pending.to_string());
            return Err(unexpected(format!("migration {id} is {found}, not {from}")));
        }
    };
    let sql = conn.sql(sql);
    conn.execute(&sql, &[to.as_str().into(), id.as_str().into()]).await?;
    Ok(())
}

/// Keeps, or forgets, the tables that a migration touches as they were before expand. Its record must be there.
pub(crate) async fn save_base(
    conn: &mut Connection,
    id: &MigrationId,
    base: Option<&str>,
) -> Result<(), DbError> {
    let sql = conn.sql("UPDATE {zdm}migration SET base = ? WHERE id = ?");
    conn.execute(&sql, &[base.into(), id.as_str().into()]).await?;
    Ok(())
}

/// Writes down that a step begins (again). A step that is done is an error: its row is there.
pub(crate) async fn step_begun(
    conn: &mut Connection,
    id: &MigrationId,
    phase: Phase,
    step: &Step,
    token: &RunToken,
) -> Result<(), DbError> {
    let again = conn.sql(
        "UPDATE {zdm}step SET title = ?, seal = ?, run_token = ?, begun_at = {now} \
         WHERE migration = ? AND phase = ? AND name = ? AND progress = 'begun'",
    );
    let values: [Value; 6] = [
        step.title.as_str().into(),
        step.seal.0.as_str().into(),
        token.0.as_str().into(),
        id.as_str().into(),
        phase.as_str().into(),
        step.name.as_str().into(),
    ];
    if conn.execute(&again, &values).await? > 0 {
        return Ok(());
    }
    let insert = conn.sql(
        "INSERT INTO {zdm}step (title, seal, run_token, migration, phase, name, progress, begun_at) \
         VALUES (?, ?, ?, ?, ?, ?, 'begun', {now})",
    );
    conn.execute(&insert, &values).await?;
    Ok(())
}

/// Writes down that a step that had begun is done. Harmless when it is done already.
pub(crate) async fn step_done(
    conn: &mut Connection,
    id: &MigrationId,
    phase: Phase,
    name: &str,
) -> Result<(), DbError> {
    let sql = conn.sql(
        "UPDATE {zdm}step SET progress = 'done', done_at = {now} \
         WHERE migration = ? AND phase = ? AND name = ?",
    );
    let values = [id.as_str().into(), phase.as_str().into(), name.into()];
    match conn.execute(&sql, &values).await? {
        0 => Err(unexpected(format!("step {name} of migration {id} has not begun"))),
        _ => Ok(()),
    }
}

/// Takes the intent of a step back that turned out to have had no effect. A step that is done stays.
pub(crate) async fn step_undone(
    conn: &mut Connection,
    id: &MigrationId,
    phase: Phase,
    name: &str,
) -> Result<(), DbError> {
    let sql = conn.sql(
        "DELETE FROM {zdm}step WHERE migration = ? AND phase = ? AND name = ? AND progress = 'begun'",
    );
    let values = [id.as_str().into(), phase.as_str().into(), name.into()];
    conn.execute(&sql, &values).await?;
    Ok(())
}

/// Forgets one step, done or not, so that it runs again.
pub(crate) async fn forget_step(
    conn: &mut Connection,
    id: &MigrationId,
    phase: Phase,
    name: &str,
) -> Result<(), DbError> {
    let sql = conn.sql("DELETE FROM {zdm}step WHERE migration = ? AND phase = ? AND name = ?");
    let values = [id.as_str().into(), phase.as_str().into(), name.into()];
    conn.execute(&sql, &values).await?;
    Ok(())
}

/// Records another text of a step that ran: somebody looked at the difference and accepted it.
pub(crate) async fn accept_seal(
    conn: &mut Connection,
    id: &MigrationId,
    phase: Phase,
    name: &str,
    seal: &Seal,
) -> Result<(), DbError> {
    let sql =
        conn.sql("UPDATE {zdm}step SET seal = ? WHERE migration = ? AND phase = ? AND name = ?");
    let values = [seal.0.as_str().into(), id.as_str().into(), phase.as_str().into(), name.into()];
    conn.execute(&sql, &values).await?;
    Ok(())
}

/// Forgets the steps of some phases, so that they can run again: a rollback is done.
pub(crate) async fn forget_steps(
    conn: &mut Connection,
    id: &MigrationId,
    phases: &[Phase],
) -> Result<(), DbError> {
    let sql = conn.sql("DELETE FROM {zdm}step WHERE migration = ? AND phase = ?");
    for phase in phases {
        conn.execute(&sql, &[id.as_str().into(), phase.as_str().into()]).await?;
    }
    Ok(())
}

fn step_record(row: &Row) -> Result<StepRecord, DbError> {
    let (phase, progress) = (row.text(1)?, row.text(5)?);
    Ok(StepRecord {
        phase: Phase::parse(&phase).ok_or_else(|| unknown_word("phase", &phase))?,
        name: row.text(2)?,
        title: row.text(3)?,
        seal: Seal(row.text(4)?),
        progress: match progress.as_str() {
            "begun" => Progress::Begun,
            "done" => Progress::Done,
            _ => return Err(unknown_word("progress", &progress)),
        },
    })
}
