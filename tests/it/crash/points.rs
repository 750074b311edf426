//! The points: those that the product names are those that are tried.

use std::collections::BTreeMap;
use std::path::Path;

use super::life::calm;
use super::seldom;
use crate::protocol::hard_fence;
use crate::support::Engine;

/// A pass of a point by a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) command: &'static str,
    pub(super) point: String,
    pub(super) pass: usize,
}

/// The places in the log of one undisturbed command. How many batches there are is a matter of time: one counts.
pub(super) fn places(command: &'static str, log: &str) -> Vec<Place> {
    let mut passes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut places = Vec::new();
    for point in log.lines() {
        let pass = passes.entry(point).or_default();
        *pass += 1;
        if *pass == 1 || !point.starts_with("batch-") {
            places.push(Place { command, point: point.to_owned(), pass: *pass });
        }
    }
    places
}

/// Every point that the product names.
fn named() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/fault.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let list = source.split("POINTS: &[&str] = &[").nth(1).unwrap().split("];").next().unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_point_that_a_command_passes_is_in_the_committed_list() {
    let mut lines = vec![
        "# Points that each command passes, in its order, with the number of passes. Made by"
            .to_owned(),
        "# ZDM_REWRITE=1 cargo test --test it -- crash::points".to_owned(),
    ];
    let seldom = seldom::POINTS.iter().chain(&hard_fence::POINTS);
    let mut seen: Vec<String> = seldom.map(|point| (*point).to_owned()).collect();
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let Some(calm) = calm(engine) else { return };
        for (command, places) in calm.places() {
            let mut order: Vec<(&str, usize)> = Vec::new();
            for place in places {
                match order.iter_mut().find(|(point, _)| *point == place.point) {
                    Some((_, passes)) => *passes = place.pass,
                    None => order.push((&place.point, place.pass)),
                }
            }
            for (point, passes) in order {
                lines.push(format!("{engine} {command} {point} {passes}"));
                seen.push(point.to_owned());
            }
        }
    }
    let list = lines.join("\n") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/crash/points.txt");
    if std::env::var_os("ZDM_REWRITE").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    eprintln!("{list}");
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), list);
    for point in named() {
        assert!(seen.contains(&point), "nothing is tried at {point}");
    }
}

#[test]
fn a_transaction_of_the_engine_ends_where_its_points_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine");
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Verifying a plan is done on a throwaway server.
            if path.ends_with("engine/verify") || path.ends_with("engine/commit.rs") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let own = text.split("#[cfg(test)]").next().unwrap();
            let is_test = path.to_string_lossy().contains("tests");
            assert!(
                is_test || !own.contains(".commit()"),
                "{}: use engine::commit",
                path.display()
            );
        }
    }
}
