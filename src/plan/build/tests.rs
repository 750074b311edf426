use super::*;
use crate::config::Config;
use crate::config::folder::{Entry, migrations};
use crate::model::server::Engine;

const RENAME: &str =
    "[[operation]]\nkind='rename_column'\ntable='users'\nfrom='name'\nto='title'\n";

fn project(folders: &[(&str, &[(&str, &str)])]) -> Project {
    let entries = folders.iter().map(|(name, files)| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Entry::Folder { name: (*name).to_owned(), files: files.collect() }
    });
    Project { config: Config::default(), migrations: migrations("m", entries.collect()).unwrap() }
}

/// The plan in lines: migration, phase, statements with what they block and their findings.
fn lines(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for migration in &plan.migrations {
        lines.push(format!("{} {}", migration.id, migration.state));
        lines.extend(migration.refusals.iter().map(|(refusal, _)| format!("  REFUSED {refusal}")));
        lines.extend(migration.notes.iter().map(|note| format!("  NOTE {note}")));
        for phase in &migration.phases {
            let end = if phase.point_of_no_return { " (no way back)" } else { "" };
            lines.push(format!("  {}{end}", phase.phase));
            for step in &phase.steps {
                lines.push(format!("    {}: {}", step.step.name, step.step.title));
                lines.extend(step.statements.iter().flat_map(|statement| {
                    let findings = statement.findings.iter().map(|finding| finding.rule);
                    let findings = findings.collect::<Vec<_>>().join(" ");
                    let sql = statement.sql.replace('\n', "\n      ");
                    [
                        format!("      {sql}"),
                        format!("        {:?} {findings}", statement.effect.blocks),
                    ]
                }));
            }
        }
    }
    lines.join("\n")
}

fn check(folders: &[(&str, &[(&str, &str)])], engine: Engine) -> String {
    let version = if engine == Engine::Postgres { (15, 0) } else { (10, 11) };
    let server = Server { engine, version };
    lines(&plan(&project(folders), server, None, &History::default()))
}

const USERS_TITLE: &[(&str, &[(&str, &str)])] =
    &[("0001_users", &[("expand.sql", USERS)]), ("0002_title", &[("migration.toml", RENAME)])];

const USERS: &str =
    "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL, UNIQUE (name));";

