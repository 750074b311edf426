//! The way in for `fuzz/`.

use std::collections::BTreeMap;

use super::read::read_file;
use super::{FileContext, judge_file};
use crate::model::server::{Engine, Server};
use crate::sql::catalog::Catalog;
use crate::sql::replay::Names;
use crate::sql::split::RunBy;

/// Judges a text as a file of each family of servers, run by zdm and by other tools.
pub fn fuzz_lint(text: &str) {
    let rules = BTreeMap::new();
    for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
        let names = Names::new(engine, &[]);
        for run_by in [RunBy::Zdm, RunBy::AnyTool] {
            let mut cx = FileContext {
                phase: None,
                server: Server { engine, version: (15, 0) },
                names: &names,
                catalog: &mut Catalog::default(),
                rules: &rules,
                backfilled: &[],
            };
            let _statements = judge_file(read_file(text, engine, run_by), &mut cx);
        }
    }
}
