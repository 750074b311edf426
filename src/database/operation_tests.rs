//! The steps of operations on real servers, with statements of old and new builds in between.

use std::future::Future;

use toml::de::DeTable;

use super::connection::Connection;
use super::target::{DatabaseUrl, Target};
use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::{Action, Group, Statement, Step};
use crate::operation::{Context, Operation, Sync, parse};
use crate::sql::catalog::{Catalog, Table};
use crate::sql::quote;
use crate::support::{self, Db};

/// A rename on a fresh database.
struct Trial {
    conn: Connection,
    operation: Box<dyn Operation>,
    migration: MigrationId,
    base: Catalog,
    others: Vec<Sync>,
}

impl Trial {
    async fn new(url: &str, tables: &[&str], migration: &str, operation: &str) -> Self {
        let target = Target {
            url: DatabaseUrl::new(url),
            role: None,
            schemas: vec!["public".to_owned()],
            application_name: "zdm test".to_owned(),
        };
        let mut conn = Connection::open(&target).await.unwrap();
        if conn.engine() == Engine::Postgres {
            conn.run("CREATE SCHEMA IF NOT EXISTS zdm").await.unwrap();
        }
        for table in tables {
            conn.run(table).await.unwrap();
        }
        let declared = DeTable::parse(operation).unwrap();
        let operation = parse(&declared).unwrap();
        let base = conn.catalog(None).await.unwrap();
        let migration = MigrationId::parse(migration).unwrap();
        Self { conn, operation, migration, base, others: Vec::new() }
    }

    /// A rename of users.name to title.
    async fn rename(url: &str, tables: &[&str]) -> Self {
        let text = "kind='rename_column'\ntable='users'\nfrom='name'\nto='title'\n";
        Self::new(url, tables, "0002_title", text).await
    }

    fn context<'a>(&'a self, now: Option<&'a Catalog>) -> Context<'a> {
        Context {
            server: self.conn.server(),
            migration: &self.migration,
            schema: (self.conn.engine() == Engine::Postgres).then_some("public"),
            position: 1,
            base: &self.base,
            now,
            others: &self.others,
        }
    }

    fn steps(&self, phase: Phase) -> Vec<Step> {
        self.operation.steps(&self.context(None), phase).unwrap()
    }

    async fn phase(&mut self, phase: Phase) {
        for step in self.steps(phase) {
            self.step(&step, phase).await.unwrap_or_else(|error| panic!("{}: {error}", step.title));
        }
    }

    async fn step(&mut self, step: &Step, phase: Phase) -> Result<(), String> {
        match &step.action {
            Action::Statements(group) => self.group(group, phase).await,
            Action::Alone(statement) => self.statement(statement, phase).await,
            Action::Backfill(fill) => {
                let table = quote::table(self.conn.engine(), &fill.table);
                let pending = fill.pending.as_deref().unwrap_or("true");
                self.run(&format!("UPDATE {table} SET {} WHERE {pending}", fill.set)).await
            }
            Action::Verify(verify) => {
                let table = quote::table(self.conn.engine(), &verify.table);
                let wrong = self
                    .value(&format!("SELECT count(*) FROM {table} WHERE {}", verify.wrong))
                    .await;
                if wrong == "0" { Ok(()) } else { Err(format!("{wrong} rows are wrong")) }
            }
        }
    }

    async fn group(&mut self, group: &Group, phase: Phase) -> Result<(), String> {
        let is_postgres = self.conn.engine() == Engine::Postgres;
        let locked: Vec<_> = group
            .lock_tables
            .iter()
            .map(|table| format!("{} WRITE", quote::table(self.conn.engine(), table)))
            .collect();
        if is_postgres {
            self.run("BEGIN").await?;
        } else if !locked.is_empty() {
            self.run(&format!("LOCK TABLES {}", locked.join(", "))).await?;
        }
        let mut outcome = Ok(());
        for statement in &group.statements {
            outcome = self.statement(statement, phase).await;
            if outcome.is_err() {
                break;
            }
        }
        match (is_postgres, &outcome) {
            (true, Ok(())) => self.run("COMMIT").await?,
            (true, Err(_)) => self.run("ROLLBACK").await?,
            (false, _) if !locked.is_empty() => self.run("UNLOCK TABLES").await?,
            (false, _) => {}
        }
        outcome
    }

