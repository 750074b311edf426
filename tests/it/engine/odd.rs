//! Backfills of tables that are not plain: filled right, or refused before anything is changed.

use super::{fill, state};
use crate::cli::Project;
use crate::support::{self, Db, Engine};

/// A migration that fills `domain` of a table with its upper-case `name`.
fn backfill(project: &Project, number: u32, table: &str) {
    project.file(
        &format!("migrations/{number:04}_{table}/migration.toml"),
        &format!("[[backfill]]\ntable = \"{table}\"\nset = \"domain = upper(name)\"\nwhere = \"domain IS NULL\"\n"),
    );
}

/// How many rows are not filled right.
fn wrong(db: &Db, table: &str) -> String {
    let differs = match db.engine {
        Engine::Postgres => "domain IS DISTINCT FROM upper(name)",
        Engine::MariaDb => "NOT BINARY domain <=> BINARY upper(name)",
    };
    db.value(&format!("SELECT count(*) FROM {table} WHERE {differs}"))
}

#[test]
fn partitions_generated_columns_foreign_keys_triggers_and_collations_are_filled_right() {
    support::each(|db| {
        let is_postgres = db.engine == Engine::Postgres;
        let columns = "name varchar(40) NOT NULL, domain varchar(40)";
        let project = Project::on(db);
        let mut tables = Vec::new();
        let mut make = |table: &'static str, sql: &str, into: &str, values: &str| {
            db.run(sql);
            fill(db, &format!("{table} ({into})"), values, 1200);
            tables.push(table);
            backfill(&project, u32::try_from(tables.len()).unwrap(), table);
        };
        let partitions = if is_postgres {
            db.run(&format!(
                "CREATE TABLE parted (id bigint, {columns}, PRIMARY KEY (id)) PARTITION BY RANGE (id)"
            ));
            db.run("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (500)");
            "CREATE TABLE parted_2 PARTITION OF parted DEFAULT".to_owned()
        } else {
            format!(
                "CREATE TABLE parted (id bigint PRIMARY KEY, {columns}) PARTITION BY HASH (id) PARTITIONS 3"
            )
        };
        make("parted", &partitions, "id, name", "n, concat('p', n)");

        let identity = if is_postgres {
            "bigint GENERATED ALWAYS AS IDENTITY"
        } else {
            "bigint AUTO_INCREMENT"
        };
        let made = format!(
            "CREATE TABLE made (id {identity} PRIMARY KEY, {columns}, \
             twice varchar(90) GENERATED ALWAYS AS (concat_(domain)) STORED)"
        );
        let made = made.replace(
            "concat_(domain)",
            if is_postgres { "domain || domain" } else { "concat(domain, domain)" },
        );
        make("made", &made, "name", "concat('m', n)");

        db.run("CREATE TABLE domains (name varchar(40) PRIMARY KEY)");
        fill(db, "domains", "concat('F', n)", 1200);
        let keyed = format!(
            "CREATE TABLE keyed (id bigint PRIMARY KEY, {columns}, boss bigint, \
             FOREIGN KEY (domain) REFERENCES domains (name), FOREIGN KEY (boss) REFERENCES keyed (id))"
        );
        make("keyed", &keyed, "id, name, boss", "n, concat('f', n), CASE WHEN n > 1 THEN 1 END");
        db.run("CREATE TABLE orders (id bigint PRIMARY KEY, keyed bigint REFERENCES keyed (id))");

        db.run("CREATE TABLE audit (id bigint)");
        make(
            "watched",
            &format!("CREATE TABLE watched (id bigint PRIMARY KEY, {columns})"),
            "id, name",
            "n, concat('t', n)",
        );
        if is_postgres {
            db.run(
                "CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NULL; END $$",
            );
            db.run("CREATE TRIGGER audited AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION audited()");
        } else {
            db.run("CREATE TRIGGER audited AFTER UPDATE ON watched FOR EACH ROW INSERT INTO audit VALUES (NEW.id)");
        }

        let collated = if is_postgres {
            db.run("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
            "varchar(40) COLLATE ci"
        } else {
            "varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
        };
        let mixed = "concat(CASE WHEN n % 3 = 0 THEN 'A' WHEN n % 3 = 1 THEN 'a' ELSE 'Z' END, n)";
        let sql = format!("CREATE TABLE collated (k {collated} PRIMARY KEY, {columns})");
        make("collated", &sql, "k, name", &format!("{mixed}, concat('c', n)"));
        let sql = format!(
            "CREATE TABLE twofold (k {collated} NOT NULL, n int NOT NULL, {columns}, UNIQUE (n, k))"
        );
        make("twofold", &sql, "k, n, name", &format!("{mixed}, n % 11, concat('c', n)"));

        project
            .zdm(&["plan"])
            .says("the backfill of table \"watched\" fires its trigger \"audited\"");
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate", "--full-speed"]).ended(0);
        for table in tables {
            assert_eq!(wrong(db, table), "0", "{table}");
        }
        assert_eq!(
            db.value("SELECT count(*) FROM made WHERE twice = concat(domain, domain)"),
            "1200"
        );
        assert_eq!(db.rows("SELECT count(*), count(DISTINCT id) FROM audit"), [["1200", "1200"]]);
    });
}

