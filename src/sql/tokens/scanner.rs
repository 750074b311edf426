//! The tokens of a text, one at a time, without a copy of it.
//!
//! What is a token, sqlparser's tokenizer says. Almost all of them are read here, as it would read them; those that are
//! seldom are left to it.

use sqlparser::ast::DollarQuotedString;
use sqlparser::tokenizer::{Token, Whitespace, Word};

use super::keywords::keyword;
use super::odd;
use super::seldom::seldom;
use crate::model::server::Engine;

/// A token and its place in the text.
#[derive(Debug)]
pub(in crate::sql) struct Raw<'a> {
    pub(in crate::sql) kind: Kind,
    /// As written.
    pub(in crate::sql) text: &'a str,
    /// First byte.
    pub(in crate::sql) start: usize,
    /// Byte after the last.
    pub(in crate::sql) end: usize,
}

/// What a token is; its text says the rest.
#[derive(PartialEq, Debug)]
pub(in crate::sql) enum Kind {
    Blank(Blank),
    /// With so many bytes of a mark in front.
    LineComment(usize),
    BlockComment,
    /// Not quoted.
    Word,
    Quoted(char),
    SingleText,
    DoubleText,
    /// Between two of these marks of so many bytes.
    DollarText(usize),
    Number,
    /// An operator, a bracket, or what is seldom.
    Other(Token),
}

/// White space of one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sql) enum Blank {
    Space,
    Tab,
    Newline,
}

/// What stands before a token, as far as it matters to what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Before {
    Word,
    Period,
    Other,
}

impl<'a> Raw<'a> {
    /// Whether it says nothing: white space, or a comment that no server executes.
    pub(in crate::sql) fn is_blank(&self) -> bool {
        match self.kind {
            Kind::Blank(_) | Kind::LineComment(_) | Kind::Other(Token::Whitespace(_)) => true,
            Kind::BlockComment => {
                !(self.comment().starts_with('!') || self.comment().starts_with("M!"))
            }
            _ => false,
        }
    }

    /// The text of an unquoted word.
    pub(in crate::sql) fn word(&self) -> Option<&'a str> {
        match &self.kind {
            Kind::Word => Some(self.text),
            Kind::Other(Token::Word(word)) if word.quote_style.is_none() => Some(self.text),
            _ => None,
        }
    }

    /// Whether it is that mark.
    pub(in crate::sql) fn is(&self, mark: &Token) -> bool {
        matches!(&self.kind, Kind::Other(token) if token == mark)
    }

    /// What a comment says; empty for everything else.
    pub(in crate::sql) fn comment(&self) -> &'a str {
        match self.kind {
            Kind::LineComment(mark) => self.text.get(mark..).unwrap_or_default(),
            Kind::BlockComment => self.inside(2),
            _ => "",
        }
    }

    fn inside(&self, mark: usize) -> &'a str {
        self.text.get(mark..self.text.len().saturating_sub(mark)).unwrap_or_default()
    }

    /// As sqlparser's token.
    pub(super) fn token(self) -> Token {
        let owned = |mark| self.inside(mark).to_owned();
        match self.kind {
            Kind::Blank(Blank::Space) => Token::Whitespace(Whitespace::Space),
            Kind::Blank(Blank::Tab) => Token::Whitespace(Whitespace::Tab),
            Kind::Blank(Blank::Newline) => Token::Whitespace(Whitespace::Newline),
            Kind::LineComment(mark) => {
                let (prefix, comment) = self.text.split_at_checked(mark).unwrap_or_default();
                let (prefix, comment) = (prefix.to_owned(), comment.to_owned());
                Token::Whitespace(Whitespace::SingleLineComment { prefix, comment })
            }
            Kind::BlockComment => Token::Whitespace(Whitespace::MultiLineComment(owned(2))),
            Kind::Word => {
                let (value, keyword) = (self.text.to_owned(), keyword(self.text));
                Token::Word(Word { value, quote_style: None, keyword })
            }
            Kind::Quoted(mark) => Token::make_word(self.inside(1), Some(mark)),
            Kind::SingleText => Token::SingleQuotedString(owned(1)),
            Kind::DoubleText => Token::DoubleQuotedString(owned(1)),
            Kind::DollarText(mark) => {
                let tag = self.text.get(1..mark.saturating_sub(1)).filter(|tag| !tag.is_empty());
                let tag = tag.map(str::to_owned);
                Token::DollarQuotedString(DollarQuotedString { value: owned(mark), tag })
            }
            Kind::Number => Token::Number(self.text.to_owned(), false),
            Kind::Other(token) => token,
        }
    }
}

