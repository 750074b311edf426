//! What this layer says, against what real servers do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of tests do not count as tests for clippy"
)]

mod confirmed;
mod mysql;
mod page;
mod postgres;
mod spelling;

use super::{Judged, judge as judge_changes};
use crate::model::server::{Engine, Server};
use crate::sql::catalog::Catalog;
use crate::sql::replay::Names;
use crate::sql::span::Span;

use crate::sql::{Session, split, understand};

/// The catalog after some statements.
fn replay(engine: Engine, text: &str, names: &Names) -> Catalog {
    let mut catalog = Catalog::default();
    replay_on(&mut catalog, engine, text, names);
    catalog
}

/// The same on a catalog that is there.
fn replay_on(catalog: &mut Catalog, engine: Engine, text: &str, names: &Names) {
    for statement in split::statements(text, engine) {
        let changes = names.resolve(understand(&statement.sql, statement.span, engine), catalog);
        catalog.apply(&changes, engine);
    }
    catalog.settle();
}

/// What a statement costs, and the rows that say so.
fn judged(sql: &str, setup: &str, catalog: &Catalog, (names, server): (&Names, Server)) -> Judged {
    let understood = |sql: &str| understand(sql, Span::whole(sql), server.engine);
    let mut changes = understood(sql);
    if server.engine.is_mysql_family() {
        let mut session = Session::new(server.engine);
        for one in split::statements(setup, server.engine) {
            session.follow(&one.sql, Span::whole(&one.sql), understood(&one.sql));
        }
        changes = session.follow(sql, Span::whole(sql), changes);
    }
    let changes = names.resolve(changes, catalog);
    judge_changes(&changes, catalog, server)
}
