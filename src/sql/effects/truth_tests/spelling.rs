//! What a statement costs does not depend on how it is written: with names in quotes, in small letters, with comments.

use std::collections::BTreeSet;

use super::{judged, mysql, postgres, replay, replay_on};
use crate::model::server::{Engine, Server};
use crate::sql::catalog::Catalog;
use crate::sql::effects::rows;
use crate::sql::replay::Names;

/// Names of the base schema that mean something else without quotes, somewhere.
const AMBIGUOUS: &[&str] = &[
    "public", "value", "name", "text", "date", "day", "key", "data", "status", "old", "new", "heap",
];

/// A part of a statement.
enum Piece<'s> {
    Word(&'s str),
    Space(&'s str),
    /// Something in quotes, or a sign.
    Other(&'s str),
}

/// The parts of a statement; none when it has something whose inside counts: dollar quotes, hints in comments.
fn pieces(sql: &str) -> Option<Vec<Piece<'_>>> {
    if ["$", "/*", "--"].iter().any(|mark| sql.contains(mark)) {
        return None;
    }
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = match first {
            '\'' | '"' | '`' => 2 + rest.get(1..)?.find(first)?,
            c if c.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            c if is_word(c) => rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (piece, behind) = rest.split_at(end);
        pieces.push(match first {
            c if c.is_whitespace() => Piece::Space(piece),
            c if is_word(c) => Piece::Word(piece),
            _ => Piece::Other(piece),
        });
        rest = behind;
    }
    Some(pieces)
}

impl Piece<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Space(text) | Self::Other(text) => text,
        }
    }
}

/// What stands for another spelling of one piece; none: it stays.
type Change<'c> = &'c dyn Fn(usize, &Piece<'_>) -> Option<String>;

/// The statement in other spellings.
fn spellings(sql: &str, engine: Engine, known: &Known) -> Vec<String> {
    let Some(pieces) = pieces(sql) else { return Vec::new() };
    let is = |at: Option<usize>, signs: &[&str]| {
        at.and_then(|at| pieces.get(at)).is_some_and(|piece| signs.contains(&piece.text()))
    };
    let quote = if engine == Engine::Postgres { '"' } else { '`' };
    let quoted: Change<'_> = &|_, piece| match piece {
        Piece::Word(text) if known.names.contains(*text) => Some(format!("{quote}{text}{quote}")),
        _ => None,
    };
    let qualified: Change<'_> = &|at, piece| match piece {
        // A table stands behind a word in capitals, or behind another table: an alias or a column does not.
        Piece::Word(text) if known.tables.contains(*text) && !is(Some(at + 1), &["."]) => {
            let before = at.checked_sub(2).and_then(|at| pieces.get(at)).map_or("", Piece::text);
            let is_table = before == "," || before.chars().all(|c| c.is_ascii_uppercase());
            is_table.then(|| format!("public.{text}"))
        }
        _ => None,
    };
    let dense: Change<'_> = &|at, piece| match piece {
        Piece::Space(_) => {
            let signs = ["(", ")", ",", "="];
            (is(at.checked_sub(1), &signs) || is(Some(at + 1), &signs)).then(String::new)
        }
        _ => None,
    };
    let small: Change<'_> = &|_, piece| match piece {
        Piece::Word(text) => Some(text.to_lowercase()),
        _ => None,
    };
    let commented: Change<'_> = &|_, piece| match piece {
        Piece::Space(_) => Some(" /* why: it's \"so\" */\r\n\t".to_owned()),
        _ => None,
    };
    let write = |change: Change<'_>| -> String {
        let write = |(at, piece)| change(at, piece).unwrap_or_else(|| piece.text().to_owned());
        pieces.iter().enumerate().map(write).collect()
    };
    [quoted, qualified, dense, small, commented].map(write).into()
}

/// What can be written in another way, wherever it stands.
struct Known {
    /// Names that may stand in quotes.
    names: BTreeSet<String>,
    /// Tables that may have their schema in front (PostgreSQL).
    tables: BTreeSet<String>,
}

impl Known {
    fn of(catalog: &Catalog, engine: Engine) -> Self {
        let mut tables: BTreeSet<_> = catalog.tables.keys().map(|name| name.name.clone()).collect();
        let mut names = tables.clone();
        for (_, known) in catalog.tables.iter() {
            for column in &known.columns {
                tables.remove(&column.name);
                names.insert(column.name.clone());
            }
            names.extend(known.indexes.iter().map(|index| index.name.clone()));
            names.extend(known.constraints.iter().map(|constraint| constraint.name.clone()));
        }
        names.retain(|name| !AMBIGUOUS.contains(&name.as_str()));
        tables.retain(|name| engine == Engine::Postgres && !AMBIGUOUS.contains(&name.as_str()));
        Self { names, tables }
    }
}

fn check(servers: &[Server], base: &str) {
    let mut wrong = Vec::new();
    for server in servers {
        let resolving = Names::new(server.engine, &[]);
        let before = replay(server.engine, base, &resolving);
        for row in rows::all(server.engine).iter().filter(|row| row.answer(*server).is_some()) {
            let mut catalog = before.clone();
            replay_on(&mut catalog, server.engine, &row.setup, &resolving);
            let cost = |sql: &str| judged(sql, &row.setup, &catalog, (&resolving, *server)).effect;
            let known = Known::of(&catalog, server.engine);
            for example in &row.examples {
                let others = spellings(example, server.engine, &known);
                let differing = others.into_iter().filter(|other| cost(other) != cost(example));
                wrong.extend(differing.map(|other| format!("{}: {other}", row.id)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_a_statement_of_postgres_costs_does_not_depend_on_its_spelling() {
    check(&[Server { engine: Engine::Postgres, version: (18, 0) }], &postgres::BASE);
}

#[test]
fn what_a_statement_of_mysql_costs_does_not_depend_on_its_spelling() {
    let mariadb = Server { engine: Engine::MariaDb, version: (11, 4) };
    let mysql = Server { engine: Engine::MySql, version: (9, 4) };
    check(&[mariadb, mysql], &mysql::BASE);
}
