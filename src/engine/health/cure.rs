//! What `zdm doctor --apply` does on tables, with the run lock held: under the same lock discipline as any step.

use crate::database::connection::LockLimit;
use crate::database::error::DbErrorKind;
use crate::database::state::events::{NewEvent, append_event};
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure::{self, Halt, is_in_the_way};
use crate::engine::lock::Patience;
use crate::engine::run::Run;
use crate::engine::steps::run_without_queueing;
use crate::engine::stop;
use crate::error::Error;
use crate::model::name::TableName;
use crate::plan::health::finding::Remedy;
use crate::plan::health::indexes::dropping;

/// Applies one remedy, and says what was done.
pub(crate) async fn apply(run: &mut Run<'_>, remedy: &Remedy) -> Result<String, Error> {
    let (table, statements, doing, words) = match remedy {
        Remedy::Triggers { table, statements } => {
            let what = format!("the triggers of table \"{table}\" as they must be");
            (table, statements.clone(), format!("make {what}"), format!("made {what}"))
        }
        Remedy::Index { table, index } => {
            let statement = dropping(table, index, run.work.conn().server());
            let what = format!("index \"{index}\" of table \"{table}\"");
            (table, vec![statement], format!("drop {what}"), format!("dropped {what}"))
        }
        Remedy::Adopt | Remedy::State { .. } => {
            return Err(Error::usage("this remedy needs no run"));
        }
    };
    let tables: Vec<TableName> = vec![table.clone()];
    let job = run.job;
    let mut patience = Patience::new(&doing, &tables, job);
    loop {
        stop::check(&job.interrupt)?;
        match attempt(run, &mut patience, remedy, &statements, &words).await {
            Ok(()) => return Ok(words),
            Err(Halt::Database(error)) if is_in_the_way(error.kind) => {
                let paused = patience.pause(&mut run.work, job).await;
                paused.map_err(|halt| halt.into_error(&doing))?;
            }
            Err(Halt::Database(error)) if error.kind == DbErrorKind::Cancelled => {
                stop::check(&job.interrupt)?;
                return Err(failure::working(&doing, error));
            }
            Err(halt) => return Err(halt.into_error(&doing)),
        }
    }
}

async fn attempt(
    run: &mut Run<'_>,
    patience: &mut Patience<'_>,
    remedy: &Remedy,
    statements: &[String],
    words: &str,
) -> Result<(), Halt> {
    patience.look(&mut run.work, run.job).await?;
    let event = NewEvent { migration: None, kind: "repaired", message: words, detail: None };
    let (token, actor) = (run.token.clone(), run.actor.clone());
    let alone = matches!(remedy, Remedy::Index { .. });
    if run.work.conn().engine().is_mysql_family() {
        check_run(run.work.conn(), &token).await?;
        run.work.limit(LockLimit::CLOSING).await?;
        for sql in statements {
            run_without_queueing(&mut run.work, run.job, sql).await?;
        }
        return Ok(append_event(run.work.conn(), &actor, &event).await?);
    }
    // DROP INDEX CONCURRENTLY waits for old transactions by its nature, and holds up nobody.
    run.work.limit(if alone { LockLimit(run.job.lock_wait) } else { LockLimit::SHORT }).await?;
    let conn = run.work.conn();
    if alone {
        check_run(conn, &token).await?;
        for sql in statements {
            conn.run(sql).await?;
        }
        return Ok(append_event(conn, &actor, &event).await?);
    }
    conn.begin().await?;
    let written = async {
        check_run(conn, &token).await?;
        for sql in statements {
            conn.run(sql).await?;
        }
        Ok::<(), Halt>(append_event(conn, &actor, &event).await?)
    }
    .await;
    commit_or_roll_back(conn, Commit::Repair, written).await
}