#[test]
#[expect(clippy::too_many_lines, reason = "the plan is read as a whole")]
fn a_rename_on_postgres_is_planned_without_a_database() {
    insta::assert_snapshot!(check(USERS_TITLE, Engine::Postgres), @r#"
0001_users pending
  expand
    expand.sql-1: CREATE TABLE users
      CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL, UNIQUE (name))
        Nothing 
0002_title pending
  expand
    1-add-column: add column title to users
      ALTER TABLE "public"."users" ADD COLUMN "title" character varying(50)
        ReadsAndWrites 
    1-sync-triggers: keep name and title alike by triggers
      CREATE OR REPLACE FUNCTION "zdm"."sync_public.users_insert"() RETURNS trigger LANGUAGE plpgsql AS $zdm$
      BEGIN
        -- 0002_title
        IF NEW."title" IS DISTINCT FROM NULL THEN
          NEW."name" := NEW."title";
        ELSE
          NEW."title" := NEW."name";
        END IF;
        RETURN NEW;
      END
      $zdm$
        Nothing 
      REVOKE ALL ON FUNCTION "zdm"."sync_public.users_insert"() FROM PUBLIC
        Nothing 
      CREATE OR REPLACE TRIGGER "zzz_zdm_sync_insert" BEFORE INSERT ON "public"."users" FOR EACH ROW EXECUTE FUNCTION "zdm"."sync_public.users_insert"()
        Writes 
      CREATE OR REPLACE FUNCTION "zdm"."sync_public.users_update"() RETURNS trigger LANGUAGE plpgsql AS $zdm$
      BEGIN
        -- 0002_title
        IF NEW."title" IS DISTINCT FROM OLD."title" THEN
          NEW."name" := NEW."title";
        ELSE
          NEW."title" := NEW."name";
        END IF;
        RETURN NEW;
      END
      $zdm$
        Nothing 
      REVOKE ALL ON FUNCTION "zdm"."sync_public.users_update"() FROM PUBLIC
        Nothing 
      CREATE OR REPLACE TRIGGER "zzz_zdm_sync_update" BEFORE UPDATE ON "public"."users" FOR EACH ROW
        WHEN (NEW."title" IS DISTINCT FROM NEW."name"
            AND (NEW."title" IS DISTINCT FROM OLD."title"
              OR NEW."name" IS DISTINCT FROM OLD."name"))
        EXECUTE FUNCTION "zdm"."sync_public.users_update"()
        Writes 
  migrate
    1-backfill: fill users.title from name
      UPDATE "public"."users" SET "title" = "name" WHERE "name" IS DISTINCT FROM "title"
        Nothing 
    1-not-null-check: refuse NULL in new values of title
      ALTER TABLE "public"."users" ADD CONSTRAINT "zdm_0002_title_not_null" CHECK ("title" IS NOT NULL) NOT VALID
        ReadsAndWrites 
    1-not-null-validate: check the rows for NULL in title
      ALTER TABLE "public"."users" VALIDATE CONSTRAINT "zdm_0002_title_not_null"
        Ddl 
    1-not-null: make title NOT NULL
      ALTER TABLE "public"."users" ALTER COLUMN "title" SET NOT NULL
        ReadsAndWrites 
      ALTER TABLE "public"."users" DROP CONSTRAINT "zdm_0002_title_not_null"
        ReadsAndWrites 
    1-index-users_name_key: index title as users_name_key does
      CREATE UNIQUE INDEX CONCURRENTLY "zdm_0002_users_name_key" ON "public"."users" ("title")
        Ddl 
    1-unique-users_name_key: make title unique as users_name_key does
      ALTER TABLE "public"."users" ADD CONSTRAINT "zdm_0002_users_name_key" UNIQUE USING INDEX "zdm_0002_users_name_key"
        ReadsAndWrites 
    1-verify: verify that users.title equals name
      SELECT count(*) FROM "public"."users" WHERE "name" IS DISTINCT FROM "title"
        Nothing 
  contract
    1-hide: hide column name of users as zdm_hidden_0002_name
      ALTER TABLE "public"."users" RENAME COLUMN "name" TO "zdm_hidden_0002_name"
        ReadsAndWrites 
      CREATE OR REPLACE FUNCTION "zdm"."sync_public.users_insert"() RETURNS trigger LANGUAGE plpgsql AS $zdm$
      BEGIN
        -- 0002_title
        NEW."zdm_hidden_0002_name" := NEW."title";
        RETURN NEW;
      END
      $zdm$
        Nothing 
      REVOKE ALL ON FUNCTION "zdm"."sync_public.users_insert"() FROM PUBLIC
        Nothing 
      CREATE OR REPLACE TRIGGER "zzz_zdm_sync_insert" BEFORE INSERT ON "public"."users" FOR EACH ROW EXECUTE FUNCTION "zdm"."sync_public.users_insert"()
        Writes 
      CREATE OR REPLACE FUNCTION "zdm"."sync_public.users_update"() RETURNS trigger LANGUAGE plpgsql AS $zdm$
      BEGIN
        -- 0002_title
        NEW."zdm_hidden_0002_name" := NEW."title";
        RETURN NEW;
      END
      $zdm$
        Nothing 
      REVOKE ALL ON FUNCTION "zdm"."sync_public.users_update"() FROM PUBLIC
        Nothing 
      CREATE OR REPLACE TRIGGER "zzz_zdm_sync_update" BEFORE UPDATE ON "public"."users" FOR EACH ROW
        WHEN (NEW."title" IS DISTINCT FROM OLD."title")
        EXECUTE FUNCTION "zdm"."sync_public.users_update"()
        Writes 
  purge (no way back)
    1-purge: drop column zdm_hidden_0002_name of users
      DROP TRIGGER IF EXISTS "zzz_zdm_sync_insert" ON "public"."users"
        ReadsAndWrites 
      DROP FUNCTION IF EXISTS "zdm"."sync_public.users_insert"()
        Nothing 
      DROP TRIGGER IF EXISTS "zzz_zdm_sync_update" ON "public"."users"
        ReadsAndWrites 
      DROP FUNCTION IF EXISTS "zdm"."sync_public.users_update"()
        Nothing 
      ALTER TABLE "public"."users" DROP COLUMN "zdm_hidden_0002_name"
        ReadsAndWrites 
      ALTER TABLE "public"."users" RENAME CONSTRAINT "zdm_0002_users_name_key" TO "users_name_key"
        ReadsAndWrites
"#);
}

