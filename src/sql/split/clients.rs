//! What files hold for a command-line client, not for the server: `DELIMITER`, psql's `\` commands, data of COPY.

use sqlparser::tokenizer::Token;

use crate::model::server::Engine;
use crate::sql::tokens::Lexeme;

/// A line, or lines, for a client.
#[derive(Debug)]
pub(super) struct ClientText {
    /// Byte behind it.
    pub(super) end: usize,
    /// What it does.
    pub(super) what: ClientCommand,
}

/// What a client is told.
#[derive(Debug)]
pub(super) enum ClientCommand {
    /// mysql: what ends a statement from here on.
    Delimiter(String),
    /// psql: a command that zdm cannot run.
    Backslash,
}

/// The byte behind the line of `at`, its newline included.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// The client's command that begins with this token, where a statement could begin.
pub(super) fn command(text: &str, lexeme: &Lexeme, engine: Engine) -> Option<ClientText> {
    let end = line_end(text, lexeme.start);
    let rest = text.get(lexeme.end..end).unwrap_or_default();
    if engine.is_mysql_family() {
        let delimiter = rest.trim();
        (lexeme.is_word("DELIMITER") && !delimiter.is_empty())
            .then(|| ClientText { end, what: ClientCommand::Delimiter(delimiter.to_owned()) })
    } else {
        (lexeme.token == Token::Backslash)
            .then_some(ClientText { end, what: ClientCommand::Backslash })
    }
}

/// The byte behind the data that follows a `COPY ... FROM STDIN`, when `statement` (closed at `at`) is one.
pub(super) fn copy_data(text: &str, statement: &str, at: usize, engine: Engine) -> Option<usize> {
    let words: Vec<String> =
        statement.split_whitespace().take(200).map(str::to_ascii_uppercase).collect();
    let copies = engine == Engine::Postgres && words.first().is_some_and(|word| word == "COPY");
    let from_stdin = words.windows(2).any(|pair| pair == ["FROM", "STDIN"]);
    if !copies || !from_stdin {
        return None;
    }
    let mut begin = line_end(text, at);
    while begin < text.len() {
        let end = line_end(text, begin);
        if text.get(begin..end).unwrap_or_default().trim_end() == "\\." {
            return Some(end);
        }
        begin = end;
    }
    Some(text.len())
}
