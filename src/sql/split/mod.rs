//! A file of SQL to statements with their places.
//!
//! Whatever the file holds, each byte of it is in a statement, in a terminator, in white space or in a comment:
//! nothing is lost in silence. What cannot be run carries its problem instead of being left out. In the file of another
//! tool, what is for its client or undoes the migration is left out, too.

mod blocks;
mod clients;
mod groups;
mod markers;
mod scan;

use super::span::{Places, Span};
use crate::model::server::Engine;

/// One statement of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SourceStatement {
    /// From its first token to its last; comments in front of it and the closing semicolon do not belong to it.
    pub(crate) span: Span,
    /// Exactly one statement, without a closing semicolon, as the file writes it.
    pub(crate) sql: String,
    /// Statements of one `BEGIN; ... COMMIT;` of the file have the same number.
    pub(crate) group: Option<usize>,
    /// Why it cannot be run at all (an open quote, a command of psql, data of COPY), in words that complete a
    /// sentence about the file.
    pub(crate) problem: Option<String>,
    /// Comments in front of it or inside it that speak to zdm (`zdm:...`).
    pub(crate) directives: Vec<Directive>,
}

/// A comment that speaks to zdm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Directive {
    /// The comment.
    pub(crate) span: Span,
    /// What stands behind `zdm:`, trimmed.
    pub(crate) text: String,
}

/// A file that was cut into pieces. Of a long one they take far less memory than its statements.
#[derive(Debug)]
pub(crate) struct Cut {
    /// In their order, without BEGIN and COMMIT.
    pub(crate) pieces: Vec<Piece>,
    /// Comments that speak to zdm and have no statement behind them.
    pub(crate) trailing: Vec<Directive>,
}

/// Who runs a file, and so decides what of it is SQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RunBy {
    /// zdm, which sends statements to the server and nothing else.
    Zdm,
    /// psql, mysql, goose, dbmate, Liquibase, ...: what their commands and comments say is followed, and the part that
    /// undoes a migration is left out.
    AnyTool,
}

/// The statements of a file that zdm runs.
pub(crate) fn statements(text: &str, engine: Engine) -> Vec<SourceStatement> {
    let places = Places::of(text);
    let pieces = cut(text, &places, engine, RunBy::Zdm).pieces.into_iter();
    pieces.map(|piece| piece.statement(text, &places)).collect()
}

/// Cuts a file into its statements.
pub(crate) fn cut(text: &str, places: &Places<'_>, engine: Engine, run_by: RunBy) -> Cut {
    let (pieces, trailing) = scan::pieces(text, engine, run_by);
    Cut {
        pieces: groups::group(pieces, text, (engine, run_by)),
        trailing: trailing.iter().map(|note| note.at(places)).collect(),
    }
}

/// A statement's bytes, before lines and columns are known.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    start: usize,
    end: usize,
    group: Option<u32>,
    /// What few have.
    seldom: Option<Box<Seldom>>,
}

/// What is to be said of a statement besides its text.
#[derive(Debug, Default)]
struct Seldom {
    problem: Option<String>,
    directives: Vec<Note>,
}

impl Piece {
    fn new(start: usize, end: usize, problem: Option<String>, directives: Vec<Note>) -> Self {
        let is_plain = problem.is_none() && directives.is_empty();
        let seldom = (!is_plain).then(|| Box::new(Seldom { problem, directives }));
        Self { start, end, group: None, seldom }
    }

    fn has_problem(&self) -> bool {
        self.seldom.as_ref().is_some_and(|seldom| seldom.problem.is_some())
    }

    fn set_problem(&mut self, why: &str) {
        self.seldom.get_or_insert_default().problem = Some(why.to_owned());
    }

    /// The statement, of the text and the places that it was cut from.
    pub(crate) fn statement(self, text: &str, places: &Places<'_>) -> SourceStatement {
        let Seldom { problem, directives } = self.seldom.map(|seldom| *seldom).unwrap_or_default();
        SourceStatement {
            span: places.span(self.start, self.end),
            sql: text.get(self.start..self.end).unwrap_or_default().to_owned(),
            group: self.group.map(|group| group as usize),
            problem,
            directives: directives.iter().map(|note| note.at(places)).collect(),
        }
    }
}

/// A directive's bytes.
#[derive(Debug)]
struct Note {
    start: usize,
    end: usize,
    text: String,
}

impl Note {
    fn at(&self, places: &Places<'_>) -> Directive {
        Directive { span: places.span(self.start, self.end), text: self.text.clone() }
    }
}

#[cfg(test)]
mod tests;
