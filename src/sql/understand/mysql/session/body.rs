//! What procedures run: the statements between BEGIN and END. One that cannot be followed to its end is not followed at
//! all.
//!
//! Source: MySQL manual, Compound Statements; MariaDB, Programmatic & Compound Statements.

use sqlparser::tokenizer::Token;

use super::Session;
use crate::sql::change::Located;
use crate::sql::tokens::acting;
use crate::sql::understand::reader::Reader;

/// How deep blocks may stand in one another.
const DEEPEST: usize = 40;

/// What may stand between a procedure's parameters and its statement.
const SAID: &[&str] = &[
    "LANGUAGE SQL",
    "NOT DETERMINISTIC",
    "DETERMINISTIC",
    "CONTAINS SQL",
    "NO SQL",
    "READS SQL DATA",
    "MODIFIES SQL DATA",
    "SQL SECURITY DEFINER",
    "SQL SECURITY INVOKER",
];

/// The name of the procedure that a statement makes, in lower case, and the statement that it runs.
pub(super) fn of_procedure(mut create: Reader<'_>) -> Option<(String, &str)> {
    create.eat("CREATE").then_some(())?;
    while !create.eat("PROCEDURE") {
        // OR REPLACE, DEFINER = 'a'@'b'
        (!create.is_empty()).then_some(())?;
        create.skip();
    }
    let _exists: bool = create.eat("IF NOT EXISTS");
    let name = create.table()?.name.to_lowercase();
    create.parenthesis()?;
    loop {
        if create.eat("COMMENT") {
            create.skip();
        } else if !create.eat_any(SAID) {
            break;
        }
    }
    Some((name, create.text()))
}

impl Session {
    /// What the statement does that a procedure runs; `None`: it cannot be told.
    pub(super) fn body(&mut self, text: &str) -> Option<Vec<Located>> {
        let lexed = acting(text, self.engine);
        lexed.error.is_none().then_some(())?;
        let engine = self.engine;
        let locals = self.without_locals();
        let walk = |session: &mut Self| {
            let rest = Reader { sql: text, engine, rest: &lexed.lexemes };
            let mut body = Body { session, rest, changes: Vec::new(), depth: 0 };
            body.statement()?;
            let _end: bool = body.rest.eat_token(&Token::SemiColon);
            body.rest.is_empty().then_some(body.changes)
        };
        // Variables that a loop sets for its next round are known the second time.
        let changes = walk(self).and_then(|_| walk(self));
        self.without_locals();
        self.variables.extend(locals);
        changes
    }
}

struct Body<'s, 'a> {
    session: &'s mut Session,
    rest: Reader<'a>,
    changes: Vec<Located>,
    depth: usize,
}

