//! MySQL and MariaDB: statements that commit by themselves. The intent is written first; after a crash the catalog
//! decides which of them took effect.

use super::group::is_reversal;
use super::keeper::Keeper;
use super::watched::run_without_queueing;
use super::{After, Halt, Task, record, recover};
use crate::database::connection::{Connection, LockLimit};
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::run_lock::check_run;
use crate::engine::failure::{is_in_the_way, is_lost};
use crate::engine::fault;
use crate::engine::lock::Patience;
use crate::engine::overrides;
use crate::engine::run::Run;
use crate::engine::stop;
use crate::error::{Error, ErrorKind};
use crate::model::step::{Group, Probe, Statement};
use crate::sql::quote;

/// Which statements took effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// All before this one took effect, this one and those after did not.
    Next(usize),
    /// Nothing tells whether this one took effect.
    Unknown(usize),
}

/// How far the statements of a step are.
struct Course {
    /// The statement that runs next.
    next: usize,
    /// Whether that is known; if not, the catalog is asked.
    known: bool,
    /// Whether the intent is written.
    intended: bool,
    keeper: Keeper,
}

/// Runs the statements, each by itself.
pub(super) async fn run(run: &mut Run<'_>, task: &Task<'_>, group: &Group) -> Result<(), Error> {
    let fresh = task.earlier.is_none();
    let mut course = Course {
        next: 0,
        known: fresh,
        intended: !fresh,
        keeper: Keeper::new(task.gate.is_some()),
    };
    let mut patience = task.patience(run.job);
    loop {
        stop::check(&run.job.interrupt)?;
        let attempted = attempt(run, task, group, &mut patience, &mut course).await;
        let Err(halt) = attempted else { break };
        course.keeper.after_failure(task.gate, course.next > 0).await?;
        if course.next > 0 {
            patience.past_the_gate();
        }
        if let Halt::Database(error) = &halt {
            // What a lost connection was doing, the catalog says.
            course.known &= !is_lost(error.kind);
            let is_final = !is_in_the_way(error.kind) && error.kind != DbErrorKind::Cancelled;
            if course.next == 0 && course.known && course.intended && is_final {
                record::undone(run, task).await?;
            }
        }
        match recover(run, task, &mut patience, halt).await? {
            After::Again => {}
            After::Done => return Ok(()),
        }
    }
    record::done(run, task).await
}

async fn attempt(
    run: &mut Run<'_>,
    task: &Task<'_>,
    group: &Group,
    patience: &mut Patience<'_>,
    course: &mut Course,
) -> Result<(), Halt> {
    if !course.known {
        course.next = match fate(run.work.conn(), &group.statements).await? {
            Fate::Next(at) => at,
            Fate::Unknown(at) if overrides::has(run.job, overrides::REPEAT) => at,
            Fate::Unknown(at) => return Err(unknown(task, group.statements.get(at)).into()),
        };
        course.known = true;
    }
    if course.next > 0 {
        patience.past_the_gate();
        course.keeper.decided(run.job, task.gate, &run.token).await?;
    }
    patience.look(&mut run.work, run.job).await?;
    course.keeper.hold(run.job, task.gate).await?;
    if !course.intended {
        record::intent(run, task).await?;
        course.intended = true;
    }
    // The second connection ends a statement that queues; this limit is for when it cannot.
    run.work.limit(LockLimit::CLOSING).await?;
    check_run(run.work.conn(), &run.token).await?;
    if !group.lock_tables.is_empty() {
        let engine = run.work.conn().engine();
        let tables: Vec<_> = (group.lock_tables.iter())
            .map(|table| format!("{} WRITE", quote::table(engine, table)))
            .collect();
        let sql = format!("LOCK TABLES {}", tables.join(", "));
        run_without_queueing(&mut run.work, run.job, &sql).await?;
        fault::point("tables-locked");
    }
    let ran = rest(run, task, group, &mut course.next).await;
    if !group.lock_tables.is_empty() && !run.work.conn().is_closed() {
        run.work.conn().run("UNLOCK TABLES").await?;
        fault::point("tables-unlocked");
    }
    ran?;
    course.keeper.settle(task.gate).await?;
    Ok(())
}

