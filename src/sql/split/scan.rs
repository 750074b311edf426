//! One pass over the tokens of a file.

use sqlparser::tokenizer::{Token, Whitespace};

use super::blocks::Blocks;
use super::clients::{self, ClientCommand};
use super::markers::{self, Marker};
use super::{Note, Piece, RunBy};
use crate::model::server::Engine;
use crate::sql::tokens::{Lexed, Lexeme, lex};

/// How many bytes are made tokens at a time, so that a long file's tokens do not all take memory at once.
const WINDOW: usize = 64 << 10;

/// The same behind text for a client (psql commands, data of COPY) that broke up a token: the tokens are read anew
/// from there, as few as can be, so that a file full of them takes no time in the square of its length.
const SMALL_WINDOW: usize = 256;

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
    let (mut at, mut window) = (scan.skip_to, WINDOW);
    loop {
        match scan.run(at, window) {
            Outcome::Finished => return (scan.pieces, scan.notes),
            Outcome::Restart => (at, window) = (scan.skip_to, SMALL_WINDOW),
            Outcome::Read(end) if end > at => (at, window) = (end, (window * 2).min(WINDOW)),
            // A token, or a line, longer than the window.
            Outcome::Read(_) => window *= 2,
        }
    }
}

/// Where a pass stopped.
enum Outcome {
    Finished,
    /// At the window's end; read on from this byte.
    Read(usize),
    /// A token reaches into or out of text for a client: read anew from `skip_to`.
    Restart,
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
    /// Reads the tokens of a window. Those behind the last that is surely complete are left.
    fn run(&mut self, from: usize, window: usize) -> Outcome {
        if self.client_line(from) {
            return Outcome::Restart;
        }
        let to = self.text.ceil_char_boundary(from.saturating_add(window));
        let last = to == self.text.len();
        let Lexed { mut lexemes, error } =
            lex(self.text.get(from..to).unwrap_or_default(), self.engine);
        if !last {
            let complete = lexemes.len().saturating_sub(1);
            let line_break = lexemes.get(..complete).and_then(|all| all.iter().rposition(is_break));
            lexemes.truncate(line_break.map_or(0, |position| position + 1));
        }
        let mut end = from;
        for lexeme in lexemes {
            let lexeme = Lexeme { start: from + lexeme.start, end: from + lexeme.end, ..lexeme };
            end = lexeme.end;
            if lexeme.start < self.skip_to {
                if lexeme.end > self.skip_to && !is_line_of_blanks(&lexeme) {
                    return Outcome::Restart;
                }
                continue;
            }
            self.read(lexeme);
        }
        if end < self.skip_to {
            return Outcome::Restart;
        }
        if !last {
            return Outcome::Read(end);
        }
        self.finish(end, error);
        Outcome::Finished
    }

