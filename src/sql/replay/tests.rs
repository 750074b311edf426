use super::*;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::Table;
use crate::sql::{split, understand};

fn replay(engine: Engine, text: &str) -> Catalog {
    let mut catalog = Catalog::default();
    go_on(&mut catalog, engine, text);
    catalog
}

fn go_on(catalog: &mut Catalog, engine: Engine, text: &str) {
    let names = Names::new(engine, &[]);
    for statement in split::statements(text, engine) {
        let changes = understand(&statement.sql, statement.span, engine);
        let changes = names.resolve(changes, catalog);
        catalog.apply(&changes, engine);
    }
}

#[test]
fn what_was_done_since_a_mark_is_taken_back_as_if_it_had_been_done_on_a_copy() {
    let before = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);\n\
                  CREATE TABLE c (id int); CREATE VIEW v AS SELECT id FROM c;\n\
                  CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE STATISTICS s ON id FROM c;";
    let undone = [
        "DROP TABLE a CASCADE",
        "DROP TABLE c CASCADE; DROP TABLE b",
        "ALTER TABLE a RENAME TO d; CREATE TABLE a (x int REFERENCES b); ALTER TABLE c ADD COLUMN y int",
        "CREATE TABLE e (id int REFERENCES a); ALTER TABLE e RENAME TO g; DROP FUNCTION f(); DROP VIEW v",
        "DROP SCHEMA public CASCADE; CREATE TABLE a (id int)",
    ];
    let behind = "ALTER TABLE c ADD COLUMN z int; DROP TABLE a CASCADE; CREATE TABLE g (c int)";
    for engine in [Engine::Postgres, Engine::MySql] {
        for text in undone {
            let mut catalog = replay(engine, before);
            catalog.settle();
            let mut copy = catalog.clone();
            let mark = catalog.mark();
            go_on(&mut catalog, engine, text);
            catalog.back_to(mark);
            assert_eq!(catalog, copy, "{engine:?}: {text}");
            for name in ["a", "b", "c"].map(|name| TableName::in_schema("public", name)) {
                assert_eq!(catalog.referrers(&name), copy.referrers(&name), "{text}");
                assert_eq!(catalog.readers(&name), copy.readers(&name), "{text}");
            }
            for catalog in [&mut catalog, &mut copy] {
                go_on(catalog, engine, behind);
                catalog.settle();
            }
            assert_eq!(catalog, copy, "{engine:?}: {text}");
        }
    }
}

/// Tables as `name(column type ..., ...) key=.. indexes=.. constraints=..`.
fn check(engine: Engine, text: &str, expected: &[&str]) {
    let mut catalog = replay(engine, text);
    catalog.settle();
    let found: Vec<_> = catalog
        .tables
        .iter()
        .map(|(name, table)| {
            let columns: Vec<_> = table
                .columns
                .iter()
                .map(|column| {
                    let not_null = if column.not_null { " not null" } else { "" };
                    format!("{} {}{not_null}", column.name, column.data_type)
                })
                .collect();
            let indexes: Vec<_> = table
                .indexes
                .iter()
                .map(|index| format!("{}{}", index.name, index.definition))
                .collect();
            let constraints: Vec<_> = table
                .constraints
                .iter()
                .map(|known| {
                    format!(
                        "{} {}{}",
                        known.name,
                        known.definition,
                        if known.valid { "" } else { " not valid" }
                    )
                })
                .collect();
            format!("{name}({}) {:?} {indexes:?} {constraints:?}", columns.join(", "), table.key)
                .replace('"', "")
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn what_statements_make_is_there_afterwards() {
    check(
        Engine::Postgres,
        "CREATE TABLE users (id bigserial PRIMARY KEY, name varchar(50) NOT NULL, email text UNIQUE); \
         ALTER TABLE users ADD age int DEFAULT 1, ALTER name TYPE text, ADD CONSTRAINT c CHECK (age > 0) NOT VALID; \
         CREATE INDEX i ON users (name, age); ALTER TABLE users RENAME name TO title; ALTER INDEX i RENAME TO j; \
         ALTER TABLE users VALIDATE CONSTRAINT c, ALTER age SET NOT NULL",
        &[
            "public.users(id bigint not null, title text not null, email text, age integer not null) [id] \
             [users_email_key(email), j(name, age)] [users_email_key UNIQUE (email), c CHECK (age > 0)]",
        ],
    );
    check(
        Engine::Postgres,
        "CREATE TABLE a (x int, y int); CREATE INDEX i ON a (x); CREATE INDEX k ON a (y); ALTER TABLE a DROP x; \
         DROP INDEX k; ALTER TABLE a RENAME TO b; CREATE TEMP TABLE t (z int); CREATE TABLE IF NOT EXISTS b (w int, UNIQUE (w)); \
         CREATE TABLE c (); DROP TABLE c",
        &["public.b(y integer) [] [] []"],
    );
    check(
        Engine::MariaDb,
        "CREATE TABLE T (Id int AUTO_INCREMENT PRIMARY KEY, a varchar(10) NOT NULL, KEY k (a, id)); \
         ALTER TABLE T CHANGE A b varchar(20), ADD UNIQUE u (b), DROP COLUMN ID; ALTER TABLE T DROP KEY U",
        &["T(b varchar(20)) [] [k(a, id)] []"],
    );
}

#[test]
fn a_name_without_schema_is_found_along_the_search_path() {
    let names = Names::new(Engine::Postgres, &["app".into(), "lib".into()]);
    let mut catalog = Catalog::default();
    catalog.tables.insert(TableName::in_schema("lib", "t"), Table::default());
    assert_eq!(names.table(&TableName::bare("t"), &catalog).to_string(), "lib.t");
    assert_eq!(names.table(&TableName::bare("u"), &catalog).to_string(), "app.u");
    assert_eq!(names.show(&TableName::in_schema("app", "u")), "u");
    assert_eq!(names.show(&TableName::in_schema("lib", "u")), "lib.u");
}

#[test]
fn a_table_is_new_until_the_catalog_settles() {
    let mut catalog = replay(Engine::MySql, "CREATE TABLE t (a int)");
    assert!(catalog.tables[&TableName::bare("t")].is_new);
    catalog.settle();
    assert!(!catalog.tables[&TableName::bare("t")].is_new);
}

#[test]
fn a_block_makes_only_what_is_not_there() {
    check(
        Engine::Postgres,
        "CREATE TABLE t (a int NOT NULL);\n\
         DO $$ BEGIN IF x() THEN CREATE TABLE t (b int, CHECK (b > 0)); CREATE TABLE u (c int); \
         ALTER TABLE u ADD d int; END IF; END $$;",
        &["public.t(a integer not null) [] [] []", "public.u(c integer, d integer) [] [] []"],
    );
    let known = "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN \
                 ALTER TABLE t ADD b int; PERFORM g(); END $$;";
    check(
        Engine::Postgres,
        &format!("{known} SELECT f()"),
        &["public.t(a integer, b integer) [] [] []"],
    );
}