impl<'a> Body<'_, 'a> {
    /// A statement without its semicolon.
    fn statement(&mut self) -> Option<()> {
        self.label();
        match self.rest.word().as_str() {
            "BEGIN" => {
                self.rest.skip();
                let _compound: bool = self.rest.eat("NOT ATOMIC");
                self.statements(&["END"])?;
                self.end("")
            }
            "IF" => {
                while self.rest.eat_any(&["IF", "ELSEIF"]) {
                    self.until("THEN")?;
                    self.statements(&["ELSEIF", "ELSE", "END"])?;
                }
                if self.rest.eat("ELSE") {
                    self.statements(&["END"])?;
                }
                self.end("IF")
            }
            "CASE" => {
                self.rest.skip();
                while self.rest.word() != "WHEN" {
                    (!self.rest.is_empty()).then_some(())?;
                    self.rest.skip();
                }
                while self.rest.eat("WHEN") {
                    self.until("THEN")?;
                    self.statements(&["WHEN", "ELSE", "END"])?;
                }
                if self.rest.eat("ELSE") {
                    self.statements(&["END"])?;
                }
                self.end("CASE")
            }
            "LOOP" => {
                self.rest.skip();
                self.statements(&["END"])?;
                self.end("LOOP")
            }
            "WHILE" => {
                self.until("DO")?;
                self.statements(&["END"])?;
                self.end("WHILE")
            }
            "REPEAT" => {
                self.rest.skip();
                self.statements(&["UNTIL"])?;
                self.until("END")?;
                self.rest.eat("REPEAT").then_some(())?;
                self.own_label();
                Some(())
            }
            "DECLARE" => self.declaration(),
            _ => self.plain(),
        }
    }

    /// Statements, each with its semicolon, up to one of the words.
    fn statements(&mut self, ends: &[&str]) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())?;
        while !ends.contains(&self.rest.word().as_str()) {
            self.statement()?;
            self.rest.eat_token(&Token::SemiColon).then_some(())?;
        }
        self.depth -= 1;
        Some(())
    }

    /// `label:`
    fn label(&mut self) {
        let mut rest = self.rest;
        if rest.name().is_some() && rest.eat_token(&Token::Colon) {
            self.rest = rest;
        }
    }

    /// The label behind an END.
    fn own_label(&mut self) {
        if self.rest.rest.first().is_some_and(|next| next.token != Token::SemiColon) {
            let _label: Option<String> = self.rest.name();
        }
    }

    /// `END [of] [label]`
    fn end(&mut self, of: &str) -> Option<()> {
        self.rest.eat("END").then_some(())?;
        (of.is_empty() || self.rest.eat(of)).then_some(())?;
        self.own_label();
        Some(())
    }

    /// `DECLARE a, b type [DEFAULT expression]`, `DECLARE name CURSOR FOR query`, `DECLARE name CONDITION FOR value`,
    /// `DECLARE CONTINUE HANDLER FOR condition, ... statement`
    fn declaration(&mut self) -> Option<()> {
        self.rest.skip();
        if self.rest.eat_any(&["CONTINUE HANDLER FOR", "EXIT HANDLER FOR", "UNDO HANDLER FOR"]) {
            loop {
                if self.rest.eat("SQLSTATE") {
                    let _value: bool = self.rest.eat("VALUE");
                    self.rest.skip();
                } else if !self.rest.eat("NOT FOUND") {
                    self.rest.skip();
                }
                if !self.rest.eat_token(&Token::Comma) {
                    return self.statement();
                }
            }
        }
        let declared = self.take_statement();
        let (names, mut default) = declared.split_at_word(&["DEFAULT"]);
        let texts = if default.eat("DEFAULT") {
            self.session.texts(default)
        } else {
            Some(super::Texts::new())
        };
        for mut name in names.parts() {
            if let Some(name) = name.name() {
                self.session.remember(name.to_lowercase(), texts.clone());
            }
        }
        Some(())
    }

    fn plain(&mut self) -> Option<()> {
        let statement = self.take_statement();
        match statement.word().as_str() {
            _ if statement.is_empty() => return None,
            "FETCH" => self.session.fetched(statement),
            "LEAVE" | "ITERATE" | "OPEN" | "CLOSE" | "RETURN" | "SIGNAL" | "RESIGNAL" | "GET" => {}
            _ => self.changes.extend(self.session.text(statement.text())),
        }
        Some(())
    }

    /// Reads up to a word, and the word.
    fn until(&mut self, word: &str) -> Option<()> {
        let (_, rest) = self.rest.split_at_word(&[word]);
        self.rest = rest;
        self.rest.eat(word).then_some(())
    }

    /// Reads up to the next semicolon, which stays.
    fn take_statement(&mut self) -> Reader<'a> {
        let is_end = |lexeme: &crate::sql::tokens::Lexeme| lexeme.token == Token::SemiColon;
        let end = self.rest.rest.iter().position(is_end).unwrap_or(self.rest.rest.len());
        let (statement, rest) = self.rest.rest.split_at(end);
        self.rest.rest = rest;
        Reader { rest: statement, ..self.rest }
    }
}
