//! One pass over the tokens of a file.

use sqlparser::tokenizer::{Token, Whitespace};

use super::blocks::Blocks;
use super::clients::{self, ClientCommand};
use super::{Note, Piece};
use crate::model::server::Engine;
use crate::sql::tokens::{Lexed, Lexeme, lex};

/// How often text for a client (psql commands, data of COPY) may break up a token, after which the tokens are read
/// anew from behind it. More is hostile or no migration, and would take time in the square of the file's length.
const MAX_RESTARTS: usize = 100;

/// The statements of a text and the directives behind the last one.
pub(super) fn pieces(text: &str, engine: Engine) -> (Vec<Piece>, Vec<Note>) {
    let mut scan = Scan {
        text,
        engine,
        delimiter: None,
        pieces: Vec::new(),
        notes: Vec::new(),
        open: None,
        skip_to: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 },
    };
    for _ in 0..MAX_RESTARTS {
        let from = scan.skip_to;
        if scan.run(from) == Outcome::Finished {
            return (scan.pieces, scan.notes);
        }
    }
    let start = scan.skip_to;
    scan.pieces.push(Piece {
        start,
        end: text.len(),
        problem: Some("the rest of the file is mixed with commands and data for a client".into()),
        directives: Vec::new(),
    });
    (scan.pieces, scan.notes)
}

/// Where a pass stopped.
#[derive(PartialEq, Eq)]
enum Outcome {
    Finished,
    /// A token reaches into or out of text for a client: read anew from `skip_to`.
    Restart,
}

struct Scan<'a> {
    text: &'a str,
    engine: Engine,
    /// mysql's DELIMITER, when it is not the semicolon.
    delimiter: Option<String>,
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
    fn run(&mut self, from: usize) -> Outcome {
        let rest = self.text.get(from..).unwrap_or_default();
        let Lexed { lexemes, error } = lex(rest, self.engine);
        let mut end = from;
        for lexeme in lexemes {
            let lexeme = Lexeme { start: from + lexeme.start, end: from + lexeme.end, ..lexeme };
            end = lexeme.end;
            if lexeme.start < self.skip_to {
                if lexeme.end > self.skip_to && !lexeme.is_blank() {
                    return Outcome::Restart;
                }
                continue;
            }
            self.read(&lexeme);
        }
        if error.is_some() && end < self.skip_to {
            return Outcome::Restart;
        }
        self.finish(end.max(self.skip_to), error);
        Outcome::Finished
    }

    fn read(&mut self, lexeme: &Lexeme) {
        if lexeme.is_blank() {
            self.notes.extend(note(lexeme));
            return;
        }
        if self.open.is_none()
            && let Some(command) = clients::command(self.text, lexeme, self.engine)
        {
            self.skip_to = command.end;
            match command.what {
                ClientCommand::Delimiter(word) => self.delimiter = (word != ";").then_some(word),
                ClientCommand::Backslash => self.push(
                    lexeme.start,
                    command.end,
                    Some("it is a command of psql, not SQL".into()),
                ),
            }
            return;
        }
        if let Some(at) = self.terminator(lexeme) {
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
        open.blocks.read(lexeme);
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
            let problem = "it is followed by rows for psql, not by SQL";
            let taken = self.text.get(open.start..end).unwrap_or_default().trim_end().len();
            if let Some(piece) = self.pieces.last_mut() {
                piece.end = open.start + taken;
                piece.problem = Some(problem.into());
            }
            self.skip_to = end;
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
        // What a client's line or an error takes in ends where its text does.
        let taken = self.text.get(start..end).unwrap_or_default().trim_end().len();
        let directives = std::mem::take(&mut self.notes);
        self.pieces.push(Piece { start, end: start + taken, problem, directives });
    }
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
