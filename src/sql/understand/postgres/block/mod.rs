//! Blocks of PL/pgSQL, as DO runs them and functions hold them: the statements that they may run.
//!
//! Which branch is taken, and how often, is not asked: each statement counts. What is put together at run time stays
//! opaque, at its own place; a block that cannot be followed to its end is not followed at all.

mod plain;

use sqlparser::tokenizer::Token;

use crate::model::server::Engine;
use crate::sql::change::{Change, IN_BLOCK, Located};
use crate::sql::span::{Places, Span};
use crate::sql::tokens::{Lexeme, acting};
use crate::sql::understand::reader::Reader;

/// Why DO is not understood.
pub(in crate::sql::understand) const CODE: &str = "DO runs code that zdm cannot see through";

/// How deep blocks may stand in one another.
const DEEPEST: usize = 40;

/// Blocks that are longer, in bytes, are not read.
const LONGEST: usize = 1 << 20;

/// What the statements of `DO ... $$ block $$` do; `None`: it cannot be told.
pub(in crate::sql::understand) fn of_do(reader: Reader<'_>, span: Span) -> Option<Vec<Located>> {
    let mut rest = reader;
    rest.eat("DO").then_some(())?;
    let mut body = None;
    while let Some((first, tail)) = rest.rest.split_first() {
        if rest.eat("LANGUAGE") {
            let named = rest.rest.first()?;
            let is_known = match &named.token {
                Token::SingleQuotedString(name) => name.eq_ignore_ascii_case("plpgsql"),
                _ => named.is_word("PLPGSQL"),
            };
            is_known.then_some(())?;
            rest.skip();
        } else {
            body.is_none().then_some(())?;
            body = Some(first);
            rest.rest = tail;
        }
    }
    let (start, text) = text_of(body?)?;
    // A text with doubled quotes has its bytes elsewhere.
    let is_there = reader.sql.get(start..start + text.len()) == Some(text.as_str());
    let exact = is_there.then_some((reader.sql, start, span));
    let place = Place::of(&text, exact, span);
    of_text(&place)
}

/// What the statements of a function's body do, all at `span`; `None`: it cannot be told.
pub(in crate::sql) fn of_body(body: &str, span: Span) -> Option<Vec<Located>> {
    of_text(&Place::of(body, None, span))
}

/// The text of a block, and where it begins in the statement.
fn text_of(lexeme: &Lexeme) -> Option<(usize, String)> {
    match &lexeme.token {
        Token::SingleQuotedString(text) => Some((lexeme.start + 1, text.replace("''", "'"))),
        Token::DollarQuotedString(text) => {
            let tag = text.tag.as_ref().map_or(0, String::len);
            Some((lexeme.start + tag + 2, text.value.clone()))
        }
        _ => None,
    }
}

/// A block's text and its place in the file.
struct Place<'a> {
    text: &'a str,
    /// Lines and columns of the statement, and the byte of it where the text begins.
    exact: Option<(Places<'a>, usize)>,
    /// What stands for all places, when they cannot be told.
    whole: Span,
}

impl<'a> Place<'a> {
    fn of(text: &'a str, exact: Option<(&'a str, usize, Span)>, whole: Span) -> Self {
        let exact = exact.map(|(sql, start, span)| (Places::within(sql, span), start));
        Self { text, exact, whole }
    }

    /// The place of bytes of the text.
    fn span(&self, start: usize, end: usize) -> Span {
        match &self.exact {
            Some((places, base)) => places.span(base + start, base + end),
            None => self.whole,
        }
    }
}

fn of_text(place: &Place<'_>) -> Option<Vec<Located>> {
    (place.text.len() <= LONGEST).then_some(())?;
    let lexed = acting(place.text, Engine::Postgres);
    lexed.error.is_none().then_some(())?;
    let rest = Reader { sql: place.text, engine: Engine::Postgres, rest: &lexed.lexemes };
    let mut block = Block { place, rest, changes: Vec::new(), depth: 0 };
    block.block()?;
    let _end: bool = block.rest.eat_token(&Token::SemiColon);
    block.rest.is_empty().then_some(())?;
    let mut changes = block.changes;
    if changes.iter().any(|located| located.change != Change::Harmless) {
        changes.retain(|located| located.change != Change::Harmless);
    }
    changes.dedup();
    if changes.is_empty() {
        changes.push(Located::new(Change::Harmless, place.whole));
    }
    for located in &mut changes {
        located.marks.insert(IN_BLOCK);
        if place.exact.is_none() {
            located.span = place.whole;
        }
    }
    Some(changes)
}

/// Walks over a block; `None` from any step: what stands here is no PL/pgSQL that is known.
struct Block<'a> {
    place: &'a Place<'a>,
    rest: Reader<'a>,
    changes: Vec<Located>,
    depth: usize,
}

