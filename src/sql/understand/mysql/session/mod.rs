//! What a session of MySQL or MariaDB remembers from one statement of a file to the next: texts in variables, prepared
//! statements, and the procedures that the file makes. With them `EXECUTE` and `CALL` can be followed.
//!
//! Which branch is taken is not asked: each text that a variable may hold counts.

mod body;
mod settings;
mod texts;

use std::collections::BTreeMap;

use sqlparser::tokenizer::Token;

use crate::model::server::Engine;
use crate::sql::change::{Change, IN_BLOCK, KEYS_UNCHECKED, Located};
use crate::sql::span::Span;
use crate::sql::tokens::{Lexeme, acting};
use crate::sql::understand::reader::Reader;
use crate::sql::understand::understand;
use texts::Texts;

/// How deep procedures and texts may run one another.
const DEEPEST: usize = 4;

/// Statements that are longer, in bytes, are not followed.
const LONGEST: usize = 256 << 10;

/// So many bytes of procedures and texts are read for one file.
const MOST: usize = 8 << 20;

/// Its memory. Names are in lower case, as they are compared.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    engine: Engine,
    /// What a variable may hold; none: it cannot be told.
    variables: BTreeMap<String, Option<Texts>>,
    /// What a prepared statement may run.
    prepared: BTreeMap<String, Option<Texts>>,
    /// The statement that a procedure runs.
    procedures: BTreeMap<String, String>,
    /// Whether `foreign_key_checks` is off.
    keys_unchecked: bool,
    /// In how many procedures and texts the next statement stands.
    depth: usize,
    /// So many bytes of procedures and texts may still be read.
    left: usize,
}