    /// On the way back a statement is left out when there is nothing to do for it.
    async fn statement(&mut self, statement: &Statement, phase: Phase) -> Result<(), String> {
        let is_way_back = matches!(phase, Phase::Rollback | Phase::Reveal);
        if is_way_back && self.conn.holds(&statement.done).await.unwrap() == Some(true) {
            return Ok(());
        }
        self.run(&statement.sql).await?;
        let holds = self.conn.holds(&statement.done).await.unwrap();
        assert_ne!(
            holds,
            Some(false),
            "{} does not show in the catalog: {:?}",
            statement.sql,
            statement.done
        );
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<(), String> {
        self.conn.run(sql).await.map(drop).map_err(|error| format!("{error}\nin: {sql}"))
    }

    async fn ok(&mut self, sql: &str) {
        self.run(sql).await.unwrap();
    }

    /// The code with which a statement fails.
    async fn code(&mut self, sql: &str) -> String {
        let error = self.conn.run(sql).await.unwrap_err();
        error.code.unwrap_or_default()
    }

    async fn value(&mut self, sql: &str) -> String {
        self.conn.query(sql, &[]).await.unwrap()[0].text(0).unwrap()
    }

    /// Rows of id and the given columns, as text.
    async fn rows(&mut self, columns: &str) -> Vec<String> {
        let sql = format!("SELECT {columns} FROM users ORDER BY id");
        let width = columns.split(',').count();
        let rows = self.conn.query(&sql, &[]).await.unwrap();
        let text =
            |row: &super::session::Row, at| row.opt_text(at).unwrap().unwrap_or("NULL".to_owned());
        rows.iter()
            .map(|row| (0..width).map(|at| text(row, at)).collect::<Vec<_>>().join(" "))
            .collect()
    }

    async fn users(&mut self) -> Table {
        let catalog = self.conn.catalog(None).await.unwrap();
        let users = catalog.tables.iter().find(|(name, _)| name.name == "users");
        comparable(users.unwrap().1.clone())
    }
}

/// Without what a different order of the columns, and rows, change.
fn comparable(mut table: Table) -> Table {
    table.columns.sort_by(|a, b| a.name.cmp(&b.name));
    table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
    table.constraints.sort_by(|a, b| a.name.cmp(&b.name));
    table.estimated_rows = None;
    table
}

fn each<F: Future<Output = ()>>(scenario: impl Fn(String, Engine) -> F) {
    support::each(|db: &Db| {
        let engine = Engine::parse(db.engine.as_str()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(scenario(db.url.clone(), engine));
    });
}

/// A table on which everything that can be carried over hangs.
fn rich(engine: Engine) -> Vec<&'static str> {
    match engine {
        Engine::Postgres => vec![
            "CREATE TABLE codes (code varchar(50) COLLATE \"C\" PRIMARY KEY)",
            "INSERT INTO codes VALUES ('a'), ('A'), ('b'), ('c'), ('d'), ('e'), ('anon')",
            "CREATE TABLE users (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, org bigint NOT NULL DEFAULT 1, \
             name varchar(50) COLLATE \"C\" NOT NULL DEFAULT 'anon' CONSTRAINT users_code REFERENCES codes, \
             CONSTRAINT users_name_check CHECK (length(name) > 0 AND name <> 'name'), \
             CONSTRAINT users_org_name_key UNIQUE (org, name) DEFERRABLE)",
            "CREATE INDEX users_lower ON users (lower(name)) WHERE name <> 'x'",
            "COMMENT ON COLUMN users.name IS 'what people call it'",
            "GRANT SELECT (name), UPDATE (name) ON users TO PUBLIC",
        ],
        Engine::MySql | Engine::MariaDb => vec![
            "CREATE TABLE codes (code varchar(50) COLLATE utf8mb4_bin PRIMARY KEY)",
            "INSERT INTO codes VALUES ('a'), ('A'), ('b'), ('c'), ('d'), ('e'), ('anon')",
            "CREATE TABLE users (id bigint AUTO_INCREMENT PRIMARY KEY, org bigint NOT NULL DEFAULT 1, \
             name varchar(50) COLLATE utf8mb4_bin NOT NULL DEFAULT 'anon' COMMENT 'what people call it', \
             UNIQUE KEY users_org_name_key (org, name), KEY users_prefix (name(3)), KEY users_code (name), \
             CONSTRAINT users_code FOREIGN KEY (name) REFERENCES codes (code))",
        ],
    }
}

#[test]
fn a_rename_keeps_everything_that_hangs_on_the_column() {
    each(|url, engine| async move {
        let mut trial = Trial::rename(&url, &rich(engine)).await;
        assert_eq!(trial.operation.refusals(&trial.context(None)), []);
        let before = trial.users().await;
        trial.ok("INSERT INTO users (org, name) VALUES (1, 'a'), (2, 'b')").await;
        for phase in [Phase::Expand, Phase::Rollback, Phase::Rollback] {
            trial.phase(phase).await;
        }
        assert_eq!(trial.users().await, before, "expand and rollback leave a trace");
        for phase in [Phase::Expand, Phase::Migrate, Phase::Rollback] {
            trial.phase(phase).await;
        }
        assert_eq!(trial.users().await, before, "migrate and rollback leave a trace");
        for phase in [Phase::Expand, Phase::Migrate] {
            trial.phase(phase).await;
        }
        let migrated = trial.users().await;
        for phase in [Phase::Contract, Phase::Reveal, Phase::Reveal] {
            trial.phase(phase).await;
        }
        assert_eq!(trial.users().await, migrated, "contract and reveal leave a trace");
        trial.phase(Phase::Contract).await;
        trial.phase(Phase::Purge).await;
        let after = trial.users().await;
        trial.ok("DROP TABLE users").await;
        for table in rich(engine).into_iter().filter(|sql| sql.contains("users")) {
            let table = quoted_rename(table);
            trial.ok(&table).await;
        }
        assert_eq!(after, trial.users().await, "purge does not end in the table with the new name");
    });
}

/// The same table, made with the new name.
fn quoted_rename(sql: &str) -> String {
    let renamed = sql.replace("name", "title");
    renamed
        .replace("users_title_check", "users_name_check")
        .replace("users_org_title_key", "users_org_name_key")
        .replace("<> 'title'", "<> 'name'")
}

#[test]
fn old_and_new_builds_write_side_by_side_and_nothing_is_lost() {
    each(|url, _| async move {
        let table = "CREATE TABLE users (id int PRIMARY KEY, name varchar(20) NOT NULL)";
        let mut trial = Trial::rename(&url, &[table]).await;
        trial.ok("INSERT INTO users (id, name) VALUES (1, 'one'), (2, 'two')").await;
        trial.phase(Phase::Expand).await;
        // Old builds.
        trial.ok("INSERT INTO users (id, name) VALUES (3, 'three')").await;
        trial.ok("INSERT INTO users (id, name) SELECT 4, 'four'").await;
        trial.ok("UPDATE users SET name = 'TWO' WHERE id = 2").await;
        // New builds.
        trial.ok("INSERT INTO users (id, title) VALUES (5, 'five')").await;
        trial.ok("INSERT INTO users (id, title) SELECT 6, 'six'").await;
        trial.ok("UPDATE users SET title = 'Five' WHERE id = 5").await;
        let expected =
            ["1 one NULL", "2 TWO TWO", "3 three three", "4 four four", "5 Five Five", "6 six six"];
        assert_eq!(trial.rows("id, name, title").await, expected);
        trial.phase(Phase::Migrate).await;
        trial.ok("INSERT INTO users (id, name) VALUES (7, 'seven')").await;
        trial.ok("INSERT INTO users (id, name) SELECT 8, 'eight'").await;
        trial.ok("INSERT INTO users (id, title) SELECT 9, 'nine'").await;
        trial.ok("UPDATE users SET name = 'NINE', title = 'Nine' WHERE id = 9").await;
        trial.ok("UPDATE users SET name = 'SEVEN' WHERE id = 7").await;
        let expected = ["7 SEVEN SEVEN", "8 eight eight", "9 Nine Nine"];
        assert_eq!(trial.rows("id, name, title").await[6..], expected);
        assert_eq!(trial.rows("id, name, title").await[0], "1 one one");
        trial.phase(Phase::Contract).await;
        let missing = trial.code("INSERT INTO users (id, name) VALUES (99, 'late')").await;
        assert!(missing == "42703" || missing == "1054", "{missing}");
        trial.code("UPDATE users SET name = 'late'").await;
        trial.ok("INSERT INTO users (id, title) VALUES (10, 'ten')").await;
        trial.ok("INSERT INTO users (id, title) SELECT 11, 'eleven'").await;
        trial.ok("UPDATE users SET title = 'uno' WHERE id = 1").await;
        let nobody = trial.code("INSERT INTO users (id) VALUES (98)").await;
        assert!(["23502", "1364", "1048"].contains(&&*nobody), "{nobody}");
        trial.phase(Phase::Reveal).await;
        // Every write made since is in the old column.
        let all = trial.rows("id, name").await;
        assert_eq!(
            (all[0].as_str(), all[9].as_str(), all[10].as_str()),
            ("1 uno", "10 ten", "11 eleven")
        );
        trial.ok("INSERT INTO users (id, name) VALUES (12, 'twelve')").await;
        trial.phase(Phase::Contract).await;
        trial.phase(Phase::Purge).await;
        trial.ok("INSERT INTO users (id, title) VALUES (13, 'last')").await;
        assert_eq!(trial.rows("id, title").await[11..], ["12 twelve", "13 last"]);
    });
}

#[test]
fn an_application_needs_no_right_on_what_is_zdms() {
    support::each(|db: &Db| {
        let url = db.user("app");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let table = "CREATE TABLE users (id int PRIMARY KEY, name varchar(20) NOT NULL)";
            let mut trial = Trial::rename(&db.url, &[table]).await;
            trial
                .ok(&format!("GRANT SELECT, INSERT, UPDATE ON users TO {}", db.user_name("app")))
                .await;
            trial.phase(Phase::Expand).await;
            let app = support::Session::open(&url);
            app.run("INSERT INTO users (id, name) VALUES (1, 'a')");
            app.run("UPDATE users SET title = 'b'");
            assert_eq!(app.value("SELECT name FROM users"), "b");
        });
    });
}

