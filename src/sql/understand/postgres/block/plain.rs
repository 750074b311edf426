//! Statements of a block that hold no others: SQL, with or without variables, and what only PL/pgSQL has.

use sqlparser::tokenizer::Token;

use super::Block;
use crate::model::server::Engine;
use crate::sql::change::{Change, Located};
use crate::sql::tokens::Lexeme;
use crate::sql::understand::reader::Reader;
use crate::sql::understand::understand;

/// So many parentheses may stand around a text.
const MOST_PARENTHESES: usize = 4;

/// Why a statement is not understood.
const PUT_TOGETHER: &str = "it runs SQL that is put together at run time";

impl<'a> Block<'a> {
    /// A statement without its semicolon.
    pub(super) fn plain(&mut self, mut statement: Reader<'a>) -> Option<()> {
        let whole = statement;
        match statement.word().as_str() {
            // A variable may be called like any of these.
            _ if self.assignment(statement) => {}
            "NULL" | "RAISE" | "GET" | "FETCH" | "MOVE" | "CLOSE" | "COMMIT" | "ROLLBACK" => {}
            "EXIT" | "CONTINUE" | "ASSERT" => {
                while !statement.is_empty() && !statement.eat_any(&["WHEN", "ASSERT"]) {
                    statement.skip();
                }
                self.expression(statement);
            }
            "RETURN" => {
                statement.skip();
                let _row: bool = statement.eat("NEXT");
                if statement.eat("QUERY") {
                    self.rows(statement);
                } else {
                    self.expression(statement);
                }
            }
            "PERFORM" => {
                statement.skip();
                self.sql(&format!("SELECT {}", statement.text()), whole);
            }
            "EXECUTE" => {
                statement.skip();
                self.executed(whole, statement);
            }
            "OPEN" => {
                while !statement.is_empty() && !statement.eat("FOR") {
                    statement.skip();
                }
                self.rows(statement);
            }
            "" => return None,
            _ => self.sql(&without_variables(whole), whole),
        }
        Some(())
    }

    /// `name type := expression`, `name CURSOR FOR query`
    pub(super) fn declaration(&mut self, mut declared: Reader<'a>) -> Option<()> {
        let _name: String = declared.name()?;
        while !declared.is_empty() {
            if declared.eat_token(&Token::Assignment)
                || declared.eat_token(&Token::Eq)
                || declared.eat("DEFAULT")
            {
                self.expression(declared);
                break;
            }
            if declared.eat_any(&["FOR", "IS"]) {
                self.rows(declared);
                break;
            }
            declared.skip();
        }
        Some(())
    }

    /// `variable := expression`, `record.field = expression`, `array[1] := expression`
    fn assignment(&mut self, mut statement: Reader<'a>) -> bool {
        if statement.name().is_none() {
            return false;
        }
        while let Some(first) = statement.rest.first() {
            match first.token {
                Token::Period => {
                    statement.skip();
                    if statement.name().is_none() {
                        return false;
                    }
                }
                Token::LBracket => {
                    while !statement.is_empty() && !statement.eat_token(&Token::RBracket) {
                        statement.skip();
                    }
                }
                Token::Assignment | Token::Eq => {
                    statement.skip();
                    self.expression(statement);
                    return true;
                }
                _ => return false,
            }
        }
        false
    }

