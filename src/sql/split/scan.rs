//! One pass over the tokens of a file.

use sqlparser::tokenizer::{Token, Whitespace};

use super::blocks::Blocks;
use super::clients::{self, ClientCommand};
use super::markers::{self, Marker};
use super::{Note, Piece, RunBy};
use crate::model::server::Engine;
use crate::sql::tokens::{Kind, Raw, Scanner};

/// The statements of a text and the directives behind the last one.
pub(super) fn pieces(text: &str, engine: Engine, run_by: RunBy) -> (Vec<Piece>, Vec<Note>) {
    let mut scan = Scan {
        text,
        engine,
        run_by,
        delimiter: None,
        down: false,
        pieces: Vec::new(),
        notes: Vec::new(),
        open: None,
        skip_to: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 },
    };
    scan.run();
    (scan.pieces, scan.notes)
}

struct Scan<'a> {
    text: &'a str,
    engine: Engine,
    run_by: RunBy,
    /// What ends a statement, when it is not the semicolon.
    delimiter: Option<String>,
    /// Whether this is the part of a tool's file that undoes the rest.
    down: bool,
    pieces: Vec<Piece>,
    /// Directives of the next statement.
    notes: Vec<Note>,
    open: Option<Open>,
    /// Tokens before this byte have been dealt with.
    skip_to: usize,
}

/// The statement that is being read.
struct Open {
    start: usize,
    end: usize,
    blocks: Blocks,
}

