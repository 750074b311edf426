//! The hard fence: login and sessions taken from the roles of old releases, once their gate is clear and its wait over.
//!
//! A role's login is away for as long as the fence stands that took it. Whoever takes it, or gives it back, holds the run's
//! and the gate's row meanwhile: no other run can begin, nobody can join, and a run that was stopped and goes on finds that
//! it has lost its lock before it changes anything. On PostgreSQL that is one transaction with the change; on MySQL and
//! MariaDB, where the change commits by itself, a transaction on a second connection, and the note of what is taken comes
//! first, so that whoever dies in between leaves it to the next run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::super::commit::{Commit, commit_or_roll_back};
use super::super::job::Job;
use super::super::{failure, fault, retry};
use super::passed::{Passed, Unconfirmed};
use super::wait::{End, check};
use super::{evidence, roll_back, tell};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::roles::set_login;
use crate::database::state::fences::lock_gate;
use crate::database::state::run_lock::{RunToken, check_run};
use crate::database::state::taken_logins::{
    TakenLogin, delete_taken_login, insert_taken_login, taken_logins, without_and_with_fence,
};
use crate::error::{Error, ErrorKind};
use crate::plan::gate::hard_fence::{Cut, roles_to_cut};

/// How long the server is given to end sessions: on MySQL and MariaDB one that writes rolls back first.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked. A login that was let in just before shows itself within this time.
const POLL: Duration = Duration::from_millis(200);

/// Roles, with the accounts (by host) that may log in.
type Roles = BTreeMap<String, Vec<String>>;

/// Takes login and sessions from the roles that the evidence names, and looks once more whether the gate holds: from here
/// on what should be gone is in the way.
pub(super) async fn cut(job: &Job, conn: &mut Connection, passed: &mut Passed) -> Result<(), End> {
    if !passed.question.asks_roles() || passed.question.cut == Cut::Overridden {
        return Ok(());
    }
    let roles = take(job, conn, passed).await?;
    if !roles.is_empty() {
        end_sessions(job, conn, roles.keys()).await?;
    }
    passed.question.cut = Cut::Made;
    check(conn, passed).await
}

/// Takes the login. Returns the roles.
async fn take(job: &Job, conn: &mut Connection, passed: &Passed) -> Result<Roles, End> {
    if conn.engine().is_mysql_family() {
        let mut keeper = Connection::open(&job.target).await.map_err(End::Database)?;
        let roles = hold(&mut keeper, passed).await?;
        if !roles.is_empty() {
            conn.begin().await.map_err(End::Database)?;
            let noted = note(conn, passed, &roles).await;
            let noted = commit_or_roll_back(conn, Commit::TakenLogins, noted).await;
            noted.map_err(End::Database)?;
            take_from(conn, &roles).await.map_err(End::Database)?;
        }
        keeper.rollback().await.map_err(End::Database)?;
        keeper.close().await;
        return Ok(roles);
    }
    let roles = hold(conn, passed).await?;
    let taken = async {
        if !roles.is_empty() {
            note(conn, passed, &roles).await?;
            take_from(conn, &roles).await?;
        }
        Ok(())
    }
    .await;
    let taken = commit_or_roll_back(conn, Commit::TakenLogins, taken).await;
    taken.map_err(End::Database)?;
    Ok(roles)
}

/// In a transaction that stays open: confirms the gate, keeps everybody from joining, and says which roles are to be cut.
async fn hold(conn: &mut Connection, passed: &Passed) -> Result<Roles, End> {
    conn.begin().await.map_err(End::Database)?;
    let confirmed = match passed.confirm(conn).await {
        Ok(()) => {
            evidence::gather(conn, &passed.question, &passed.then.slow).await.map_err(End::Database)
        }
        Err(Unconfirmed::Database(error)) => Err(End::Database(error)),
        Err(Unconfirmed::Refused(error)) => Err(End::Stopped(*error)),
    };
    let facts = match confirmed {
        Ok(facts) => facts,
        Err(end) => return Err(roll_back(conn, end).await),
    };
    let open = |role: &String| facts.roles.get(role).map(|found| found.open.clone());
    let cut = roles_to_cut(&passed.question, &facts).into_iter();
    Ok(cut.map(|role| (role.clone(), open(&role).unwrap_or_default())).collect())
}

/// Writes down which accounts lose their login: those that have one, and those that an earlier fence took it from.
async fn note(conn: &mut Connection, passed: &Passed, roles: &Roles) -> Result<(), DbError> {
    check_run(conn, &passed.token).await?;
    let (migration, kind) = (&passed.fence.migration, passed.fence.kind);
    let earlier = taken_logins(conn).await?;
    for (role, open) in roles {
        let taken = earlier.iter().filter(|taken| taken.role == *role).map(|taken| &taken.host);
        for host in open.iter().chain(taken).collect::<BTreeSet<_>>() {
            let (role, host, migration) = (role.clone(), host.clone(), migration.clone());
            insert_taken_login(conn, &TakenLogin { role, host, migration, kind }).await?;
        }
    }
    let names = roles.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    tell(conn, migration, "logins_taken", &format!("login and sessions taken from {names}")).await
}

