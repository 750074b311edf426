use super::*;
use crate::config::Config;
use crate::config::folder::{Entry, migrations};
use crate::model::journal::{MigrationRecord, Progress, StepRecord};
use crate::model::server::Engine;
use crate::plan::steps::{PlanContext, steps};
use crate::sql::catalog::Catalog;

const SERVER: Server = Server { engine: Engine::Postgres, version: (15, 0) };
const RENAME: &str =
    "[[operation]]\nkind='rename_column'\ntable='users'\nfrom='name'\nto='title'\n";

fn project(folders: &[(&str, &[(&str, &str)])]) -> Project {
    let entries = folders.iter().map(|(name, files)| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Entry::Folder { name: (*name).to_owned(), files: files.collect() }
    });
    Project { config: Config::default(), migrations: migrations("m", entries.collect()).unwrap() }
}

fn history(states: &[(&str, State)]) -> History {
    let record = |(name, state): &(&str, State)| MigrationRecord {
        id: MigrationId::parse(name).unwrap(),
        state: *state,
        since: 0,
        base: None,
        steps: Vec::new(),
    };
    History { records: states.iter().map(record).collect(), ..History::default() }
}

/// `run | held: why`, or the refusals.
fn check(project: &Project, history: &History, phase: Phase, wish: Wish<'_>) -> String {
    match next(Scene::new(project, history, SERVER), phase, wish) {
        Ok(order) => {
            let run: Vec<_> = order.run.iter().map(|migration| migration.id.number()).collect();
            let held: Vec<_> = order.held.iter().map(|held| held.why.message.clone()).collect();
            format!("{} | {}", run.join(" "), held.join("; "))
        }
        Err(refusals) => {
            let lines: Vec<_> = refusals.into_iter().map(|refusal| refusal.message).collect();
            format!("refused: {}", lines.join("; "))
        }
    }
}

fn users() -> Project {
    project(&[
        (
            "0001_create",
            &[("expand.sql", "CREATE TABLE users (id int PRIMARY KEY, name text, mail text)")],
        ),
        ("0002_title", &[("migration.toml", RENAME)]),
        ("0003_mail", &[("expand.sql", "CREATE INDEX CONCURRENTLY i ON users (mail)")]),
        ("0004_title", &[("expand.sql", "CREATE INDEX CONCURRENTLY j ON users (title)")]),
        ("0005_other", &[("expand.sql", "CREATE TABLE other (id int PRIMARY KEY)")]),
    ])
}

#[test]
fn a_fresh_database_is_expanded_up_to_what_must_wait() {
    assert_eq!(
        check(&users(), &History::default(), Phase::Expand, Wish::default()),
        "1 2 3 5 | migration 0004_title waits for 0002_title, which changes column \"title\" of table \
         \"public.users\" and is expanded"
    );
}

#[test]
fn what_was_asked_for_by_name_is_refused_when_it_must_wait() {
    let project = users();
    let wish = Wish { to: Some("4"), only: None };
    assert!(
        check(&project, &History::default(), Phase::Expand, wish)
            .starts_with("refused: migration 0004")
    );
    let wish = Wish { to: None, only: Some("3") };
    assert_eq!(
        check(&project, &History::default(), Phase::Expand, wish),
        "refused: migration 0003_mail waits for 0001_create, which is pending and changes table \"public.users\", too"
    );
    let wish = Wish { to: None, only: Some("5") };
    assert_eq!(check(&project, &History::default(), Phase::Expand, wish), "5 | ");
    let wish = Wish { to: Some("9"), only: None };
    assert_eq!(
        check(&project, &History::default(), Phase::Expand, wish),
        "refused: there is no migration \"9\""
    );
}

#[test]
fn a_column_is_free_again_once_purge_is_done() {
    let project = users();
    let done = [
        ("0001_create", State::Purged),
        ("0003_mail", State::Purged),
        ("0005_other", State::Purged),
    ];
    for (state, expected) in [
        (State::Migrated, false),
        (State::Hidden, false),
        (State::Purging, false),
        (State::Purged, true),
    ] {
        let mut states = done.to_vec();
        states.push(("0002_title", state));
        let found = check(&project, &history(&states), Phase::Expand, Wish::default());
        assert_eq!(found == "4 | ", expected, "{state}: {found}");
    }
}

