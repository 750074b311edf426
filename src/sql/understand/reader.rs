//! Walking over the tokens of one statement.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::tokens::{self, Lexeme};

/// How deep sqlparser may nest; its own default, which its small stack frames allow.
const MAX_DEPTH: usize = 50;

/// A place in the tokens of a statement, or of a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    /// The statement's text.
    pub(super) sql: &'a str,
    /// Whose dialect it is.
    pub(super) engine: Engine,
    /// What is still to be read.
    pub(super) rest: &'a [Lexeme],
}

impl<'a> Reader<'a> {
    /// The next unquoted word in upper case; empty when there is none.
    pub(super) fn word(&self) -> String {
        self.rest.first().and_then(Lexeme::word).unwrap_or_default()
    }

    /// The first `count` words in upper case, up to what is no word.
    pub(super) fn words(&self, count: usize) -> Vec<String> {
        self.rest.iter().take(count).map_while(Lexeme::word).collect()
    }

    /// Whether any token is that unquoted word (given in upper case).
    pub(super) fn has_word(&self, upper: &str) -> bool {
        self.rest.iter().any(|lexeme| lexeme.is_word(upper))
    }

    /// Whether all has been read.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads these words (given in upper case, separated by spaces), all or none.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        let mut rest = self.rest;
        for word in words.split(' ') {
            match rest.split_first() {
                Some((first, tail)) if first.is_word(word) => rest = tail,
                _ => return false,
            }
        }
        self.rest = rest;
        true
    }

    /// Reads the first of these that is there.
    pub(super) fn eat_any(&mut self, choices: &[&str]) -> bool {
        choices.iter().any(|words| self.eat(words))
    }

    /// What a foreign key that stands here does to its rows, without the actions that only refuse.
    pub(super) fn actions(mut self) -> String {
        let mut found = Vec::new();
        while !self.is_empty() {
            let event = ["ON DELETE", "ON UPDATE"].into_iter().find(|event| self.eat(event));
            let Some(event) = event else {
                self.skip();
                continue;
            };
            let action =
                ["CASCADE", "SET NULL", "SET DEFAULT"].into_iter().find(|word| self.eat(word));
            found.extend(action.map(|action| format!("{event} {action}")));
        }
        found.join(" ")
    }

    /// Reads this token.
    pub(super) fn eat_token(&mut self, token: &Token) -> bool {
        match self.rest.split_first() {
            Some((first, tail)) if first.token == *token => {
                self.rest = tail;
                true
            }
            _ => false,
        }
    }

    /// Reads a token, whatever it is.
    pub(super) fn skip(&mut self) {
        self.rest = self.rest.split_first().map_or(self.rest, |(_, tail)| tail);
    }

    /// Reads a name. On MySQL and MariaDB a text in double quotes is one only where nothing else can stand (`sql_mode`
    /// `ANSI_QUOTES`).
    pub(super) fn name(&mut self) -> Option<String> {
        let (first, tail) = self.rest.split_first()?;
        let name = match &first.token {
            Token::Word(word) => tokens::name(&word.value, word.quote_style, self.engine),
            Token::DoubleQuotedString(text) => text.replace("\"\"", "\""),
            _ => return None,
        };
        self.rest = tail;
        Some(name)
    }

    /// Reads a name with up to two qualifiers; a database in front of a schema says nothing here.
    pub(super) fn table(&mut self) -> Option<TableName> {
        let mut name = self.name()?;
        let mut schema = None;
        while self.eat_token(&Token::Period) {
            schema = Some(std::mem::replace(&mut name, self.name()?));
        }
        Some(TableName { schema, name })
    }

    /// Reads names of tables, separated by commas; `None` unless there is one behind each comma.
    pub(super) fn tables(&mut self) -> Option<Vec<TableName>> {
        let mut names = vec![self.table()?];
        while self.eat_token(&Token::Comma) {
            names.push(self.table()?);
        }
        Some(names)
    }

    /// The parts between commas outside parentheses and brackets.
    pub(super) fn parts(&self) -> Vec<Reader<'a>> {
        let mut depth = 0_usize;
        self.rest
            .split(|lexeme| {
                match lexeme.token {
                    Token::LParen | Token::LBracket => depth += 1,
                    Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && lexeme.token == Token::Comma
            })
            .map(|rest| Reader { rest, ..*self })
            .collect()
    }

    /// Reads a group in parentheses: what is inside.
    pub(super) fn parenthesis(&mut self) -> Option<Reader<'a>> {
        let mut depth = 0_usize;
        let end = self.rest.iter().position(|lexeme| {
            match lexeme.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })?;
        let (group, tail) = self.rest.split_at_checked(end + 1)?;
        let [first, inner @ .., _last] = group else { return None };
        if first.token != Token::LParen {
            return None;
        }
        self.rest = tail;
        Some(Reader { rest: inner, ..*self })
    }

    /// What stands in front of the first of these words (given in upper case) outside parentheses, and what begins with
    /// it.
    pub(super) fn split_at_word(&self, words: &[&str]) -> (Reader<'a>, Reader<'a>) {
        let mut depth = 0_usize;
        let at = self.rest.iter().position(|lexeme| {
            match lexeme.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && words.iter().any(|word| lexeme.is_word(word))
        });
        let (before, behind) = self.rest.split_at(at.unwrap_or(self.rest.len()));
        (Reader { rest: before, ..*self }, Reader { rest: behind, ..*self })
    }

    /// The bytes of what is still to be read, in the statement's text.
    pub(super) fn bytes(&self) -> (usize, usize) {
        let start = self.rest.first().map_or(0, |lexeme| lexeme.start);
        let end = self.rest.last().map_or(start, |lexeme| lexeme.end);
        (start, end)
    }

    /// The text of what is still to be read, as written.
    pub(super) fn text(&self) -> &'a str {
        let (start, end) = self.bytes();
        self.sql.get(start..end).unwrap_or_default()
    }

    /// The same in one line: what stands between two tokens, comments and all, is one space, and a word behind a parenthesis
    /// has one.
    pub(super) fn line(&self) -> String {
        let mut line = String::new();
        let mut end = None;
        for lexeme in self.rest {
            let is_apart = line.ends_with(')') && lexeme.word().is_some();
            if is_apart || end.is_some_and(|end| end < lexeme.start) {
                line.push(' ');
            }
            line.push_str(self.sql.get(lexeme.start..lexeme.end).unwrap_or_default());
            end = Some(lexeme.end);
        }
        line
    }

    /// Lets one of sqlparser's parsers read everything that is left; `None` when it cannot, or leaves something.
    pub(super) fn parse<T>(
        &self,
        parse: impl FnOnce(&mut Parser<'static>) -> Result<T, ParserError>,
    ) -> Option<T> {
        let dialect: &dyn Dialect =
            if self.engine.is_mysql_family() { &MySqlDialect {} } else { &PostgreSqlDialect {} };
        let tokens =
            self.rest.iter().map(|lexeme| TokenWithSpan::new(lexeme.token.clone(), Span::empty()));
        let mut parser = Parser::new(dialect)
            .with_recursion_limit(MAX_DEPTH)
            .with_tokens_with_locations(tokens.collect());
        let parsed = parse(&mut parser).ok()?;
        (parser.peek_token_ref().token == Token::EOF).then_some(parsed)
    }

    /// The name that an identifier of sqlparser's means.
    pub(super) fn ident(&self, ident: &Ident) -> String {
        tokens::name(&ident.value, ident.quote_style, self.engine)
    }

    /// The table that a name of sqlparser's means.
    pub(super) fn object(&self, object: &ObjectName) -> TableName {
        let mut parts = object.0.iter().rev().map(|part| match part {
            ObjectNamePart::Identifier(ident) => self.ident(ident),
            ObjectNamePart::Function(function) => function.to_string(),
        });
        let name = parts.next().unwrap_or_default();
        TableName { schema: parts.next(), name }
    }
}
