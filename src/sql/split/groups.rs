//! `BEGIN; ... COMMIT;` in a file: its statements become one step.

use super::{RunBy, SourceStatement};
use crate::model::server::Engine;
use crate::sql::tokens::acting;

/// Numbers the groups and takes BEGIN and COMMIT away. What other tools run may end transactions as it likes.
pub(super) fn group(
    statements: Vec<SourceStatement>,
    engine: Engine,
    run_by: RunBy,
) -> Vec<SourceStatement> {
    let problem = |words: &str| (run_by == RunBy::Zdm).then(|| words.to_owned());
    let mut result = Vec::with_capacity(statements.len());
    let mut open: Option<SourceStatement> = None;
    let mut number = 0;
    for mut statement in statements {
        let edge =
            if statement.problem.is_some() { Edge::None } else { edge(&statement.sql, engine) };
        match edge {
            Edge::Begin if open.is_none() => {
                number += 1;
                open = Some(statement);
                continue;
            }
            Edge::Commit if open.take().is_some() => continue,
            Edge::Begin => statement.problem = problem("it opens a transaction inside another"),
            Edge::Commit => {
                statement.problem = problem("it ends a transaction that no BEGIN opened");
            }
            Edge::Rollback => {
                open = open.filter(|_| run_by == RunBy::Zdm);
                statement.problem = problem("it rolls back what the file has just done");
            }
            Edge::None => {}
        }
        statement.group = open.is_some().then_some(number);
        result.push(statement);
    }
    if let Some(mut begin) = open {
        begin.problem = problem("it opens a transaction that no COMMIT ends");
        let at = result.partition_point(|other| other.span.start < begin.span.start);
        result.insert(at, begin);
    }
    result
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