/// Runs the statements from `next` on.
async fn rest(
    run: &mut Run<'_>,
    task: &Task<'_>,
    group: &Group,
    next: &mut usize,
) -> Result<(), DbError> {
    for statement in group.statements.iter().skip(*next) {
        let conn = run.work.conn();
        let gone = is_reversal(task.phase)
            && !matches!(statement.done, Probe::Repeatable | Probe::Undecidable)
            && conn.holds(&statement.done).await? == Some(true);
        if !gone {
            fault::point("statement-before");
            run_without_queueing(&mut run.work, run.job, &statement.sql).await?;
            fault::point("statement-after");
        }
        *next += 1;
    }
    Ok(())
}

/// Whether any statement of a step that had begun took effect, or nothing tells.
pub(crate) async fn has_effect(
    conn: &mut Connection,
    statements: &[Statement],
) -> Result<bool, DbError> {
    Ok(fate(conn, statements).await? != Fate::Next(0))
}

/// Which statements of a step that had begun took effect: they ran in order.
async fn fate(conn: &mut Connection, statements: &[Statement]) -> Result<Fate, DbError> {
    let mut answers = Vec::new();
    for statement in statements {
        answers.push(match statement.done {
            Probe::Repeatable => Answer::Repeatable,
            _ => match conn.holds(&statement.done).await? {
                Some(true) => Answer::Yes,
                Some(false) => Answer::No,
                None => Answer::Unknown,
            },
        });
    }
    Ok(judge(&answers))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Yes,
    No,
    Repeatable,
    Unknown,
}

/// The first statement after the last one that surely took effect is the one in question.
fn judge(answers: &[Answer]) -> Fate {
    let done = answers.iter().rposition(|answer| *answer == Answer::Yes).map_or(0, |at| at + 1);
    match answers.get(done) {
        Some(Answer::Unknown) => Fate::Unknown(done),
        // Statements that may be repeated can hide one after them that is not known.
        Some(Answer::Repeatable) => {
            match answers.iter().skip(done).position(|a| *a != Answer::Repeatable) {
                Some(more) if answers.get(done + more) == Some(&Answer::Unknown) => {
                    Fate::Unknown(done + more)
                }
                _ => Fate::Next(done),
            }
        }
        _ => Fate::Next(done),
    }
}

fn unknown(task: &Task<'_>, statement: Option<&Statement>) -> Error {
    let message = format!(
        "cannot tell whether a statement took effect before the last run ended: {}",
        task.step.title
    );
    let mut error = Error::new(ErrorKind::Failed, message);
    if let Some(origin) = &task.step.origin {
        error = error.detail(format!("in {}, line {}", origin.file, origin.line));
    }
    if let Some(statement) = statement {
        error = error.detail(statement.sql.clone());
    }
    error.hint(
        "Look whether it did, and undo it by hand if so. Then let it run by giving the same command again with --override repeat --reason \"...\".",
    )
}

#[cfg(test)]
mod tests {
    use super::Answer::{No, Repeatable, Unknown, Yes};
    use super::*;

    #[test]
    fn what_ran_is_what_comes_before_the_last_that_took_effect() {
        assert_eq!(judge(&[Yes, No, Yes, No]), Fate::Next(3));
        assert_eq!(judge(&[No, No]), Fate::Next(0));
        assert_eq!(judge(&[Yes, Yes]), Fate::Next(2));
        assert_eq!(judge(&[Unknown, Yes, No]), Fate::Next(2));
    }

    #[test]
    fn a_statement_that_nothing_tells_of_is_a_persons_to_judge() {
        assert_eq!(judge(&[Yes, Unknown, No]), Fate::Unknown(1));
        assert_eq!(judge(&[Repeatable, Unknown]), Fate::Unknown(1));
        assert_eq!(judge(&[Repeatable, No]), Fate::Next(0));
    }
}