impl<'a> Block<'a> {
    /// `[<<label>>] [DECLARE ...] BEGIN ... [EXCEPTION ...] END [label]`
    fn block(&mut self) -> Option<()> {
        self.label()?;
        if self.rest.eat("DECLARE") {
            while self.rest.word() != "BEGIN" {
                if !self.rest.eat("DECLARE") {
                    let declared = self.simple()?;
                    self.declaration(declared)?;
                }
            }
        }
        self.rest.eat("BEGIN").then_some(())?;
        self.statements()?;
        if self.rest.eat("EXCEPTION") {
            while self.rest.eat("WHEN") {
                let _conditions: Reader<'a> = self.until(&["THEN"])?;
                self.rest.skip();
                self.statements()?;
            }
        }
        self.end(None)
    }

    /// `<<label>>`
    fn label(&mut self) -> Option<()> {
        if self.rest.eat_token(&Token::ShiftLeft) {
            let _name: String = self.rest.name()?;
            self.rest.eat_token(&Token::ShiftRight).then_some(())?;
        }
        Some(())
    }

    /// `END [of] [label]`
    fn end(&mut self, of: Option<&str>) -> Option<()> {
        self.rest.eat("END").then_some(())?;
        if let Some(word) = of {
            self.rest.eat(word).then_some(())?;
        }
        let at_end = self.rest.rest.first().is_none_or(|next| next.token == Token::SemiColon);
        if !at_end {
            let _label: String = self.rest.name()?;
        }
        Some(())
    }

    /// Statements up to what closes or divides them.
    fn statements(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())?;
        loop {
            match self.rest.word().as_str() {
                "END" | "EXCEPTION" | "ELSE" | "ELSIF" | "ELSEIF" | "WHEN" => break,
                _ => self.statement()?,
            }
        }
        self.depth -= 1;
        Some(())
    }

    fn statement(&mut self) -> Option<()> {
        self.label()?;
        match self.rest.word().as_str() {
            "DECLARE" | "BEGIN" => self.block()?,
            "IF" => self.condition()?,
            "CASE" => self.case()?,
            "LOOP" | "WHILE" | "FOR" | "FOREACH" => self.repeated()?,
            _ => {
                let statement = self.simple()?;
                return self.plain(statement);
            }
        }
        self.rest.eat_token(&Token::SemiColon).then_some(())
    }

    /// `IF ... THEN ... [ELSIF ... THEN ...] [ELSE ...] END IF`
    fn condition(&mut self) -> Option<()> {
        while self.rest.eat_any(&["IF", "ELSIF", "ELSEIF"]) {
            let condition = self.until(&["THEN"])?;
            self.expression(condition);
            self.rest.skip();
            self.statements()?;
        }
        if self.rest.eat("ELSE") {
            self.statements()?;
        }
        self.end(Some("IF"))
    }

    /// `CASE [...] WHEN ... THEN ... [ELSE ...] END CASE`
    fn case(&mut self) -> Option<()> {
        self.rest.skip();
        let searched = self.until(&["WHEN"])?;
        self.expression(searched);
        while self.rest.eat("WHEN") {
            let condition = self.until(&["THEN"])?;
            self.expression(condition);
            self.rest.skip();
            self.statements()?;
        }
        if self.rest.eat("ELSE") {
            self.statements()?;
        }
        self.end(Some("CASE"))
    }

    /// `[WHILE ... | FOR ... IN ... | FOREACH ... IN ARRAY ...] LOOP ... END LOOP`
    fn repeated(&mut self) -> Option<()> {
        let kind = self.rest.word();
        if kind != "LOOP" {
            self.rest.skip();
        }
        let mut head = self.until(&["LOOP"])?;
        self.rest.skip();
        match kind.as_str() {
            "WHILE" => self.expression(head),
            "FOR" | "FOREACH" => {
                while !head.is_empty() && !head.eat("IN") {
                    head.skip();
                }
                let _order: bool = head.eat_any(&["REVERSE", "ARRAY"]);
                self.rows(head);
            }
            _ => {}
        }
        self.statements()?;
        self.end(Some("LOOP"))
    }

    /// Reads up to one of the words, outside parentheses and CASE expressions, that must be there: what was read.
    fn until(&mut self, words: &[&str]) -> Option<Reader<'a>> {
        let (mut depth, mut cases) = (0_usize, 0_usize);
        let end = self.rest.rest.iter().position(|lexeme| {
            match lexeme.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                _ if cases == 0 && words.iter().any(|word| lexeme.is_word(word)) => return true,
                _ if lexeme.is_word("CASE") => cases += 1,
                _ if lexeme.is_word("END") => cases = cases.saturating_sub(1),
                _ => {}
            }
            false
        })?;
        Some(self.take(end))
    }

    /// Reads a statement and its semicolon: the statement.
    fn simple(&mut self) -> Option<Reader<'a>> {
        let end = self.rest.rest.iter().position(|lexeme| lexeme.token == Token::SemiColon)?;
        let statement = self.take(end);
        self.rest.skip();
        Some(statement)
    }

    fn take(&mut self, count: usize) -> Reader<'a> {
        let (taken, rest) = self.rest.rest.split_at_checked(count).unwrap_or((self.rest.rest, &[]));
        let taken = Reader { rest: taken, ..self.rest };
        self.rest.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests;