impl Session {
    /// One that remembers nothing.
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            variables: BTreeMap::new(),
            prepared: BTreeMap::new(),
            procedures: BTreeMap::new(),
            keys_unchecked: false,
            depth: 0,
            left: MOST,
        }
    }

    /// Takes note of a statement that has been understood; what it runs takes the place of saying that it runs something.
    pub(crate) fn follow(
        &mut self,
        sql: &str,
        span: Span,
        mut changes: Vec<Located>,
    ) -> Vec<Located> {
        if sql.len() > LONGEST || !concerns(sql) {
            mark(&mut changes, self.keys_unchecked);
            return changes;
        }
        let lexed = acting(sql, self.engine);
        let statement = Reader { sql, engine: self.engine, rest: &lexed.lexemes };
        mark(&mut changes, settings::of_statement(statement).unwrap_or(self.keys_unchecked));
        let Some(mut run) = self.run(statement) else { return changes };
        if run.iter().any(|located| located.change != Change::Harmless) {
            run.retain(|located| located.change != Change::Harmless);
        }
        for located in &mut run {
            located.span = span;
            located.marks.insert(IN_BLOCK);
        }
        run.dedup();
        if run.is_empty() {
            run.push(Located::new(Change::Harmless, span));
        }
        run
    }

    /// What a statement runs, if it runs others and they are known.
    fn run(&mut self, mut statement: Reader<'_>) -> Option<Vec<Located>> {
        let whole = statement;
        match statement.word().as_str() {
            "SET" => self.assigned(statement),
            "SELECT" => self.selected(statement),
            "PREPARE" => {
                statement.skip();
                let name = statement.name()?.to_lowercase();
                let texts = statement.eat("FROM").then(|| self.texts(statement)).flatten();
                self.prepared.insert(name, texts);
            }
            "EXECUTE" => {
                statement.skip();
                let texts = if statement.eat("IMMEDIATE") {
                    let (text, _using) = statement.split_at_word(&["USING"]);
                    self.texts(text)
                } else {
                    self.prepared.get(&statement.name()?.to_lowercase())?.clone()
                };
                return self.inside(|session| {
                    let texts = texts?;
                    Some(texts.iter().flat_map(|text| session.text(text)).collect())
                });
            }
            "CREATE" => {
                let (name, text) = body::of_procedure(statement)?;
                self.procedures.insert(name, text.to_owned());
            }
            "DROP" if statement.eat("DROP PROCEDURE") => {
                let _exists: bool = statement.eat("IF EXISTS");
                self.procedures.remove(&statement.table()?.name.to_lowercase());
            }
            "CALL" => {
                statement.skip();
                let name = statement.table()?.name.to_lowercase();
                let text = self.procedures.get(&name).cloned();
                let run = text.and_then(|text| self.inside(|session| session.body(&text)));
                if run.is_none() {
                    // It may have set anything.
                    self.variables.clear();
                    self.prepared.clear();
                }
                // OUT parameters.
                for lexeme in statement.rest.iter().filter_map(Lexeme::word) {
                    self.variables.remove(&lexeme.to_lowercase());
                }
                return run;
            }
            "BEGIN" if statement.eat("BEGIN NOT ATOMIC") => {
                return self.inside(|session| session.body(whole.text()));
            }
            _ => {}
        }
        None
    }

    /// Runs others inside of this statement.
    fn inside<T>(&mut self, run: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        (self.depth < DEEPEST).then_some(())?;
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// What a text of SQL does, as a statement of its own.
    fn text(&mut self, sql: &str) -> Vec<Located> {
        // PREPARE takes a text with a semicolon at its end.
        let sql = sql.trim_end().trim_end_matches(';');
        let span = Span::whole(sql);
        let Some(left) = self.left.checked_sub(sql.len()) else {
            let why = "it runs more than zdm reads".to_owned();
            return vec![Located::new(Change::Opaque { why }, span)];
        };
        self.left = left;
        self.follow(sql, span, understand(sql, span, self.engine))
    }

    /// `SET @a = expression, b := expression`
    fn assigned(&mut self, mut statement: Reader<'_>) {
        statement.skip();
        for mut part in statement.parts() {
            if let Some(unchecked) = settings::keys_unchecked(part) {
                self.keys_unchecked = unchecked;
            }
            let Some(name) = part.name() else { continue };
            if part.eat_token(&Token::Eq) || part.eat_token(&Token::Assignment) {
                let texts = self.texts(part);
                self.remember(name.to_lowercase(), texts);
            }
        }
    }

    /// `SELECT expression INTO @a FROM ...`, `SELECT @a := expression`
    fn selected(&mut self, mut statement: Reader<'_>) {
        statement.skip();
        let (list, _) = statement.split_at_word(&["FROM", "INTO", "WHERE", "LIMIT"]);
        let (_, mut into) = statement.split_at_word(&["INTO"]);
        let values: Vec<_> = list.parts().iter().map(|part| self.texts(*part)).collect();
        if into.eat("INTO") {
            let (names, _) = into.split_at_word(&["FROM", "WHERE", "LIMIT"]);
            for (number, mut name) in names.parts().into_iter().enumerate() {
                let Some(name) = name.name() else { continue };
                self.remember(name.to_lowercase(), values.get(number).cloned().flatten());
            }
        }
        for mut part in list.parts() {
            let Some(name) = part.name() else { continue };
            if part.eat_token(&Token::Assignment) {
                let texts = self.texts(part);
                self.remember(name.to_lowercase(), texts);
            }
        }
    }

    /// Inside of procedures what is set in one branch does not undo what another has set.
    fn remember(&mut self, name: String, texts: Option<Texts>) {
        let texts = match self.variables.remove(&name) {
            Some(before) if self.depth > 0 => texts::either(before, texts),
            _ => texts,
        };
        self.variables.insert(name, texts);
    }

    /// `FETCH cursor INTO a, b`
    fn fetched(&mut self, statement: Reader<'_>) {
        let (_, mut into) = statement.split_at_word(&["INTO"]);
        into.skip();
        for mut name in into.parts() {
            if let Some(name) = name.name() {
                self.variables.insert(name.to_lowercase(), None);
            }
        }
    }

    /// Forgets the variables that belong to a procedure: those of a session begin with `@`.
    fn without_locals(&mut self) -> BTreeMap<String, Option<Texts>> {
        let (own, locals) = std::mem::take(&mut self.variables)
            .into_iter()
            .partition(|(name, _)| name.starts_with('@'));
        self.variables = own;
        locals
    }
}

/// Says of clauses that they run while foreign keys are not checked.
fn mark(changes: &mut [Located], keys_unchecked: bool) {
    if keys_unchecked {
        for located in changes {
            located.marks.insert(KEYS_UNCHECKED);
        }
    }
}

/// Whether a statement may be one of those that are remembered or followed, by its first letters.
fn concerns(sql: &str) -> bool {
    let word: String = sql.chars().take_while(char::is_ascii_alphabetic).collect();
    let word = word.to_ascii_uppercase();
    word.is_empty()
        || matches!(
            word.as_str(),
            "SET" | "SELECT" | "PREPARE" | "EXECUTE" | "CREATE" | "DROP" | "CALL" | "BEGIN"
        ) && !is_of_another_kind(&word, sql)
}

/// CREATE and DROP are frequent: of tables and indexes nothing is remembered.
fn is_of_another_kind(word: &str, sql: &str) -> bool {
    const NAMED: usize = 200;
    let head = sql.get(..sql.floor_char_boundary(NAMED)).unwrap_or(sql).to_ascii_uppercase();
    matches!(word, "CREATE" | "DROP") && !head.contains("PROCEDURE")
}

#[cfg(test)]
mod tests;
