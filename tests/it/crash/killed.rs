//! `kill -9` at one point after the other, in each command of a life, all on one database.

use std::collections::BTreeSet;

use super::life::calm;
use super::stage::{LIFE, Stage};
use crate::cli::said;
use crate::support::Engine;

#[test]
fn a_run_on_postgres_that_is_killed_anywhere_goes_on_to_the_same_end() {
    killed_everywhere(Engine::Postgres);
}

#[test]
fn a_run_on_mariadb_that_is_killed_anywhere_goes_on_to_the_same_end() {
    killed_everywhere(Engine::MariaDb);
}

fn killed_everywhere(engine: Engine) {
    let Some(calm) = calm(engine) else { return };
    let Some(mut stage) = Stage::shared(engine) else { return };
    let (mut met, mut named) = (BTreeSet::new(), BTreeSet::new());
    for (step, (_, places)) in LIFE.iter().zip(calm.places()) {
        stage.bring(step.from);
        for at in places.iter().filter(|at| at.pass == 1) {
            named.insert(&at.point);
            let mut command = stage.project.command(step.arguments);
            command.env("ZDM_FAULT", &at.point);
            let ended = said(command);
            assert!(matches!(ended.code, 0 | -1), "{} at {}: {ended:?}", step.name, at.point);
            if ended.code == -1 {
                met.insert(&at.point);
            }
        }
        stage.project.zdm(step.arguments).ended(0);
        assert_eq!(stage.state(), step.to, "{}", step.name);
        assert_eq!(stage.seen(), calm.after(step), "{}", step.name);
    }
    let missed: Vec<_> = named.difference(&met).collect();
    assert!(missed.is_empty(), "no run on {engine} was killed at {missed:?}");
}
