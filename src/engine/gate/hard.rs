//! The hard fence: login and sessions taken from the roles of old releases, once their gate is clear and its wait over.
//!
//! A role's login is away for as long as the fence stands that took it. It is written down before it is taken, so that
//! whoever dies in between leaves a note, and the next run gives it back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::super::commit::{Commit, commit_or_roll_back};
use super::super::job::Job;
use super::super::{failure, fault, retry};
use super::passed::Passed;
use super::wait::{End, check};
use super::{evidence, tell};
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::fences::lock_gate;
use crate::database::state::run_lock::{RunToken, check_run};
use crate::database::state::taken_logins::{
    TakenLogin, delete_taken_login, insert_taken_login, taken_logins, without_fence,
};
use crate::error::Error;
use crate::plan::gate::hard_fence::roles_to_cut;

/// How long the server is given to end sessions: on MySQL and MariaDB one that writes rolls back first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked.
const POLL: Duration = Duration::from_millis(50);

/// Takes login and sessions from the roles that the evidence names, and looks once more whether the gate holds.
pub(super) async fn cut(job: &Job, conn: &mut Connection, passed: &Passed) -> Result<(), End> {
    let seen = evidence::gather(conn, &passed.question, &passed.then.slow).await;
    let facts = seen.map_err(End::Database)?;
    let roles = roles_to_cut(&passed.question, &facts);
    if roles.is_empty() {
        return Ok(());
    }
    let with_login: Vec<_> = roles
        .iter()
        .filter(|role| facts.roles.get(**role).is_some_and(|found| found.has_login))
        .copied()
        .collect();
    take(conn, passed, &roles, &with_login).await.map_err(End::Database)?;
    for role in &with_login {
        fault::point("login-before-taken");
        conn.set_login(role, false).await.map_err(End::Database)?;
        fault::point("login-after-taken");
    }
    end_sessions(job, conn, &roles).await?;
    check(conn, passed).await
}

/// Writes down which roles lose their login: those that have one, and those that an earlier fence took it from.
async fn take(
    conn: &mut Connection,
    passed: &Passed,
    roles: &BTreeSet<&str>,
    with_login: &[&str],
) -> Result<(), DbError> {
    conn.begin().await?;
    let written = async {
        check_run(conn, &passed.token).await?;
        lock_gate(conn).await?;
        let earlier = taken_logins(conn).await?;
        for role in roles {
            let is_taken = earlier.iter().any(|taken| taken.role == *role);
            if is_taken || with_login.contains(role) {
                insert_taken_login(conn, &own(passed, role)).await?;
            }
        }
        let names = with_login.join(", ");
        let message = format!("login and sessions are taken from {names}");
        tell(conn, &passed.fence.migration, "logins_taken", &message).await
    }
    .await;
    commit_or_roll_back(conn, Commit::TakenLogins, written).await
}

fn own(passed: &Passed, role: &str) -> TakenLogin {
    let fence = &passed.fence;
    TakenLogin { role: role.to_owned(), migration: fence.migration.clone(), kind: fence.kind }
}

/// Nobody can log in any more: ends the sessions that are there, and waits until they are gone.
async fn end_sessions(job: &Job, conn: &mut Connection, roles: &BTreeSet<&str>) -> Result<(), End> {
    let until = Instant::now() + PATIENCE;
    for role in roles {
        while conn.end_sessions_of(role).await.map_err(End::Database)? > 0 {
            if Instant::now() >= until {
                let message =
                    format!("sessions of role \"{role}\" did not end within {PATIENCE:?}");
                return Err(End::Database(DbError::new(DbErrorKind::Other, message)));
            }
            retry::wait(&job.interrupt, POLL).await.map_err(End::Stopped)?;
        }
    }
    Ok(())
}

/// Gives the login back to roles whose fence is gone: its gate gave up or died, or its contract was undone. Returns which.
///
/// Whoever calls it has the run lock.
pub(crate) async fn give_back(
    conn: &mut Connection,
    token: &RunToken,
) -> Result<Vec<String>, Error> {
    let given = try_give_back(conn, token).await;
    given.map_err(|error| failure::working("give roles their login back", error))
}

async fn try_give_back(conn: &mut Connection, token: &RunToken) -> Result<Vec<String>, DbError> {
    let over = without_fence(conn).await?;
    if over.is_empty() {
        return Ok(Vec::new());
    }
    let all = taken_logins(conn).await?;
    let is_free = |role: &str| all.iter().all(|one| one.role != role || over.contains(one));
    let free: BTreeSet<_> =
        over.iter().map(|taken| &taken.role).filter(|role| is_free(role)).collect();
    for role in &free {
        fault::point("login-before-given-back");
        conn.set_login(role, true).await?;
        fault::point("login-after-given-back");
    }
    conn.begin().await?;
    let written = async {
        check_run(conn, token).await?;
        for taken in &over {
            delete_taken_login(conn, taken).await?;
            let message = format!("role {} has its login back", taken.role);
            if free.contains(&taken.role) {
                tell(conn, &taken.migration, "logins_given_back", &message).await?;
            }
        }
        Ok(())
    }
    .await;
    commit_or_roll_back(conn, Commit::GivenBackLogins, written).await?;
    Ok(free.into_iter().cloned().collect())
}