#[test]
fn a_rename_on_mariadb_is_planned_without_a_database() {
    insta::assert_snapshot!(check(USERS_TITLE, Engine::MariaDb), @r#"
0001_users pending
  expand
    expand.sql-1: CREATE TABLE users
      CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL, UNIQUE (name))
        Nothing 
0002_title pending
  NOTE until contract, an INSERT into table "users" that gives neither "name" nor "title" stores a default instead of failing: the server would refuse INSERT ... SELECT otherwise
  expand
    1-add-column: add column title to users
      ALTER TABLE `users` ADD COLUMN `title` varchar(50) NULL, ALGORITHM=INSTANT, LOCK=NONE
        Nothing 
    1-lend-default: let INSERT ... SELECT leave out name, which its trigger fills
      ALTER TABLE `users` ALTER COLUMN `name` SET DEFAULT '', ALGORITHM=INSTANT, LOCK=NONE
        Nothing 
    1-sync-triggers: keep name and title alike by triggers
      CREATE OR REPLACE TRIGGER `zdm_sync_users_insert` BEFORE INSERT ON `users` FOR EACH ROW
      BEGIN
        IF NEW.`title` IS NOT NULL AND NOT (CAST(NEW.`title` AS BINARY) <=> CAST('' AS BINARY)) THEN
          SET NEW.`name` = NEW.`title`;
        ELSE
          SET NEW.`title` = NEW.`name`;
        END IF;
      END
        Nothing 
      CREATE OR REPLACE TRIGGER `zdm_sync_users_update` BEFORE UPDATE ON `users` FOR EACH ROW
      BEGIN
        IF NOT (CAST(NEW.`title` AS BINARY) <=> CAST(OLD.`title` AS BINARY)) THEN
          SET NEW.`name` = NEW.`title`;
        ELSE
          SET NEW.`title` = NEW.`name`;
        END IF;
      END
        Nothing 
  migrate
    1-backfill: fill users.title from name
      UPDATE `users` SET `title` = `name` WHERE NOT (CAST(`name` AS BINARY) <=> CAST(`title` AS BINARY))
        Nothing 
    1-index-name: index title as name does
      ALTER TABLE `users` ADD UNIQUE INDEX `zdm_0002_name` (`title`), ALGORITHM=NOCOPY, LOCK=NONE
        Nothing 
    1-not-null: make title NOT NULL
      ALTER TABLE `users` MODIFY COLUMN `title` varchar(50) NOT NULL DEFAULT '', ALGORITHM=INPLACE, LOCK=NONE
        Nothing 
    1-verify: verify that users.title equals name
      SELECT count(*) FROM `users` WHERE NOT (CAST(`name` AS BINARY) <=> CAST(`title` AS BINARY))
        Nothing 
  contract
    1-hide: hide column name of users as zdm_hidden_0002_name
      ALTER TABLE `users` RENAME COLUMN `name` TO `zdm_hidden_0002_name`, ALTER COLUMN `title` DROP DEFAULT, ALGORITHM=INSTANT, LOCK=NONE
        Nothing 
      CREATE OR REPLACE TRIGGER `zdm_sync_users_insert` BEFORE INSERT ON `users` FOR EACH ROW
      BEGIN
        SET NEW.`zdm_hidden_0002_name` = NEW.`title`;
      END
        Nothing 
      CREATE OR REPLACE TRIGGER `zdm_sync_users_update` BEFORE UPDATE ON `users` FOR EACH ROW
      BEGIN
        SET NEW.`zdm_hidden_0002_name` = NEW.`title`;
      END
        Nothing 
  purge (no way back)
    1-drop-name: drop name
      ALTER TABLE `users` DROP INDEX IF EXISTS `name`, ALGORITHM=NOCOPY, LOCK=NONE
        Nothing 
    1-purge: drop column zdm_hidden_0002_name of users
      DROP TRIGGER IF EXISTS `zdm_sync_users_insert`
        Nothing 
      DROP TRIGGER IF EXISTS `zdm_sync_users_update`
        Nothing 
      ALTER TABLE `users` DROP COLUMN `zdm_hidden_0002_name`, ALGORITHM=INSTANT, LOCK=NONE
        Nothing 
    1-name-name: give name its name back
      ALTER TABLE `users` RENAME INDEX `zdm_0002_name` TO `name`, ALGORITHM=INSTANT, LOCK=NONE
        Nothing
"#);
}

