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

/// A file that was split.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SourceFile {
    /// In their order, without BEGIN and COMMIT.
    pub(crate) statements: Vec<SourceStatement>,
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
    file(text, engine, RunBy::Zdm).statements
}

/// The statements of a file, and what is left behind the last one.
pub(crate) fn file(text: &str, engine: Engine, run_by: RunBy) -> SourceFile {
    let places = Places::of(text);
    let (pieces, trailing) = scan::pieces(text, engine, run_by);
    let statements = pieces
        .into_iter()
        .map(|piece| {
            let sql = text.get(piece.start..piece.end).unwrap_or_default().to_owned();
            let nul = sql.contains('\0').then(|| "it contains a NUL byte".to_owned());
            SourceStatement {
                span: places.span(piece.start, piece.end),
                sql,
                group: None,
                problem: piece.problem.or(nul),
                directives: piece.directives.iter().map(|note| note.at(&places)).collect(),
            }
        })
        .collect();
    SourceFile {
        statements: groups::group(statements, engine, run_by),
        trailing: trailing.iter().map(|note| note.at(&places)).collect(),
    }
}

/// A statement's bytes, before lines and columns are known.
#[derive(Debug)]
struct Piece {
    start: usize,
    end: usize,
    problem: Option<String>,
    directives: Vec<Note>,
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