#[test]
fn a_check_binds_the_new_column_from_expand_on_where_it_cannot_be_added_later() {
    each(|url, _| async move {
        let table = "CREATE TABLE users (id int PRIMARY KEY, age int, name varchar(20), \
            CONSTRAINT users_name CHECK (name <> 'nobody'), CONSTRAINT users_age CHECK (name <> 'kid' OR age < 18))";
        let mut trial = Trial::rename(&url, &[table]).await;
        trial.ok("INSERT INTO users VALUES (1, 20, 'ann')").await;
        for phase in [Phase::Expand, Phase::Migrate] {
            trial.phase(phase).await;
        }
        for phase in [Phase::Contract, Phase::Purge] {
            let code = trial.code("INSERT INTO users (id, title) VALUES (2, 'nobody')").await;
            assert!(["23514", "4025"].contains(&&*code), "{code}");
            let code = trial.code("UPDATE users SET title = 'kid'").await;
            assert!(["23514", "4025"].contains(&&*code), "{code}");
            trial.phase(phase).await;
        }
        let code = trial.code("UPDATE users SET title = 'kid'").await;
        assert!(["23514", "4025"].contains(&&*code), "{code}");
        trial.ok("INSERT INTO users (id, age, title) VALUES (3, 8, 'kid')").await;
    });
}