#[test]
fn a_second_rename_of_a_column_waits_for_the_first() {
    let second = RENAME.replace("'title'", "'label'");
    let project = project(&[
        ("0002_title", &[("migration.toml", RENAME)]),
        ("0003_label", &[("migration.toml", &second)]),
    ]);
    let found = check(
        &project,
        &history(&[("0002_title", State::Migrated)]),
        Phase::Expand,
        Wish::default(),
    );
    assert!(found.starts_with(" | migration 0003_label waits for 0002_title"), "{found}");
}

#[test]
fn a_number_below_an_applied_one_is_refused_on_the_same_tables() {
    let project = users();
    let applied = history(&[("0001_create", State::Purged), ("0003_mail", State::Purged)]);
    let found = check(&project, &applied, Phase::Expand, Wish::default());
    assert!(found.starts_with("refused: migration 0002_title comes before 0003_mail"), "{found}");
    let applied = history(&[("0005_other", State::Purged)]);
    let found = check(&project, &applied, Phase::Expand, Wish::default());
    assert!(found.starts_with("1 2 3 |"), "{found}");
}

#[test]
fn an_interrupted_phase_goes_on_and_holds_others_back() {
    let project = users();
    let middle = history(&[("0001_create", State::Purged), ("0002_title", State::RollingBack)]);
    let found = check(&project, &middle, Phase::Expand, Wish::default());
    assert!(
        found.starts_with("5 | migration 0003_mail waits for 0002_title, which is rolling_back"),
        "{found}"
    );
    let middle = history(&[("0001_create", State::Purged), ("0002_title", State::Contracting)]);
    assert_eq!(check(&project, &middle, Phase::Contract, Wish::default()), "2 | ");
}

#[test]
fn an_edited_step_and_a_folder_that_is_gone_are_drift() {
    let before = project(&[("0001_a", &[("expand.sql", "SELECT 1; SELECT 2;")])]);
    let empty = Catalog::default();
    let cx = PlanContext { server: SERVER, schema: None, base: &empty, now: None, others: &[] };
    let mut ran = history(&[("0001_a", State::Expanding), ("0002_gone", State::Purged)]);
    for (step, progress) in steps(&before.migrations[0], Phase::Expand, &cx)
        .unwrap()
        .into_iter()
        .zip([Progress::Done, Progress::Begun])
    {
        ran.records[0].steps.push(StepRecord {
            phase: Phase::Expand,
            name: step.name,
            title: step.title,
            seal: step.seal,
            progress,
        });
    }
    let lines = |text: &str| -> Vec<String> {
        let project = project(&[("0001_a", &[("expand.sql", text)])]);
        drift(&project, &ran, SERVER).iter().map(ToString::to_string).collect()
    };
    let gone = "migration 0002_gone was applied, and its folder is gone";
    assert_eq!(lines("-- a comment\nSELECT  1; SELECT 3;"), [gone]);
    let edited = "step expand.sql-1 of expand of migration 0001_a was edited after it ran (m/0001_a/expand.sql:1)";
    assert_eq!(lines("SELECT 5; SELECT 2;"), [edited, gone]);
}

#[test]
fn what_is_done_for_good_may_lose_its_folder_when_nothing_older_is_left() {
    let project = project(&[
        ("0003_a", &[("expand.sql", "CREATE TABLE a (id int)")]),
        ("0005_b", &[("expand.sql", "CREATE TABLE b (id int)")]),
    ]);
    let gone = |states: &[(&str, State)]| drift(&project, &history(states), SERVER).len();
    assert_eq!(gone(&[("0001_x", State::Purged), ("0002_y", State::Purged)]), 0);
    assert_eq!(gone(&[("0002_y", State::Hidden)]), 1);
    // A checkout that lacks what has run.
    assert_eq!(gone(&[("0004_y", State::Purged)]), 1);
}