#[test]
fn what_cannot_be_filled_is_refused_before_anything_changes() {
    support::each(|db| {
        db.run("CREATE TABLE seldom (id bigint, name varchar(9), domain varchar(9), UNIQUE (id))");
        db.run("CREATE TABLE plain (id bigint PRIMARY KEY, name varchar(9), domain varchar(9))");
        db.run("INSERT INTO plain VALUES (1, 'a', NULL)");
        db.run("CREATE VIEW seen AS SELECT * FROM plain");
        let no_table = if db.engine == Engine::Postgres { "is a view" } else { "has no key" };
        for (table, set, said) in [
            ("seldom", "domain = name", "no unique key without NULLs"),
            ("seen", "domain = name", no_table),
            ("plain", "domain = name, id = id + 1", "sets \"id\", a column of the key"),
        ] {
            let project = Project::on(db);
            project.file(
                "migrations/0001_m/expand.sql",
                "CREATE TABLE more (id bigint PRIMARY KEY);\n",
            );
            project.file(
                "migrations/0001_m/migration.toml",
                &format!("[[backfill]]\ntable = \"{table}\"\nset = \"{set}\"\n"),
            );
            project.zdm(&["expand"]).ended(2).says(said).says(table).says("Nothing was changed");
            assert!(db.session().try_run("SELECT 1 FROM more").is_err(), "{table}");
        }
    });
}

#[test]
fn row_security_that_would_hide_rows_is_refused_before_anything_changes() {
    let Some(db) = support::postgres() else { return };
    let url = db.user("owner");
    let owner = db.user_name("owner");
    db.run(&format!("GRANT ALL ON DATABASE {} TO {owner}", db.name));
    db.run(&format!("GRANT ALL ON SCHEMA public TO {owner}"));
    db.run("CREATE TABLE people (id bigint PRIMARY KEY, name text, domain text)");
    fill(&db, "people (id, name)", "n, concat('n', n)", 10);
    db.run(&format!("ALTER TABLE people OWNER TO {owner}"));
    db.run("ALTER TABLE people ENABLE ROW LEVEL SECURITY");
    db.run("ALTER TABLE people FORCE ROW LEVEL SECURITY");
    db.run("CREATE POLICY half ON people USING (id <= 5)");
    let project = Project::on(&db).at(&url);
    backfill(&project, 1, "people");
    project.zdm(&["expand"]).ended(2).says("row security of table").says("BYPASSRLS");
    db.run("ALTER TABLE people NO FORCE ROW LEVEL SECURITY");
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate"]).ended(0);
    assert_eq!(wrong(&db, "people"), "0");
    assert_eq!(state(&db, "0001"), "purged");
}
