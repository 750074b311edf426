//! A file before anything is known of the schema: its statements, and what they do.

use super::tools;
use crate::model::server::Engine;
use crate::sql::change::{Change, Located};
use crate::sql::span::Places;
use crate::sql::split::{self, Directive, Piece, RunBy, SourceStatement};
use crate::sql::understand;
use crate::sql::{Session, Zone};

/// A statement, and what it does, with the tables as it names them.
pub(crate) type Read = (SourceStatement, Vec<Located>);

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ReadFile {
    /// In their order.
    pub(crate) statements: Vec<Read>,
    pub(super) frame: Frame,
}

/// What is known of a file besides its statements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    /// Comments that speak to zdm and have no statement behind them.
    pub(super) trailing: Vec<Directive>,
    /// Whether the tool that runs it does so in one transaction.
    pub(super) transaction: bool,
}

/// A file of which the begin was read. The rest of a long one is read when it is judged, so that it does not stand in
/// memory all at once.
#[derive(Debug)]
pub(crate) struct BegunFile {
    begun: Vec<Read>,
    rest: Rest,
    pub(super) frame: Frame,
}

/// So many statements of a file are read ahead.
const AHEAD: usize = 1_000;

/// What is still to be read.
#[derive(Debug)]
struct Rest {
    pieces: std::vec::IntoIter<Piece>,
    engine: Engine,
    session: Option<Session>,
    zone: Option<Zone>,
}

/// Reads a file: what takes the longest, and needs nothing but its text.
pub(crate) fn read_file(text: &str, engine: Engine, run_by: RunBy) -> ReadFile {
    let places = Places::of(text);
    let (mut rest, frame) = Rest::of(text, &places, (engine, run_by));
    ReadFile { statements: std::iter::from_fn(|| rest.read(text, &places)).collect(), frame }
}

/// Reads the begin of a file.
pub(crate) fn begin_file(text: &str, engine: Engine, run_by: RunBy) -> BegunFile {
    let places = Places::of(text);
    let (mut rest, frame) = Rest::of(text, &places, (engine, run_by));
    let begun = (0..AHEAD).map_while(|_| rest.read(text, &places)).collect();
    BegunFile { begun, rest, frame }
}

impl BegunFile {
    /// All of its statements, in their order.
    pub(super) fn statements(self, text: &str) -> (impl Iterator<Item = Read>, Frame) {
        let Self { begun, mut rest, frame } = self;
        let places = if rest.pieces.len() > 0 { Places::of(text) } else { Places::of("") };
        let rest = std::iter::from_fn(move || rest.read(text, &places));
        (begun.into_iter().chain(rest), frame)
    }
}

impl Rest {
    fn of(text: &str, places: &Places<'_>, (engine, run_by): (Engine, RunBy)) -> (Self, Frame) {
        let cut = split::cut(text, places, engine, run_by);
        // zdm itself runs a file statement by statement, and in other sessions after a lost connection.
        let is_followed = run_by == RunBy::AnyTool && engine.is_mysql_family();
        let session = is_followed.then(|| Session::new(engine));
        let has_zone = run_by == RunBy::AnyTool && engine == Engine::Postgres;
        let zone = has_zone.then(Zone::default);
        let transaction = tools::wraps_in_a_transaction(text);
        let frame = Frame { trailing: cut.trailing, transaction };
        (Self { pieces: cut.pieces.into_iter(), engine, session, zone }, frame)
    }

    fn read(&mut self, text: &str, places: &Places<'_>) -> Option<Read> {
        let source = self.pieces.next()?.statement(text, places);
        let mut changes = changes(&source, self.engine);
        if let Some(session) = &mut self.session {
            changes = session.follow(&source.sql, source.span, changes);
        }
        if let Some(zone) = &mut self.zone {
            zone.follow(&source.sql, &mut changes);
        }
        Some((source, changes))
    }
}

/// What a statement of a file does, with the tables as it names them.
pub(super) fn changes(source: &SourceStatement, engine: Engine) -> Vec<Located> {
    match &source.problem {
        Some(why) => {
            vec![Located::new(Change::Opaque { why: why.clone() }, source.span)]
        }
        None => understand(&source.sql, source.span, engine),
    }
}
