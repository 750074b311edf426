//! A file of SQL to statements with their places.
//!
//! Whatever the file holds, each byte of it is in a statement, in a terminator, in white space or in a comment:
//! nothing is lost in silence. What cannot be run carries its problem instead of being left out.

mod blocks;
mod clients;
mod groups;
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

/// The statements of a file.
pub(crate) fn statements(text: &str, engine: Engine) -> Vec<SourceStatement> {
    file(text, engine).statements
}

/// The statements of a file, and what is left behind the last one.
pub(crate) fn file(text: &str, engine: Engine) -> SourceFile {
    let places = Places::of(text);
    let (pieces, trailing) = scan::pieces(text, engine);
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
        statements: groups::group(statements, engine),
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