async fn take_from(conn: &mut Connection, roles: &Roles) -> Result<(), DbError> {
    for (role, open) in roles {
        for host in open {
            fault::point("login-before-taken");
            conn.set_login((role, host), false).await?;
            fault::point("login-after-taken");
        }
    }
    Ok(())
}

/// Nobody can log in any more: ends the sessions that are there, until two looks in a row find none.
async fn end_sessions(
    job: &Job,
    conn: &mut Connection,
    roles: impl Iterator<Item = &String> + Clone,
) -> Result<(), End> {
    let until = Instant::now() + PATIENCE;
    let mut quiet = 0;
    while quiet < 2 {
        let mut left = None;
        for role in roles.clone() {
            if conn.end_sessions_of(role).await.map_err(End::Database)? > 0 {
                left = Some(role);
            }
        }
        quiet = if left.is_none() { quiet + 1 } else { 0 };
        if let Some(role) = left.filter(|_| Instant::now() >= until) {
            let message =
                format!("could not end the sessions of role \"{role}\" within {PATIENCE:?}");
            let hint = "The server ends them as soon as it has rolled back what they did. Run the same command again.";
            return Err(End::Stopped(Error::new(ErrorKind::Busy, message).hint(hint)));
        }
        retry::wait(&job.interrupt, POLL).await.map_err(End::Stopped)?;
    }
    Ok(())
}

/// Gives the login back to roles whose fence is gone: its gate gave up or died, or its contract was undone. Returns which.
/// A role that cannot have it back keeps no other from it.
///
/// Whoever calls it has the run lock.
pub(crate) async fn give_back(
    job: &Job,
    conn: &mut Connection,
    token: &RunToken,
) -> Result<Vec<String>, Error> {
    let failed = |error| failure::working("give roles their login back", error);
    let (over, _) = without_and_with_fence(conn).await.map_err(failed)?;
    let roles: BTreeSet<_> = over.iter().map(|taken| &taken.role).collect();
    let (mut given, mut refused) = (Vec::new(), None);
    for role in roles {
        match give_back_to(job, conn, token, role).await {
            Ok(true) => given.push(role.clone()),
            Ok(false) => {}
            Err(error) => {
                let hosts = over.iter().filter(|taken| taken.role == *role);
                let statements: Vec<_> = hosts
                    .map(|taken| set_login(conn.engine(), (role, &taken.host), true))
                    .collect();
                let why = format!("role \"{role}\" cannot log in: {}", statements.join("; "));
                refused.get_or_insert_with(|| failed(error)).detail.push(why);
            }
        }
    }
    refused.map_or(Ok(given), Err)
}

/// Whether it was given back: not while another fence wants it gone.
async fn give_back_to(
    job: &Job,
    conn: &mut Connection,
    token: &RunToken,
    role: &str,
) -> Result<bool, DbError> {
    if conn.engine().is_mysql_family() {
        let mut keeper = Connection::open(&job.target).await?;
        keeper.begin().await?;
        let (over, is_free) = owed(&mut keeper, token, role).await?;
        if is_free {
            give_to(conn, &over).await?;
        }
        conn.begin().await?;
        let forgotten = forget(conn, token, &over, is_free).await;
        commit_or_roll_back(conn, Commit::GivenBackLogins, forgotten).await?;
        keeper.rollback().await?;
        keeper.close().await;
        return Ok(is_free);
    }
    conn.begin().await?;
    let given = async {
        let (over, is_free) = owed(conn, token, role).await?;
        if is_free {
            give_to(conn, &over).await?;
        }
        forget(conn, token, &over, is_free).await?;
        Ok(is_free)
    }
    .await;
    commit_or_roll_back(conn, Commit::GivenBackLogins, given).await
}

/// With the run's and the gate's row held: what a role has lost to fences that are gone, and whether no other one stands.
async fn owed(
    conn: &mut Connection,
    token: &RunToken,
    role: &str,
) -> Result<(Vec<TakenLogin>, bool), DbError> {
    check_run(conn, token).await?;
    lock_gate(conn).await?;
    let (mut over, kept) = without_and_with_fence(conn).await?;
    over.retain(|taken| taken.role == role);
    let is_free = !over.is_empty() && kept.iter().all(|taken| taken.role != role);
    Ok((over, is_free))
}

async fn give_to(conn: &mut Connection, over: &[TakenLogin]) -> Result<(), DbError> {
    for host in over.iter().map(|taken| &taken.host).collect::<BTreeSet<_>>() {
        let Some(TakenLogin { role, .. }) = over.first() else { continue };
        fault::point("login-before-given-back");
        conn.set_login((role, host), true).await?;
        fault::point("login-after-given-back");
    }
    Ok(())
}

async fn forget(
    conn: &mut Connection,
    token: &RunToken,
    over: &[TakenLogin],
    is_free: bool,
) -> Result<(), DbError> {
    check_run(conn, token).await?;
    for taken in over {
        delete_taken_login(conn, taken).await?;
    }
    match over.first() {
        Some(TakenLogin { role, migration, .. }) if is_free => {
            let message = format!("role {role} has its login back");
            tell(conn, migration, "logins_given_back", &message).await
        }
        _ => Ok(()),
    }
}
