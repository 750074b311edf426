//! What files hold for a command-line client, not for the server: `DELIMITER`, psql's `\` commands, data of COPY.

use super::RunBy;
use crate::model::server::Engine;

/// A line for a client.
#[derive(Debug)]
pub(super) struct ClientText {
    /// Byte behind it, its newline included.
    pub(super) end: usize,
    /// What it does.
    pub(super) what: ClientCommand,
}

/// What a client is told.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum ClientCommand {
    /// What ends a statement from here on.
    Delimiter(String),
    /// Nothing that concerns the schema: `\set`, `\echo`.
    Nothing,
    /// A comment that only the tool takes for one; what stands behind its mark.
    Comment(String),
    /// A statement that the client makes: `\copy`.
    Statement,
    /// What zdm cannot run, or cannot see through; says why.
    Problem(&'static str),
}

/// The byte behind the line of `at`, its newline included.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// Whether only white space stands between the line's begin and `at`.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let blank = |character: &char| character.is_whitespace() && *character != '\n';
    before
        .chars()
        .rev()
        .find(|character| !blank(character))
        .is_none_or(|character| character == '\n')
}

/// Whether `--word` or `----` stands there: a comment to other tools, though not to MySQL and MariaDB.
pub(super) fn is_comment(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let marks = |character: char| character.is_alphabetic() || character == '-';
    rest.strip_prefix("--").is_some_and(|rest| rest.starts_with(marks))
}

/// The client's command that begins at `at`, where a statement could begin.
pub(super) fn command(text: &str, at: usize, engine: Engine, run_by: RunBy) -> Option<ClientText> {
    // Most statements begin otherwise, and a line may be as long as its file.
    may_be_command(text.get(at..)?).then_some(())?;
    let end = line_end(text, at);
    let line = text.get(at..end).unwrap_or_default().trim_end();
    if run_by == RunBy::AnyTool
        && engine.is_mysql_family()
        && line.eq_ignore_ascii_case("DELIMITER")
        && let Some(command) = delimiter_of_next_line(text, end)
    {
        return Some(command);
    }
    let what = match run_by {
        RunBy::Zdm => for_zdm(line, engine),
        RunBy::AnyTool => for_any_tool(line, engine),
    };
    what.map(|what| ClientText { end, what })
}

/// The words by which lines for mysql begin.
const WORDS: &[&str] = &[
    "DELIMITER",
    "SOURCE",
    "USE",
    "QUIT",
    "EXIT",
    "TEE",
    "NOTEE",
    "PAGER",
    "NOPAGER",
    "PROMPT",
    "WARNINGS",
    "NOWARNING",
];