impl Scan<'_> {
    fn run(&mut self) {
        let mut scanner = Scanner::new(self.text, self.engine);
        let mut end = 0;
        loop {
            if scanner.at() < self.skip_to && self.skips_lines() {
                // Text for a client is not made of tokens.
                scanner.seek(self.skip_to);
                end = self.skip_to;
            }
            let error = match scanner.next() {
                Ok(Some(raw)) => {
                    end = raw.end;
                    if raw.start >= self.skip_to {
                        self.read(raw);
                    } else if raw.end > self.skip_to && !is_line_of_blanks(&raw) {
                        // It only began in there.
                        scanner.seek(self.skip_to);
                        end = self.skip_to;
                    }
                    continue;
                }
                Ok(None) => None,
                Err(error) => Some(error),
            };
            if scanner.at() >= self.skip_to {
                return self.finish(end, error);
            }
            scanner.seek(self.skip_to);
            end = self.skip_to;
        }
    }

    /// Whether what is to be skipped ends with its line, or with the text.
    fn skips_lines(&self) -> bool {
        let skipped = self.text.get(..self.skip_to).unwrap_or_default();
        skipped.ends_with('\n') || skipped.len() == self.text.len()
    }

    /// Reads the client's command at `at`, when there is one.
    fn command(&mut self, at: usize) -> bool {
        let Some(command) = clients::command(self.text, at, self.engine, self.run_by) else {
            return false;
        };
        self.skip_to = command.end;
        match command.what {
            ClientCommand::Delimiter(word) => self.delimiter = (word != ";").then_some(word),
            ClientCommand::Nothing => {}
            ClientCommand::Comment(text) => {
                let _divides: bool = self.marker(&text);
            }
            ClientCommand::Statement => {
                self.push(at, command.end, None);
                let line = self.text.get(at..command.end).unwrap_or_default();
                self.skip_to = clients::data_of_line(self.text, line, command.end);
            }
            ClientCommand::Problem(why) => self.push(at, command.end, Some(why.to_owned())),
        }
        true
    }

    fn read(&mut self, mut raw: Raw<'_>) {
        // `/*! ... */` is executed by MySQL and MariaDB alone.
        let is_comment = raw.kind == Kind::BlockComment && !self.engine.is_mysql_family();
        if raw.is_blank() || is_comment {
            let marks = self.run_by == RunBy::AnyTool
                && matches!(raw.kind, Kind::LineComment(_))
                && self.marker(raw.comment());
            if !marks && !self.down {
                self.notes.extend(note(&raw));
            }
            return;
        }
        if self.open.is_none() && !without_byte_order_mark(&mut raw) {
            return;
        }
        let is_command = match &self.open {
            None => self.command(raw.start),
            Some(open) => open.blocks.is_closed() && self.ends_by_command(&raw),
        };
        if is_command {
            return;
        }
        if let Some(at) = self.terminator(&raw) {
            self.close(raw.start, at);
            return;
        }
        let engine = self.engine;
        let open = self.open.get_or_insert_with(|| Open {
            start: raw.start,
            end: raw.end,
            blocks: Blocks::new(engine),
        });
        open.end = raw.end;
        open.blocks.read(&raw);
    }

    /// A command in the place of a terminator: psql's `\gexec`, a line that changes the delimiter. And lines inside a
    /// statement that only the tool takes for comments.
    fn ends_by_command(&mut self, raw: &Raw<'_>) -> bool {
        let begins_line = || clients::begins_line(self.text, raw.start);
        let here = match (self.run_by, &raw.kind) {
            (RunBy::Zdm, _) => false,
            (RunBy::AnyTool, Kind::Other(Token::Minus)) => {
                return clients::is_comment(self.text, raw.start)
                    && begins_line()
                    && self.command(raw.start);
            }
            (RunBy::AnyTool, Kind::Other(Token::Sharp)) => {
                let line = self.text.get(raw.end..clients::line_end(self.text, raw.end));
                return begins_line()
                    && self.marker(line.unwrap_or_default())
                    && self.command(raw.start);
            }
            (RunBy::AnyTool, Kind::Other(Token::Backslash)) => true,
            (RunBy::AnyTool, _) => {
                // psql knows no such line: there it is a name.
                self.engine.is_mysql_family()
                    && raw.word().is_some_and(|word| word.eq_ignore_ascii_case("DELIMITER"))
                    && begins_line()
            }
        };
        if !here {
            return false;
        }
        let open = self.open.take();
        if let Some(open) = open {
            self.push(open.start, open.end, None);
        }
        self.command(raw.start)
    }

    /// Follows what a comment says to the tool that runs the file.
    fn marker(&mut self, comment: &str) -> bool {
        let Some(marker) = markers::marker(comment) else { return false };
        if let Some(open) = self.open.take() {
            self.push(open.start, open.end, None);
        }
        match marker {
            Marker::Up => self.down = false,
            Marker::Down => self.down = true,
            Marker::Edge { delimiter } => self.delimiter = delimiter,
        }
        true
    }

    /// The byte where the terminator begins that this token is, or ends with.
    fn terminator(&mut self, raw: &Raw<'_>) -> Option<usize> {
        let Some(delimiter) = &self.delimiter else {
            let closed = self.open.as_ref().is_none_or(|open| open.blocks.is_closed());
            return (raw.is(&Token::SemiColon) && closed).then_some(raw.start);
        };
        let rest = self.text.get(raw.start..).unwrap_or_default();
        let at = if rest.starts_with(delimiter.as_str()) {
            raw.start
        } else {
            // `END$$`: a dollar is part of a name.
            raw.start + raw.word()?.strip_suffix(delimiter.as_str())?.len()
        };
        self.skip_to = at + delimiter.len();
        Some(at)
    }

    /// A terminator at `at`, in the token that begins at `token`.
    fn close(&mut self, token: usize, at: usize) {
        let Some(open) = self.open.take() else {
            if at > token {
                self.push(token, at, None);
            }
            return;
        };
        let end = if at > token { at } else { open.end };
        self.push(open.start, end, None);
        let statement = self.text.get(open.start..end).unwrap_or_default();
        if let Some(end) = clients::copy_data(self.text, statement, at, self.engine) {
            self.skip_to = end;
            if self.run_by == RunBy::AnyTool {
                return;
            }
            let taken = self.text.get(open.start..end).unwrap_or_default().trim_end().len();
            if let Some(piece) = self.pieces.last_mut() {
                piece.end = open.start + taken;
                piece.set_problem("it is followed by rows for psql, not by SQL");
            }
        }
    }

    /// The end of the file, or of what makes sense.
    fn finish(&mut self, end: usize, error: Option<String>) {
        let open = self.open.take();
        match (open, error) {
            (open, Some(error)) => {
                let start = open.map_or(end, |open| open.start);
                self.push(start, self.text.len(), Some(error));
            }
            (Some(open), None) => {
                let body = open.blocks.is_open_body();
                let body = body.then(|| "a body is begun and never ended".into());
                let later = self.notes.partition_point(|note| note.start < open.end);
                let later = self.notes.split_off(later);
                self.push(open.start, open.end, body);
                self.notes = later;
            }
            (None, None) => {}
        }
    }

    fn push(&mut self, start: usize, end: usize, problem: Option<String>) {
        if self.down {
            return;
        }
        // What a client's line or an error takes in ends where its text does.
        let taken = self.text.get(start..end).unwrap_or_default().trim_end();
        // A blank that is none to a server (U+00A0) is one to the tools that trim statements.
        let is_blank = taken.is_empty() && end > start && problem.is_none();
        if self.run_by == RunBy::AnyTool && (is_blank || clients::is_use(taken, self.engine)) {
            return;
        }
        let nul = || taken.contains('\0').then(|| "it contains a NUL byte".to_owned());
        let (end, problem) = (start + taken.len(), problem.or_else(nul));
        let directives = std::mem::take(&mut self.notes);
        self.pieces.push(Piece::new(start, end, problem, directives));
    }
}

/// Whether it can be cut without a loss: white space, or a comment that ends with its line.
fn is_line_of_blanks(raw: &Raw<'_>) -> bool {
    matches!(
        raw.kind,
        Kind::Blank(_) | Kind::LineComment(_) | Kind::Other(Token::Whitespace(Whitespace::Space))
    )
}

/// Takes away the byte order mark of a file that was put behind another; false when nothing else is left.
fn without_byte_order_mark(raw: &mut Raw<'_>) -> bool {
    if raw.kind == Kind::Word
        && let Some(rest) = raw.text.strip_prefix('\u{feff}')
    {
        raw.start += '\u{feff}'.len_utf8();
        raw.text = rest;
        return !rest.is_empty();
    }
    true
}

/// The directive that a comment is.
fn note(raw: &Raw<'_>) -> Option<Note> {
    let text = raw.comment().trim().strip_prefix("zdm:")?.trim().to_owned();
    let end = match raw.kind {
        Kind::LineComment(_) => raw.start + raw.text.trim_end().len(),
        _ => raw.end,
    };
    Some(Note { start: raw.start, end, text })
}
