//! Where a semicolon does not end a statement: bodies of triggers and routines, parentheses of rules.

use sqlparser::tokenizer::Token;

use crate::model::server::Engine;
use crate::sql::tokens::{Kind as TokenKind, Raw};

/// Follows one statement from its first token on.
#[derive(Debug)]
pub(super) struct Blocks {
    engine: Engine,
    /// How many words have been looked at to see what kind of statement it is.
    words: usize,
    /// The first of them.
    first: First,
    /// What the statement is, once that is known.
    kind: Kind,
    /// Open BEGIN, CASE, IF, ... of a body.
    depth: usize,
    /// Open CASE ... END of an expression, which holds no statements.
    expressions: usize,
    /// Open parentheses.
    parentheses: usize,
    previous: Previous,
}

/// Whether a statement can hold others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Unknown,
    Plain,
    Body,
    /// CREATE RULE of PostgreSQL, whose actions may stand in parentheses.
    Rule,
}

/// The first word of a statement that can hold others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum First {
    Create,
    Alter,
    Begin,
    Other,
}

/// The token before, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Previous {
    /// A statement of a body can begin here.
    StatementStart,
    End,
    Begin,
    Other,
}

/// How many words are looked at to see whether a statement makes a routine.
const HEAD: usize = 12;

impl Blocks {
    /// For a statement that begins with the next token.
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            engine,
            words: 0,
            first: First::Other,
            kind: Kind::Unknown,
            depth: 0,
            expressions: 0,
            parentheses: 0,
            previous: Previous::Other,
        }
    }

    /// Whether a semicolon here ends the statement.
    pub(super) fn is_closed(&self) -> bool {
        self.depth + self.expressions == 0 && (self.kind != Kind::Rule || self.parentheses == 0)
    }

    /// Whether a body was begun and not ended.
    pub(super) fn is_open_body(&self) -> bool {
        self.depth + self.expressions > 0
    }

    /// Reads the next token that is neither white space nor comment.
    pub(super) fn read(&mut self, raw: &Raw<'_>) {
        if self.kind == Kind::Plain {
            return;
        }
        match raw.kind {
            TokenKind::Other(Token::LParen) => self.parentheses += 1,
            TokenKind::Other(Token::RParen) => {
                self.parentheses = self.parentheses.saturating_sub(1);
            }
            _ => {}
        }
        let mut buffer = [0; LONGEST];
        let word = raw.word().map(|word| upper(word, &mut buffer));
        if self.kind == Kind::Unknown {
            self.classify(word);
        }
        let word = word.unwrap_or_default();
        if self.kind == Kind::Body {
            if self.engine.is_mysql_family() {
                self.read_mysql(word);
            } else {
                self.read_postgres(word);
            }
        }
        if raw.is(&Token::SemiColon) {
            // It was a statement after all.
            self.depth += std::mem::take(&mut self.expressions);
        }
        self.previous = match word {
            // What stands in an expression begins no statement: `CASE WHEN a THEN IF(b, 1, 2) END`.
            _ if self.expressions > 0 => Previous::Other,
            "END" => Previous::End,
            "BEGIN" => Previous::Begin,
            "THEN" | "ELSE" | "DO" | "LOOP" | "REPEAT" | "ROW" => Previous::StatementStart,
            // A routine's body follows its parameters or its last characteristic.
            "SQL" | "DETERMINISTIC" | "DATA" | "DEFINER" | "INVOKER" => Previous::StatementStart,
            _ => match raw.kind {
                TokenKind::Other(Token::SemiColon | Token::Colon | Token::RParen) => {
                    Previous::StatementStart
                }
                _ => Previous::Other,
            },
        };
    }

    fn classify(&mut self, word: Option<&str>) {
        let Some(word) = word else {
            if self.words == 0 {
                self.kind = Kind::Plain;
            }
            return;
        };
        self.words += 1;
        if self.words == 1 {
            self.first = match word {
                "CREATE" => First::Create,
                "ALTER" => First::Alter,
                "BEGIN" => First::Begin,
                _ => First::Other,
            };
        }
        let routine = matches!(word, "TRIGGER" | "PROCEDURE" | "FUNCTION" | "EVENT" | "PACKAGE");
        self.kind = match (self.first, self.words) {
            (First::Create, 1) => Kind::Unknown,
            (First::Alter, 1) if self.engine.is_mysql_family() => Kind::Unknown,
            (First::Begin, 1) if self.engine == Engine::MariaDb => Kind::Unknown,
            (First::Begin, 2) if word == "NOT" => {
                // MariaDB's anonymous block, BEGIN NOT ATOMIC: its BEGIN has been read.
                self.depth = 1;
                Kind::Body
            }
            (First::Create | First::Alter, _) if routine => Kind::Body,
            (First::Create, _) if word == "RULE" && self.engine == Engine::Postgres => Kind::Rule,
            (First::Create, 2..=HEAD) if !matches!(word, "TABLE" | "INDEX" | "VIEW") => {
                Kind::Unknown
            }
            (First::Alter, 2..=HEAD) if word != "TABLE" => Kind::Unknown,
            _ => Kind::Plain,
        };
    }

    /// `BEGIN ATOMIC ... END` of SQL-standard function bodies: nothing else opens a body.
    fn read_postgres(&mut self, word: &str) {
        match word {
            "ATOMIC" if self.previous == Previous::Begin => self.depth += 1,
            "CASE" if self.depth > 0 => self.depth += 1,
            "END" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    /// `END IF`, `END CASE`, ... close what their END closed already.
    fn read_mysql(&mut self, word: &str) {
        let after_end = self.previous == Previous::End;
        let starts = matches!(self.previous, Previous::StatementStart | Previous::Begin);
        match word {
            "BEGIN" => self.depth += 1,
            "CASE" if !after_end && !starts => self.expressions += 1,
            "CASE" | "LOOP" if !after_end => self.depth += 1,
            "IF" | "WHILE" | "REPEAT" | "FOR" if !after_end && starts => self.depth += 1,
            "END" if self.expressions > 0 => self.expressions -= 1,
            "END" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// No word that matters here is longer.
const LONGEST: usize = 16;

/// A word in upper case; a long one stays as it is.
fn upper<'b>(word: &'b str, buffer: &'b mut [u8; LONGEST]) -> &'b str {
    let Some(part) = buffer.get_mut(..word.len()) else { return word };
    part.copy_from_slice(word.as_bytes());
    part.make_ascii_uppercase();
    std::str::from_utf8(part).unwrap_or(word)
}