    /// Reads a client's line from the text alone, so that many of them, one below the other, need no tokens.
    fn client_line(&mut self, from: usize) -> bool {
        let rest = self.text.get(from..).unwrap_or_default();
        let at = from + (rest.len() - rest.trim_start().len());
        if self.open.is_some() || !rest.trim_start().starts_with('\\') {
            return false;
        }
        self.skip_to = self.skip_to.max(from);
        self.command(at)
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
            ClientCommand::Statement => self.push(at, command.end, None),
            ClientCommand::Problem(why) => self.push(at, command.end, Some(why.to_owned())),
        }
        true
    }

    fn read(&mut self, mut lexeme: Lexeme) {
        if lexeme.is_blank() {
            let marks = match (self.run_by, &lexeme.token) {
                (
                    RunBy::AnyTool,
                    Token::Whitespace(Whitespace::SingleLineComment { comment, .. }),
                ) => self.marker(comment),
                _ => false,
            };
            if !marks && !self.down {
                self.notes.extend(note(&lexeme));
            }
            return;
        }
        if self.open.is_none() && !without_byte_order_mark(&mut lexeme) {
            return;
        }
        let is_command = match &self.open {
            None => self.command(lexeme.start),
            Some(open) => open.blocks.is_closed() && self.ends_by_command(&lexeme),
        };
        if is_command {
            return;
        }
        if let Some(at) = self.terminator(&lexeme) {
            self.close(lexeme.start, at);
            return;
        }
        let engine = self.engine;
        let open = self.open.get_or_insert_with(|| Open {
            start: lexeme.start,
            end: lexeme.end,
            blocks: Blocks::new(engine),
        });
        open.end = lexeme.end;
        open.blocks.read(&lexeme);
    }

    /// A command in the place of a terminator: psql's `\gexec`, a line that changes the delimiter. And lines inside a
    /// statement that only the tool takes for comments.
    fn ends_by_command(&mut self, lexeme: &Lexeme) -> bool {
        let begins_line = || clients::begins_line(self.text, lexeme.start);
        let here = match self.run_by {
            RunBy::Zdm => false,
            RunBy::AnyTool if lexeme.token == Token::Minus => {
                return clients::is_comment(self.text, lexeme.start)
                    && begins_line()
                    && self.command(lexeme.start);
            }
            RunBy::AnyTool if lexeme.token == Token::Sharp => {
                let line = self.text.get(lexeme.end..clients::line_end(self.text, lexeme.end));
                return begins_line()
                    && self.marker(line.unwrap_or_default())
                    && self.command(lexeme.start);
            }
            RunBy::AnyTool => {
                lexeme.token == Token::Backslash || lexeme.is_word("DELIMITER") && begins_line()
            }
        };
        if !here {
            return false;
        }
        let open = self.open.take();
        if let Some(open) = open {
            self.push(open.start, open.end, None);
        }
        self.command(lexeme.start)
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
    fn terminator(&mut self, lexeme: &Lexeme) -> Option<usize> {
        let Some(delimiter) = &self.delimiter else {
            let closed = self.open.as_ref().is_none_or(|open| open.blocks.is_closed());
            return (lexeme.token == Token::SemiColon && closed).then_some(lexeme.start);
        };
        let rest = self.text.get(lexeme.start..).unwrap_or_default();
        let at = if rest.starts_with(delimiter.as_str()) {
            lexeme.start
        } else if lexeme.word().is_some() {
            // `END$$`: a dollar is part of a name.
            let word = self.text.get(lexeme.start..lexeme.end).unwrap_or_default();
            lexeme.start + word.strip_suffix(delimiter.as_str())?.len()
        } else {
            return None;
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
            let problem = "it is followed by rows for psql, not by SQL";
            let taken = self.text.get(open.start..end).unwrap_or_default().trim_end().len();
            if let Some(piece) = self.pieces.last_mut() {
                piece.end = open.start + taken;
                piece.problem = Some(problem.into());
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
        let taken = taken.len();
        let directives = std::mem::take(&mut self.notes);
        self.pieces.push(Piece { start, end: start + taken, problem, directives });
    }
}

/// Whether no token can go on behind it, nor mean something else because of it.
fn is_break(lexeme: &Lexeme) -> bool {
    matches!(
        lexeme.token,
        Token::Whitespace(Whitespace::Newline) | Token::Comma | Token::RParen | Token::SemiColon
    )
}

/// Whether it can be cut without a loss: white space, or a comment that ends with its line.
fn is_line_of_blanks(lexeme: &Lexeme) -> bool {
    matches!(
        lexeme.token,
        Token::Whitespace(
            Whitespace::Space
                | Whitespace::Newline
                | Whitespace::Tab
                | Whitespace::SingleLineComment { .. }
        )
    )
}

/// Takes away the byte order mark of a file that was put behind another; false when nothing else is left.
fn without_byte_order_mark(lexeme: &mut Lexeme) -> bool {
    if let Token::Word(word) = &lexeme.token
        && word.quote_style.is_none()
        && let Some(rest) = word.value.strip_prefix('\u{feff}')
    {
        let rest = rest.to_owned();
        lexeme.start += '\u{feff}'.len_utf8();
        lexeme.token = Token::make_word(&rest, None);
        return !rest.is_empty();
    }
    true
}

/// The directive that a comment is.
fn note(lexeme: &Lexeme) -> Option<Note> {
    let (prefix, comment) = match &lexeme.token {
        Token::Whitespace(Whitespace::SingleLineComment { prefix, comment }) => {
            (prefix.as_str(), comment.as_str())
        }
        Token::Whitespace(Whitespace::MultiLineComment(comment)) => ("", comment.as_str()),
        _ => return None,
    };
    let text = comment.trim().strip_prefix("zdm:")?.trim().to_owned();
    let end = if prefix.is_empty() {
        lexeme.end
    } else {
        lexeme.start + prefix.len() + comment.trim_end().len()
    };
    Some(Note { start: lexeme.start, end, text })
}
