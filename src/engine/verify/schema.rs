//! The schema from which a verification starts: `--schema FILE`, a dump without rows.

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::error::{Error, ErrorKind};
use crate::model::server::Engine;
use crate::sql::change::Change;
use crate::sql::quote;
use crate::sql::split;
use crate::sql::understand;

/// A file that holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SchemaFile {
    /// Its path as the user would type it.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// `undefined_object`: in a dump that runs on an empty server, a role.
const UNDEFINED_OBJECT: &str = "42704";

/// Makes the schemas of the search path, which a new database lacks.
pub(super) async fn search_path(conn: &mut Connection, schemas: &[String]) -> Result<(), DbError> {
    if conn.engine() == Engine::Postgres {
        for schema in schemas {
            let schema = quote::ident(Engine::Postgres, schema);
            conn.run(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
        }
    }
    Ok(())
}

/// Makes the schema in which the functions of generated triggers live; a dump may have brought it.
pub(super) async fn own(conn: &mut Connection) -> Result<(), DbError> {
    if conn.engine() == Engine::Postgres {
        conn.run("CREATE SCHEMA IF NOT EXISTS zdm").await?;
    }
    Ok(())
}

/// Runs the file. What dumps say to the session alone (SET, SELECT, commands of psql) is passed over, as are owners and
/// rights of roles that the server does not have. Returns how many of the latter there were.
pub(super) async fn load(conn: &mut Connection, file: &SchemaFile) -> Result<usize, Error> {
    let engine = conn.engine();
    let mut passed_over = 0;
    for statement in split::statements(&file.text, engine) {
        let changes = understand(&statement.sql, statement.span, engine);
        let is_harmless = |change: &Change| matches!(change, Change::Harmless);
        let is_said_to_session =
            !changes.is_empty() && changes.iter().all(|located| is_harmless(&located.change));
        if statement.problem.is_some() || is_said_to_session && engine == Engine::Postgres {
            continue;
        }
        match conn.run(&statement.sql).await {
            Ok(_) => {}
            Err(error) if error.code.as_deref() == Some(UNDEFINED_OBJECT) => passed_over += 1,
            Err(error) => {
                let (path, line) = (&file.path, statement.span.line);
                let message =
                    format!("the schema does not run on the scratch server: {path}:{line}");
                return Err(Error::new(ErrorKind::Failed, message)
                    .hint("Take it with pg_dump --schema-only --no-owner --no-privileges, or mysqldump --no-data.")
                    .caused_by(error));
            }
        }
    }
    Ok(passed_over)
}