#[test]
fn a_change_that_the_collation_does_not_see_is_kept_alike() {
    each(|url, engine| async move {
        let table = match engine {
            Engine::Postgres => "CREATE TABLE users (id int PRIMARY KEY, name numeric)",
            Engine::MySql | Engine::MariaDb => {
                "CREATE TABLE users (id int PRIMARY KEY, name varchar(20) COLLATE utf8mb4_general_ci)"
            }
        };
        let (one, other) = match engine {
            Engine::Postgres => ("1.0", "1.00"),
            Engine::MySql | Engine::MariaDb => ("'ann'", "'Ann'"),
        };
        let columns = "id, CAST(name AS char(4)), CAST(title AS char(4))";
        let mut trial = Trial::rename(&url, &[table]).await;
        trial.phase(Phase::Expand).await;
        trial.ok(&format!("INSERT INTO users (id, name) VALUES (1, {one}), (2, NULL)")).await;
        trial.ok(&format!("UPDATE users SET title = {other} WHERE id = 1")).await;
        let expected = format!("1 {0} {0}", other.trim_matches('\''));
        assert_eq!(trial.rows(columns).await, [expected.as_str(), "2 NULL NULL"]);
        trial.ok(&format!("UPDATE users SET name = {one} WHERE id = 1")).await;
        trial.ok("UPDATE users SET title = NULL WHERE id = 1").await;
        assert_eq!(trial.rows(columns).await[0], "1 NULL NULL");
        for phase in [Phase::Migrate, Phase::Contract, Phase::Purge] {
            trial.phase(phase).await;
        }
        assert_eq!(trial.rows("id, title IS NULL").await, ["1 1", "2 1"]);
    });
}

