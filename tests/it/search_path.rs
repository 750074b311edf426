//! Where tables without a schema live.

use std::fs;

use assert_cmd::Command;

use crate::support;

#[test]
fn a_role_called_zdm_does_not_put_tables_into_the_schema_of_the_state() {
    let Some(db) = support::postgres() else { return };
    // The server's own search_path begins with "$user".
    db.run("CREATE ROLE zdm LOGIN SUPERUSER PASSWORD 'secret'");
    let folder = tempfile::tempdir().unwrap();
    let migration = folder.path().join("0001_t");
    fs::create_dir(&migration).unwrap();
    fs::write(migration.join("expand.sql"), "CREATE TABLE t (id bigint PRIMARY KEY);\n").unwrap();
    let address = db.url.split_once('@').unwrap().1;
    Command::cargo_bin("zdm")
        .unwrap()
        .args(["expand", "--dir"])
        .arg(folder.path())
        .env("DATABASE_URL", format!("postgres://zdm:secret@{address}"))
        .assert()
        .success();
    let schema = "SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 't'";
    assert_eq!(db.value(schema), "public");
}
