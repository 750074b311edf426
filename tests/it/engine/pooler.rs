//! Whole runs where the address is a transaction pooler's.

use super::{filled, users};
use crate::cli::Project;
use crate::support;

#[test]
fn a_run_behind_a_transaction_pooler_asks_for_the_servers_own_address() {
    let Some(db) = support::postgres() else { return };
    users(&db, 3000);
    let owner = db.user_name("owner");
    let direct = db.user("owner");
    db.run(&format!("GRANT CREATE ON DATABASE {} TO {owner}", db.name));
    db.run(&format!("GRANT CREATE ON SCHEMA public TO {owner}"));
    db.run(&format!("ALTER TABLE users OWNER TO {owner}"));
    let Some(pooler) = support::pooler(&db, &owner) else { return };
    let project = Project::new();
    filled(&project, "concat(name, '@example.org')");
    let database = |more: &str| {
        let toml = format!("[database]\nurl = \"{}\"\n{more}[services.api]\n", pooler.url(&owner));
        project.file("zdm.toml", &toml);
    };
    database("");
    project.zdm(&["plan"]).ended(0);
    let said = project.zdm(&["expand"]).ended(2);
    said.says("transaction pooler").says("direct_url").says("Nothing was changed");
    assert_eq!(db.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'zdm'"), "0");

    database(&format!("direct_url = \"{direct}\"\n"));
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate"]).ended(0);
    assert_eq!(db.value("SELECT count(*) FROM users WHERE domain IS NULL"), "0");
    project.zdm(&["status"]).ended(0);
}
