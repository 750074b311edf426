//! `BEGIN; ... COMMIT;` in a file: its statements become one step.

use super::{Piece, RunBy};
use crate::model::server::Engine;
use crate::sql::tokens::acting;

/// Numbers the groups and takes BEGIN and COMMIT away. What other tools run may end transactions as it likes.
pub(super) fn group(
    mut pieces: Vec<Piece>,
    text: &str,
    (engine, run_by): (Engine, RunBy),
) -> Vec<Piece> {
    let problem = |piece: &mut Piece, why| {
        if run_by == RunBy::Zdm {
            piece.set_problem(why);
        }
    };
    let mut open: Option<Piece> = None;
    let mut number = 0;
    pieces.retain_mut(|piece| {
        let sql = text.get(piece.start..piece.end).unwrap_or_default();
        let edge = if piece.has_problem() { Edge::None } else { edge(sql, engine) };
        match edge {
            Edge::Begin if open.is_none() => {
                number += 1;
                open = Some(std::mem::take(piece));
                return false;
            }
            Edge::Commit if open.take().is_some() => return false,
            Edge::Begin => problem(piece, "it opens a transaction inside another"),
            Edge::Commit => problem(piece, "it ends a transaction that no BEGIN opened"),
            Edge::Rollback => {
                open.take_if(|_| run_by != RunBy::Zdm);
                problem(piece, "it rolls back what the file has just done");
            }
            Edge::None => {}
        }
        piece.group = open.is_some().then_some(number);
        true
    });
    if let Some(mut begin) = open {
        problem(&mut begin, "it opens a transaction that no COMMIT ends");
        let at = pieces.partition_point(|other| other.start < begin.start);
        pieces.insert(at, begin);
    }
    pieces
}

/// What a statement does to the file's own transaction.
#[derive(Clone, Copy)]
enum Edge {
    None,
    Begin,
    Commit,
    Rollback,
}

fn edge(sql: &str, engine: Engine) -> Edge {
    // Only short statements that begin so can be edges: the rest need not be read again.
    if sql.len() > 200 || !may_be_edge(sql) {
        return Edge::None;
    }
    let lexed = acting(sql, engine);
    let words: Vec<_> =
        lexed.lexemes.iter().map(|lexeme| lexeme.word().unwrap_or_default()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["BEGIN", "NOT", ..] => Edge::None,
        ["BEGIN", ..] | ["START", "TRANSACTION", ..] => Edge::Begin,
        ["COMMIT" | "END"] | ["COMMIT" | "END", "WORK" | "TRANSACTION"] => Edge::Commit,
        ["ROLLBACK" | "ABORT"] | ["ROLLBACK", "WORK" | "TRANSACTION"] => Edge::Rollback,
        _ => Edge::None,
    }
}

fn may_be_edge(sql: &str) -> bool {
    let end = sql.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(sql.len());
    let word = sql.get(..end).unwrap_or_default();
    // What begins with a comment may be executable.
    let words = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", ""];
    words.iter().any(|edge| word.eq_ignore_ascii_case(edge))
}
