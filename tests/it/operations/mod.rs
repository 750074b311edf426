//! Migrations as people write them, by the built `zdm`, on real servers, with statements of old and new builds between
//! the phases.

mod examples;
mod rename_column;

use std::path::Path;

use crate::cli::Project;
use crate::support::{Db, Engine};

/// The folder of examples for a family of servers.
fn examples(engine: Engine) -> std::path::PathBuf {
    let name = match engine {
        Engine::Postgres => "migrations-examples",
        Engine::MariaDb => "migrations-examples-mariadb",
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Lets a build of `api` come and go that tolerates some migrations.
fn report(project: &Project, tolerates: &[&str]) {
    let mut arguments = vec!["report", "--service", "api", "--version", "43"];
    arguments.extend(tolerates.iter().flat_map(|id| ["--tolerates", id]));
    arguments.extend(["--", "true"]);
    project.zdm(&arguments).ended(0);
}

/// The columns of a table, in the order of their names.
fn columns(db: &Db, table: &str) -> Vec<String> {
    let schema = match db.engine {
        Engine::Postgres => "current_schema()",
        Engine::MariaDb => "database()",
    };
    let sql = format!(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = {schema} AND table_name = '{table}' \
         ORDER BY column_name"
    );
    db.rows(&sql).into_iter().flatten().collect()
}
