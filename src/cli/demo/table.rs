//! The table: filled before the story begins, and compared row by row with what must be in it.

use super::client::Client;
use super::tally::{Tally, Written};
use crate::model::server::Engine;

/// The database that the demo works in.
pub(super) const DATABASE: &str = "shop";
/// The application's database user.
pub(super) const USER: &str = "api";

/// Makes the application's user.
pub(super) async fn add_user(
    admin: &mut Client,
    engine: Engine,
    password: &str,
) -> Result<(), String> {
    admin
        .run(&match engine {
            Engine::Postgres => format!("CREATE ROLE {USER} LOGIN PASSWORD '{password}'"),
            Engine::MariaDb | Engine::MySql => {
                format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{password}'")
            }
        })
        .await
}

/// Fills the table, and gives the application its rights on it.
pub(super) async fn fill(admin: &mut Client, engine: Engine, rows: u64) -> Result<(), String> {
    let statements = match engine {
        Engine::Postgres => [
            format!(
                "INSERT INTO users (id, email, name) SELECT i, 'person' || i || '@example.com', 'person ' || i || ' v0' \
                 FROM generate_series(1, {rows}) AS i"
            ),
            format!("SELECT setval(pg_get_serial_sequence('users', 'id'), {rows})"),
            "ANALYZE users".to_owned(),
            format!("GRANT SELECT, INSERT, UPDATE ON users TO {USER}"),
        ],
        Engine::MariaDb | Engine::MySql => [
            format!(
                "INSERT INTO users (id, email, name) SELECT seq, CONCAT('person', seq, '@example.com'), \
                 CONCAT('person ', seq, ' v0') FROM seq_1_to_{rows}"
            ),
            format!("ALTER TABLE users AUTO_INCREMENT = {}", rows + 1),
            "ANALYZE TABLE users".to_owned(),
            format!("GRANT SELECT, INSERT, UPDATE ON {DATABASE}.users TO '{USER}'@'%'"),
        ],
    };
    for statement in &statements {
        admin.run(statement).await.map_err(|error| format!("{error}, in: {statement}"))?;
    }
    Ok(())
}

/// Which rows are certain, and by which column they are read.
pub(super) enum Check<'a> {
    /// Both columns, while a build still writes: they must be alike in every row, and hold what the other build wrote.
    Both(&'a Written),
    /// The new column, when nobody writes any more: every row is known.
    New(&'a Written),
}

/// Compares every row. The second half is the first few wrong rows, in words.
pub(super) async fn check(
    admin: &mut Client,
    rows: u64,
    check: Check<'_>,
) -> Result<(Tally, Vec<String>), String> {
    let (sql, written) = match check {
        Check::Both(written) => ("SELECT id, display_name, name FROM users", written),
        Check::New(written) => ("SELECT id, display_name, display_name FROM users", written),
    };
    let found = admin.rows(sql).await?;
    let is_final = matches!(check, Check::New(_));
    let mut tally = Tally::default();
    let mut problems = Vec::new();
    let mut seen = 0_u64;
    for (id, new, old) in found {
        seen +=
            u64::from(written.contains_key(&id) || u64::try_from(id).is_ok_and(|id| id <= rows));
        let expected = match written.get(&id) {
            Some(value) => Some(value.clone()),
            None => is_final.then(|| format!("person {id} v0")),
        };
        tally.checked += 1;
        let right = new == old
            && new.is_some()
            && expected.as_ref().is_none_or(|value| new.as_ref() == Some(value));
        if !right {
            tally.wrong += 1;
            problems.push(format!("row {id}: {new:?} and {old:?}, must be {expected:?}"));
        }
    }
    // A row that is not there was not read at all.
    let added = written.keys().filter(|id| u64::try_from(**id).is_ok_and(|id| id > rows)).count();
    let missing = (rows + u64::try_from(added).unwrap_or(0)).saturating_sub(seen);
    if missing > 0 {
        tally.wrong += missing;
        problems.push(format!("{missing} rows are gone"));
    }
    problems.truncate(5);
    Ok((tally, problems))
}