fn may_be_command(text: &str) -> bool {
    let (word, _) = first_word(text);
    text.starts_with(['\\', '#', '-']) || WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn for_zdm(line: &str, engine: Engine) -> Option<ClientCommand> {
    if engine.is_mysql_family() {
        delimiter(line)
    } else {
        let psql = ClientCommand::Problem("it is a command of psql, not SQL");
        line.starts_with('\\').then_some(psql)
    }
}

fn for_any_tool(line: &str, engine: Engine) -> Option<ClientCommand> {
    if let Some(command) = delimiter(line) {
        return Some(command);
    }
    if let Some(rest) = line.strip_prefix('\\') {
        return Some(backslash(rest, engine));
    }
    if !engine.is_mysql_family() {
        return line.strip_prefix('#').map(|text| ClientCommand::Comment(text.to_owned()));
    }
    // To the server it is none without a space, but no statement begins so.
    if let Some(text) = line.strip_prefix("--") {
        return Some(ClientCommand::Comment(text.to_owned()));
    }
    let (word, rest) = first_word(line);
    let rest = rest.trim();
    let one_name = !rest.is_empty() && !rest.contains([';', ' ', '\t']);
    match word.to_ascii_uppercase().as_str() {
        "SOURCE" => Some(ClientCommand::Problem("it runs another file")),
        "USE" if one_name => Some(ClientCommand::Nothing),
        "QUIT" | "EXIT" | "TEE" | "NOTEE" | "PAGER" | "NOPAGER" | "PROMPT" | "WARNINGS"
        | "NOWARNING" => Some(ClientCommand::Nothing),
        _ => None,
    }
}

/// What stands behind a backslash. psql's manual, Meta-Commands; mysql's manual, mysql Client Commands.
fn backslash(rest: &str, engine: Engine) -> ClientCommand {
    let (word, _) = first_word(rest);
    match word {
        "" if rest.starts_with('!') => ClientCommand::Problem("it runs a program"),
        "" if engine.is_mysql_family() && rest.starts_with('.') => {
            ClientCommand::Problem("it runs another file")
        }
        "i" | "ir" | "include" | "include_relative" => {
            ClientCommand::Problem("it runs another file")
        }
        "gexec" => ClientCommand::Problem("it runs SQL that is put together at run time"),
        // psql looks at the letters of this one alone.
        word if word.eq_ignore_ascii_case("copy") => ClientCommand::Statement,
        _ => ClientCommand::Nothing,
    }
}

/// Flyway takes what ends a statement from the next line, too; mysql would not.
fn delimiter_of_next_line(text: &str, at: usize) -> Option<ClientText> {
    let end = line_end(text, at);
    let word = text.get(at..end)?.trim();
    let is_mark = !word.is_empty() && word.chars().all(|mark| "$/;|@#%^&".contains(mark));
    is_mark.then(|| ClientText { end, what: ClientCommand::Delimiter(word.to_owned()) })
}

fn delimiter(line: &str) -> Option<ClientCommand> {
    let (word, rest) = first_word(line);
    // A client takes the first word alone.
    let rest = rest.split_whitespace().next()?;
    word.eq_ignore_ascii_case("DELIMITER").then(|| ClientCommand::Delimiter(rest.to_owned()))
}

/// The letters at the begin, and what follows them.
fn first_word(line: &str) -> (&str, &str) {
    let end = line
        .find(|character: char| !(character.is_alphanumeric() || character == '_'))
        .unwrap_or(line.len());
    line.split_at_checked(end).unwrap_or((line, ""))
}

/// Whether a statement only says which database the client means from here on, as files of dumps do.
pub(super) fn is_use(statement: &str, engine: Engine) -> bool {
    let (word, rest) = first_word(statement);
    engine.is_mysql_family()
        && word.eq_ignore_ascii_case("USE")
        && rest.starts_with(|character: char| character.is_whitespace() || character == '`')
}

/// The byte behind the data that follows a `COPY ... FROM STDIN`, when `statement` (closed at `at`) is one.
pub(super) fn copy_data(text: &str, statement: &str, at: usize, engine: Engine) -> Option<usize> {
    let copies = statement.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("COPY"));
    if engine != Engine::Postgres || !copies || !is_from_stdin(statement) {
        return None;
    }
    Some(data_end(text, line_end(text, at)))
}

/// The byte behind the data that follows a line with `\copy ... from stdin`; `end` where the line has none.
pub(super) fn data_of_line(text: &str, line: &str, end: usize) -> usize {
    if is_from_stdin(line) { data_end(text, end) } else { end }
}

/// The byte behind the line that ends data which begin at a byte.
fn data_end(text: &str, mut begin: usize) -> usize {
    while begin < text.len() {
        let end = line_end(text, begin);
        if text.get(begin..end).unwrap_or_default().trim_end() == "\\." {
            return end;
        }
        begin = end;
    }
    text.len()
}

fn is_from_stdin(statement: &str) -> bool {
    let words: Vec<_> = statement.split_whitespace().collect();
    words.windows(2).any(|pair| match pair {
        [from, stdin] => {
            from.eq_ignore_ascii_case("FROM") && first_word(stdin).0.eq_ignore_ascii_case("STDIN")
        }
        _ => false,
    })
}