    /// What gives rows to a loop or a cursor: a query, `EXECUTE ...`, an expression, `1 .. 10`.
    pub(super) fn rows(&mut self, mut source: Reader<'a>) {
        let whole = source;
        match source.word().as_str() {
            "EXECUTE" => {
                source.skip();
                self.executed(whole, source);
            }
            "SELECT" | "WITH" | "TABLE" | "VALUES" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" => {
                self.sql(source.text(), whole);
            }
            _ => {
                // The tokens of `1..n` are numbers that end and begin with a point.
                let calls = source.rest.iter().any(|lexeme| lexeme.token == Token::LParen);
                if calls {
                    self.expression(source);
                }
            }
        }
    }

    /// An expression is a query without SELECT.
    pub(super) fn expression(&mut self, expression: Reader<'a>) {
        // Only a call or a query inside can do anything.
        let is_call = |lexeme: &Lexeme| lexeme.token == Token::LParen || lexeme.is_word("FROM");
        if expression.rest.iter().any(is_call) {
            let text = expression.text();
            let is_range = text.contains("..");
            let text = if is_range { text.replace("..", " , ") } else { text.to_owned() };
            self.sql(&format!("SELECT {text}"), expression);
        }
    }

    /// `EXECUTE text [INTO ...] [USING ...]`: what the text does, when it is one.
    fn executed(&mut self, whole: Reader<'a>, text: Reader<'a>) {
        match constant(text) {
            Some(text) => {
                for statement in crate::sql::split::statements(&text, Engine::Postgres) {
                    self.sql(&statement.sql, whole);
                }
            }
            None => self.push(Change::Opaque { why: PUT_TOGETHER.to_owned() }, whole),
        }
    }

    /// SQL that stands at the place of these tokens, byte for byte, or for them.
    fn sql(&mut self, sql: &str, at: Reader<'a>) {
        let (start, end) = at.bytes();
        // A block in a block, in a block, ...
        if at.word() == "DO"
            || sql.trim_start().get(..2).is_some_and(|word| word.eq_ignore_ascii_case("DO"))
        {
            self.push(Change::Opaque { why: super::CODE.to_owned() }, at);
            return;
        }
        let span = self.place.span(start, end);
        let is_there = sql.len() == end - start;
        self.changes.extend(understand(sql, span, Engine::Postgres).into_iter().map(|located| {
            let span = if is_there { located.span } else { span };
            Located { span, ..located }
        }));
    }

    fn push(&mut self, change: Change, at: Reader<'a>) {
        let (start, end) = at.bytes();
        self.changes.push(Located::new(change, self.place.span(start, end)));
    }
}

/// The text of a constant: `'...'`, `$$...$$`, and several with `||` between them. `None` if anything else is in it.
fn constant(mut text: Reader<'_>) -> Option<String> {
    for _ in 0..MOST_PARENTHESES {
        let Some(inner) = parenthesized(text) else { break };
        text = inner;
    }
    let mut joined = String::new();
    loop {
        let first = text.rest.first()?;
        match &first.token {
            Token::SingleQuotedString(part) => joined.push_str(&part.replace("''", "'")),
            Token::DollarQuotedString(part) => joined.push_str(&part.value),
            Token::EscapedStringLiteral(part) if !part.contains('\\') => joined.push_str(part),
            _ => return None,
        }
        text.skip();
        if text.is_empty() || matches!(text.word().as_str(), "INTO" | "USING") {
            return Some(joined);
        }
        text.eat_token(&Token::StringConcat).then_some(())?;
    }
}

/// What stands in parentheses, or as the only argument of `format`: without another, `%` stands for nothing.
fn parenthesized(mut text: Reader<'_>) -> Option<Reader<'_>> {
    let formatted = text.eat("FORMAT");
    let inner = text.parenthesis()?;
    let is_last = text.is_empty() || matches!(text.word().as_str(), "INTO" | "USING");
    let is_plain = !formatted || !inner.text().contains('%');
    (is_last && is_plain).then_some(inner)
}

/// The text of a statement with blanks in the place of `INTO variable, ...`.
fn without_variables(statement: Reader<'_>) -> String {
    let (begin, _) = statement.bytes();
    let mut text = statement.text().to_owned();
    if !matches!(
        statement.word().as_str(),
        "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "WITH" | "MERGE" | "VALUES"
    ) {
        return text;
    }
    let mut depth = 0_usize;
    let mut before: Option<&Lexeme> = None;
    for (index, lexeme) in statement.rest.iter().enumerate() {
        match lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let names_table =
            before.is_some_and(|word| word.is_word("INSERT") || word.is_word("MERGE"));
        if depth == 0 && lexeme.is_word("INTO") && !names_table {
            let rest = statement.rest.get(index..).unwrap_or_default();
            let end = variables(Reader { rest, ..statement });
            let range = lexeme.start.saturating_sub(begin)..end.saturating_sub(begin);
            if let Some(taken) = text.get(range.clone()) {
                let blanks: String =
                    taken.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
                text.replace_range(range, &blanks);
            }
        }
        before = Some(lexeme);
    }
    text
}

/// The byte behind `INTO [STRICT] variable, ...`.
fn variables(mut rest: Reader<'_>) -> usize {
    let start = rest.rest;
    rest.skip();
    let _strict: bool = rest.eat("STRICT");
    while rest.table().is_some() && rest.eat_token(&Token::Comma) {}
    let read = start.len() - rest.rest.len();
    start.get(read.saturating_sub(1)).map_or(0, |last| last.end)
}