#[test]
fn a_text_with_a_collation_of_its_own_is_compared_by_its_bytes() {
    each(|url, engine| async move {
        if engine != Engine::Postgres {
            return;
        }
        let collation = "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
        let table = "CREATE TABLE users (id int PRIMARY KEY, name text COLLATE ci)";
        let mut trial = Trial::rename(&url, &[collation, table]).await;
        trial.ok("INSERT INTO users (id, name) VALUES (1, 'ann'), (2, 'bob')").await;
        trial.phase(Phase::Expand).await;
        trial.ok("UPDATE users SET title = 'BOB' WHERE id = 2").await;
        trial.phase(Phase::Migrate).await;
        trial.ok("UPDATE users SET name = 'Ann' WHERE id = 1").await;
        assert_eq!(trial.rows("id, name, title").await, ["1 Ann Ann", "2 BOB BOB"]);
    });
}

#[test]
fn two_open_renames_of_a_table_share_its_triggers() {
    each(|url, _| async move {
        let table = "CREATE TABLE users (id int PRIMARY KEY, name varchar(20), mail varchar(20))";
        let mut first = Trial::rename(&url, &[table]).await;
        first.phase(Phase::Expand).await;
        let text = "kind='rename_column'\ntable='users'\nfrom='mail'\nto='email'\n";
        let mut second = Trial::new(&url, &[], "0003_email", text).await;
        second.others = first.operation.syncs(&first.context(None), Phase::Expand);
        second.phase(Phase::Expand).await;
        second.ok("INSERT INTO users (id, name, email) VALUES (1, 'n', 'e')").await;
        second.phase(Phase::Migrate).await;
        second.phase(Phase::Contract).await;
        first.others = second.operation.syncs(&second.context(None), Phase::Contract);
        first.phase(Phase::Migrate).await;
        first.phase(Phase::Contract).await;
        first.ok("UPDATE users SET title = 'N', email = 'E'").await;
        second.others = first.operation.syncs(&first.context(None), Phase::Contract);
        second.phase(Phase::Reveal).await;
        assert_eq!(
            second.rows("id, zdm_hidden_0002_name, title, mail, email").await,
            ["1 N N E E"]
        );
        second.phase(Phase::Rollback).await;
        first.others.clear();
        first.phase(Phase::Purge).await;
        assert_eq!(first.rows("id, title, mail").await, ["1 N E"]);
        let table = TableName { schema: None, name: "users".to_owned() };
        assert_eq!(
            first
                .conn
                .catalog(Some(&[table]))
                .await
                .unwrap()
                .tables
                .iter()
                .next()
                .unwrap()
                .1
                .triggers,
            []
        );
    });
}