/// Reads the tokens of a text, one behind the other.
#[derive(Debug)]
pub(in crate::sql) struct Scanner<'a> {
    text: &'a str,
    engine: Engine,
    at: usize,
    before: Before,
}

impl<'a> Scanner<'a> {
    /// From the text's first byte on.
    pub(in crate::sql) fn new(text: &'a str, engine: Engine) -> Self {
        Self { text, engine, at: 0, before: Before::Other }
    }

    /// Where the next token begins.
    pub(in crate::sql) fn at(&self) -> usize {
        self.at
    }

    /// Reads on from another byte.
    pub(in crate::sql) fn seek(&mut self, at: usize) {
        self.at = at;
        self.before = Before::Other;
    }

    /// The next token; the error says why what is left is none.
    pub(in crate::sql) fn next(&mut self) -> Result<Option<Raw<'a>>, String> {
        let start = self.at;
        let Some(first) = self.text.as_bytes().get(start).copied() else { return Ok(None) };
        let (kind, end) = self.read(first, start)?;
        self.at = end;
        self.before = match &kind {
            Kind::Word | Kind::Quoted(_) | Kind::Other(Token::Word(_)) => Before::Word,
            Kind::Other(Token::Period) => Before::Period,
            _ => Before::Other,
        };
        let text = self.text.get(start..end).unwrap_or_default();
        Ok(Some(Raw { kind, text, start, end }))
    }

    fn read(&self, first: u8, start: usize) -> Result<(Kind, usize), String> {
        let mysql = self.engine.is_mysql_family();
        let mark = |token, length| Ok((Kind::Other(token), start + length));
        let next = self.byte(start + 1);
        match first {
            b' ' => Ok((Kind::Blank(Blank::Space), start + 1)),
            b'\n' => Ok((Kind::Blank(Blank::Newline), start + 1)),
            b'\t' => Ok((Kind::Blank(Blank::Tab), start + 1)),
            b'\r' => Ok((Kind::Blank(Blank::Newline), start + 1 + usize::from(next == b'\n'))),
            b'b' | b'B' | b'n' | b'N' | b'e' | b'E' | b'u' | b'U' | b'x' | b'X'
                if matches!(next, b'\'' | b'"' | b'&') =>
            {
                self.seldom(start)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Ok((Kind::Word, self.word_end(start))),
            b'$' if mysql => Ok((Kind::Word, self.word_end(start))),
            b'$' => self.dollar(start),
            b'\'' => Ok((Kind::SingleText, self.text_end(start, b'\'')?)),
            b'"' if mysql => Ok((Kind::DoubleText, self.text_end(start, b'"')?)),
            b'"' => Ok((Kind::Quoted('"'), self.quoted_end(start, '"')?)),
            b'`' if mysql => Ok((Kind::Quoted('`'), self.quoted_end(start, '`')?)),
            b'0'..=b'9' => self.number(start),
            b'.' if self.before == Before::Word && (mysql || next == b'_') => {
                mark(Token::Period, 1)
            }
            b'.' if next.is_ascii_digit() || next == b'_' => self.seldom(start),
            b'.' => mark(Token::Period, 1),
            0x00..=0x08 | 0x0e..=0x1f | 0x7f => mark(Token::Char(char::from(first)), 1),
            b'(' => mark(Token::LParen, 1),
            b')' => mark(Token::RParen, 1),
            b',' => mark(Token::Comma, 1),
            b';' => mark(Token::SemiColon, 1),
            b'[' => mark(Token::LBracket, 1),
            b']' => mark(Token::RBracket, 1),
            b'{' => mark(Token::LBrace, 1),
            b'}' => mark(Token::RBrace, 1),
            b'\\' => mark(Token::Backslash, 1),
            b'+' => mark(Token::Plus, 1),
            b'*' => mark(Token::Mul, 1),
            b'-' if next == b'-' && self.is_comment(start + 2) => {
                Ok((Kind::LineComment(2), self.line_end(start)))
            }
            b'-' if next == b'-' && mysql => mark(Token::Minus, 1),
            b'-' if is_plain(next) => mark(Token::Minus, 1),
            b'#' if mysql => Ok((Kind::LineComment(1), self.line_end(start))),
            b'/' if next == b'*' => Ok((Kind::BlockComment, self.comment_end(start)?)),
            b'/' => mark(Token::Div, 1),
            b'=' => match next {
                b'>' => mark(Token::RArrow, 2),
                b'=' => mark(Token::DoubleEq, 2),
                _ => mark(Token::Eq, 1),
            },
            b':' => match next {
                b':' => mark(Token::DoubleColon, 2),
                b'=' => mark(Token::Assignment, 2),
                _ => mark(Token::Colon, 1),
            },
            b'<' if is_plain(next) => mark(Token::Lt, 1),
            b'>' if is_plain(next) => mark(Token::Gt, 1),
            b'!' if next == b'=' => mark(Token::Neq, 2),
            b'<' | b'>' | b'|' if is_plain(self.byte(start + 2)) => match (first, next) {
                (b'<', b'=') => mark(Token::LtEq, 2),
                (b'<', b'>') => mark(Token::Neq, 2),
                (b'>', b'=') => mark(Token::GtEq, 2),
                (b'|', b'|') => mark(Token::StringConcat, 2),
                _ => self.seldom(start),
            },
            _ => self.seldom(start),
        }
    }

    /// NUL behind the end: what means something else by it is left to sqlparser.
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn seldom(&self, start: usize) -> Result<(Kind, usize), String> {
        let rest = self.text.get(start..).unwrap_or_default();
        let mysql = self.engine.is_mysql_family();
        if !mysql && let Some(unicode) = odd::unicode(rest) {
            let (token, length) = unicode?;
            return Ok((Kind::Other(token), start + length));
        }
        let (token, length) = match seldom(rest, self.engine, self.before) {
            Ok((token, length)) => {
                // sqlparser takes what begins a comment for a part of an operator.
                let own = if mysql { 0 } else { odd::operator_end(rest) };
                if (1..length).contains(&own) {
                    let cut = rest.get(..own).unwrap_or_default();
                    let whole = seldom(cut, self.engine, self.before).ok();
                    whole.filter(|(_, end)| *end == own).unwrap_or_else(|| odd::operator(cut))
                } else {
                    (token, length)
                }
            }
            Err(error) => {
                let own = if mysql { None } else { odd::unread(rest) };
                let own = own.or_else(|| (!is_open(&error)).then(|| first(rest)).flatten());
                own.ok_or(error)?
            }
        };
        Ok((Kind::Other(token), start + length))
    }

    /// The first byte from `start` on that is not `wanted`.
    fn behind(&self, start: usize, wanted: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        rest.iter().position(|byte| !wanted(*byte)).map_or(self.text.len(), |length| start + length)
    }

    fn word_end(&self, start: usize) -> usize {
        if self.engine.is_mysql_family() {
            self.behind(start, |byte| is_part(byte) || byte == b'@')
        } else {
            self.behind(start, is_part)
        }
    }

    /// A number that nothing else can be: digits, and perhaps a period and more of them.
    fn number(&self, start: usize) -> Result<(Kind, usize), String> {
        let digit = |byte: u8| byte.is_ascii_digit();
        let mut end = self.behind(start, digit);
        if self.byte(end) == b'.' {
            end = self.behind(end + 1, digit);
        }
        let next = self.byte(end);
        if is_part(next) || matches!(next, b'.' | b'@') {
            return self.seldom(start);
        }
        Ok((Kind::Number, end))
    }

    /// Behind the quote that closes a text; a doubled one does not, nor one behind MySQL's backslash.
    fn text_end(&self, start: usize, quote: u8) -> Result<usize, String> {
        let error = || "unterminated string literal".to_owned();
        if !self.engine.is_mysql_family() {
            return self.closed(start, char::from(quote)).ok_or_else(error);
        }
        let mut at = start + 1;
        loop {
            at = self.behind(at, |byte| byte != quote && byte != b'\\');
            if at >= self.text.len() {
                return Err(error());
            }
            if self.byte(at) == quote && self.byte(at + 1) != quote {
                return Ok(at + 1);
            }
            at += 2;
        }
    }

    fn quoted_end(&self, start: usize, quote: char) -> Result<usize, String> {
        let error = || format!("expected close delimiter '{quote}' before eof.");
        self.closed(start, quote).ok_or_else(error)
    }

    /// Behind the quote that closes what one at `start` opens; doubled ones do not.
    fn closed(&self, start: usize, quote: char) -> Option<usize> {
        let mut at = start + 1;
        loop {
            at += self.text.get(at..)?.find(quote)? + 1;
            if self.byte(at) != quote as u8 {
                return Some(at);
            }
            at += 1;
        }
    }

    /// A text between `$tag$` and `$tag$`.
    fn dollar(&self, start: usize) -> Result<(Kind, usize), String> {
        let tag_end = self.behind(start + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if self.byte(tag_end) != b'$' {
            return self.seldom(start);
        }
        let open = tag_end + 1;
        let mark = self.text.get(start..open).unwrap_or_default();
        match self.text.get(open..).unwrap_or_default().find(mark) {
            Some(length) => Ok((Kind::DollarText(mark.len()), open + length + mark.len())),
            None if mark == "$$" => Err("unterminated dollar-quoted string".to_owned()),
            None => Err("unterminated dollar-quoted, expected $".to_owned()),
        }
    }

    /// Whether two dashes in front of `at` begin a comment: on MySQL, white space must follow.
    fn is_comment(&self, at: usize) -> bool {
        !self.engine.is_mysql_family()
            || self.text.get(at..).is_some_and(|rest| rest.starts_with(char::is_whitespace))
    }

    fn line_end(&self, start: usize) -> usize {
        let mysql = self.engine.is_mysql_family();
        self.behind(start, |byte| byte != b'\n' && (mysql || byte != b'\r'))
    }

    /// Behind a comment, in which PostgreSQL knows others.
    fn comment_end(&self, start: usize) -> Result<usize, String> {
        let nests = !self.engine.is_mysql_family();
        let (mut at, mut depth) = (start + 2, 1_usize);
        loop {
            at = self.behind(at, |byte| byte != b'*' && byte != b'/');
            match (self.byte(at), self.byte(at + 1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return Ok(at);
                    }
                }
                (b'/', b'*') if nests => {
                    depth += 1;
                    at += 2;
                }
                _ if at >= self.text.len() => {
                    return Err("unexpected eof while in a multi-line comment".to_owned());
                }
                _ => at += 1,
            }
        }
    }
}

/// Whether sqlparser's error says that something is never closed, so that what is left is none but its inside.
fn is_open(error: &str) -> bool {
    ["unterminated", "unexpected eof", "expected close"]
        .iter()
        .any(|begin| error.starts_with(begin))
}

/// The first character, which means nothing.
fn first(text: &str) -> Option<(Token, usize)> {
    let character = text.chars().next()?;
    Some((Token::Char(character), character.len_utf8()))
}

/// Whether a byte can go on with an unquoted word; all of them agree on it but for MySQL's `@`.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// Whether an operator surely ends before that byte.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'\'' | b'(' | b'"')
}