#[test]
fn a_table_that_the_folder_does_not_make_is_planned_with_what_is_not_known() {
    let folders: &[(&str, &[(&str, &str)])] = &[("0002_title", &[("migration.toml", RENAME)])];
    let found = check(folders, Engine::Postgres);
    assert!(found.contains("ADD COLUMN \"title\" <type of users.name>"), "{found}");
    assert!(found.contains("NOTE table \"users\" is not known without a database"), "{found}");
}

#[test]
fn findings_stand_beside_the_statements_of_files() {
    let folders: &[(&str, &[(&str, &str)])] = &[
        ("0001_users", &[("expand.sql", USERS)]),
        ("0002_index", &[("expand.sql", "CREATE INDEX i ON users (name);\nDROP TABLE users;")]),
    ];
    insta::assert_snapshot!(check(folders, Engine::Postgres), @r#"
0001_users pending
  expand
    expand.sql-1: CREATE TABLE users
      CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL, UNIQUE (name))
        Nothing 
0002_index pending
  expand
    expand.sql-1: CREATE INDEX i ON users (name)
      CREATE INDEX i ON users (name)
        Writes index-not-concurrent
    expand.sql-2: DROP TABLE users
      DROP TABLE users
        ReadsAndWrites drop-outside-contract
"#);
}

#[test]
fn what_can_never_run_is_refused_by_name() {
    let folders: &[(&str, &[(&str, &str)])] = &[
        ("0001_users", &[("expand.sql", USERS)]),
        ("0002_title", &[("migration.toml", &RENAME.replace("'name'", "'id'"))]),
        (
            "0003_bad",
            &[("expand.sql", "BEGIN; CREATE INDEX CONCURRENTLY i ON users (name); COMMIT;")],
        ),
    ];
    let found = check(folders, Engine::Postgres);
    assert!(
        found.contains("REFUSED column \"id\" is part of the key of table \"users\""),
        "{found}"
    );
    assert!(
        found.contains("REFUSED m/0003_bad/expand.sql:1:8: this statement cannot run inside"),
        "{found}"
    );
}

/// What is said beside the steps: file, rule, and the message.
fn beside(folders: &[(&str, &[(&str, &str)])], history: &History) -> Vec<(String, &'static str)> {
    let server = Server { engine: Engine::Postgres, version: (15, 0) };
    let plan = plan(&project(folders), server, None, history);
    let findings = plan.migrations.iter().flat_map(PlannedMigration::findings_beside);
    let path = |place: &Option<(String, _)>| place.as_ref().map(|(path, _)| path.clone());
    findings.map(|(part, found)| (path(&part.place).unwrap_or_default(), found.rule)).collect()
}

#[test]
fn a_plan_says_what_is_wrong_with_a_migration_as_a_whole_and_with_its_rollback() {
    let backfill = "[[backfill]]\ntable='users'\nset=\"name = 'x'\"\n";
    let rollback = "DROP TABLE users;\nALTER TABLE other ALTER COLUMN a TYPE bigint;";
    let folders: &[(&str, &[(&str, &str)])] = &[
        ("0001_users", &[("expand.sql", USERS)]),
        ("0002_fill", &[("migration.toml", backfill)]),
        (
            "0003_other",
            &[("expand.sql", "CREATE TABLE other (id int, a int);"), ("rollback.sql", rollback)],
        ),
    ];
    let found = beside(folders, &History::default());
    let found: Vec<_> = found.iter().map(|(path, rule)| (path.as_str(), *rule)).collect();
    let expected = [
        ("m/0001_users/expand.sql", "without-rollback"),
        ("m/0002_fill/migration.toml", "backfill-without-verify"),
        ("m/0003_other/rollback.sql", "change-type"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_plan_says_since_when_a_migration_is_open() {
    use crate::model::journal::MigrationRecord;
    let day = 24 * 60 * 60 * 1000;
    let at = |state, days: i64| {
        let id = crate::model::name::MigrationId::parse("0001_title").unwrap();
        let record = MigrationRecord { id, state, since: 0, base: None, steps: Vec::new() };
        let history =
            History { records: vec![record], now: Some(days * day), ..History::default() };
        let files: &[(&str, &str)] =
            &[("contract.sql", "DROP TABLE t;"), ("rollback.sql", "SELECT 1;")];
        let found = beside(&[("0001_title", files)], &history);
        found.iter().any(|(_, rule)| *rule == "phase-left-open")
    };
    assert!(at(State::Migrated, 31));
    assert!(!at(State::Migrated, 29));
    assert!(at(State::Expanding, 31));
    assert!(!at(State::Purged, 400));
}
