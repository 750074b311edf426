//! `zdm gate ID -- COMMAND`: the gate around another tool's contract.
//!
//! Look, fence, wait; the command runs while the fence is provisional, and nobody old can join. When it ends well the fence
//! becomes final and the migration hidden; else the fence is lifted. Whoever dies in between leaves a provisional fence,
//! which the next start lifts once the run lock has expired; on Linux the command dies with zdm.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use super::advance::{self, Ground};
use super::select;
use crate::database::error::DbError;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::event::Event;
use crate::engine::failure::is_lost;
use crate::engine::gate::{self, Passed};
use crate::engine::job::Job;
use crate::engine::outcome::Outcome;
use crate::engine::run::Run;
use crate::engine::transition::Transition;
use crate::engine::{failure, fault, open, overrides, report_child};
use crate::error::{Error, ErrorKind};
use crate::model::state::State;
use crate::plan::gate::GateKind;
use crate::plan::migration::Migration;

/// So often a lost connection is made again for the fence's last transaction.
const TRIES: u32 = 5;

/// Runs the command behind the gate of one migration's contract; returns the exit code of the command.
pub(crate) async fn delegate(job: &Job, name: &str, command: &[OsString]) -> Result<u8, Error> {
    overrides::check(job)?;
    let migration = select::called(job, name)?;
    if !migration.contract.by_other {
        let message = format!("the contract of migration {} is zdm's own", migration.id);
        return Err(Error::usage(message).hint(format!(
            "Run zdm contract --only {}; or say by = \"other\" in [contract] of its migration.toml, if another tool \
             takes the old structure away. Nothing was changed.",
            migration.id
        )));
    }
    let until = Instant::now() + job.gate_wait;
    // A command that has run is not run again, whatever happens to the connection.
    let mut ended = None;
    loop {
        if !job.gate_wait.is_zero() {
            await_gate(job, migration, until).await?;
        }
        let attempt =
            open::with_run(job, async |run| behind(run, migration, command, &mut ended).await);
        match attempt.await {
            Err(error)
                if error.kind() == ErrorKind::Blocked
                    && ended.is_none()
                    && Instant::now() < until => {}
            outcome => return outcome,
        }
    }
}

async fn await_gate(job: &Job, migration: &Migration, until: Instant) -> Result<(), Error> {
    let (mut conn, installed) = open::to_read(job).await?;
    if installed {
        let gate_job = overrides::for_gate(job);
        gate::await_clear(&gate_job, &mut conn, migration, GateKind::Contract, until).await?;
    }
    conn.close().await;
    Ok(())
}

async fn behind(
    run: &mut Run<'_>,
    migration: &Migration,
    command: &[OsString],
    ended: &mut Option<u8>,
) -> Result<u8, Error> {
    if ended.is_some() {
        return Err(unsettled(migration));
    }
    let ground = Ground::read(run).await?;
    select::unless_drifted(&run.job.project, &ground.history, ground.server)?;
    let state = ground.history.state(&migration.id);
    if state != State::Migrated {
        return Err(wrong_state(migration, state));
    }
    let gate_job = overrides::for_gate(run.job);
    let (conn, token) = (run.work.conn(), &run.token);
    let passed = gate::pass(&gate_job, conn, migration, GateKind::Contract, token).await?;
    fault::point("gate-passed");
    // Nobody is there any more who could be stopped by the fence; who starts meanwhile waits for its end.
    let code = match report_child::to_end(command).await {
        Ok(code) => code,
        Err(error) => return Err(passed.give_up(run.job, run.work.conn(), error).await),
    };
    *ended = Some(code);
    if code != 0 {
        let why = Error::new(ErrorKind::Failed, format!("the command ended with exit code {code}"));
        let told = passed.give_up(run.job, run.work.conn(), why).await;
        let rest = told.detail.iter().chain(&told.not_done).cloned().collect::<Vec<_>>().join("; ");
        run.job.listener.hear(&Event::Note {
            message: format!("{told}: {} is not contracted, {rest}", migration.id),
        });
        return Ok(code);
    }
    settle(run, &passed, migration).await?;
    let mut outcome = Outcome::default();
    advance::pass_empty(run, migration, &mut outcome).await?;
    Ok(0)
}

/// The fence becomes final, and the migration hidden.
async fn settle(run: &mut Run<'_>, passed: &Passed, migration: &Migration) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (conn, actor) = (run.work.conn(), &run.actor);
        let written = async {
            conn.begin().await?;
            if !passed.settle(conn).await? {
                return Ok(false);
            }
            for (from, to) in
                [(State::Migrated, State::Contracting), (State::Contracting, State::Hidden)]
            {
                Transition::new(from, to).write(conn, &migration.id, actor).await?;
            }
            Ok::<bool, DbError>(true)
        }
        .await;
        match commit_or_roll_back(run.work.conn(), Commit::State, written).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(unsettled(migration)),
            Err(error) if is_lost(error.kind) && tries < TRIES => {
                run.work.reconnect(run.job).await.map_err(|_lost| unsettled(migration))?;
                // The commit whose answer was lost may have been one.
                let history = open::history(run.work.conn()).await?;
                if history.state(&migration.id) == State::Hidden {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(failure::working("make the fence final", error)),
        }
    }
}

/// The command has done its work, and the fence is not final.
fn unsettled(migration: &Migration) -> Error {
    let id = &migration.id;
    Error::new(ErrorKind::Failed, format!("could not make the fence for {id} final"))
        .detail("the command has ended well; old builds may have started since".to_owned())
        .hint(format!(
            "Give the same command again: it passes the gate, and runs the command once more. zdm status shows {id} as \
             migrated until then."
        ))
}

fn wrong_state(migration: &Migration, state: State) -> Error {
    let id = &migration.id;
    let message = format!("migration {id} is {state}, so that its contract cannot be run");
    Error::usage(message).hint(match state {
        State::Pending | State::Expanding => {
            "Run zdm expand and zdm migrate first. The command was not run; nothing was changed."
                .to_owned()
        }
        State::Expanded | State::Migrating => {
            "Run zdm migrate first. The command was not run; nothing was changed.".to_owned()
        }
        _ => "The command was not run; nothing was changed.".to_owned(),
    })
}
