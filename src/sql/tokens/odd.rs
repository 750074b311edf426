//! Tokens of PostgreSQL that sqlparser reads otherwise than the server, or not at all.
//!
//! Source: PostgreSQL's manual, Lexical Structure: String Constants with C-Style Escapes, String Constants with Unicode
//! Escapes, Operators.

use sqlparser::tokenizer::Token;

/// The token that begins `text`, and its bytes, when it is a text in quotes or an operator that sqlparser could not read.
pub(super) fn unread(text: &str) -> Option<(Token, usize)> {
    if text.starts_with("E'") || text.starts_with("e'") {
        let end = escaped_end(text)?;
        return Some((Token::EscapedStringLiteral(text.get(2..end - 1)?.to_owned()), end));
    }
    let operator = text.get(..operator_end(text)).filter(|operator| !operator.is_empty());
    operator.map(self::operator)
}

/// An operator that sqlparser has no name for.
pub(super) fn operator(text: &str) -> (Token, usize) {
    (Token::CustomBinaryOperator(text.to_owned()), text.len())
}

/// How many bytes belong to the operator that begins `text`.
pub(super) fn operator_end(text: &str) -> usize {
    let is_part = |byte: &u8| b"+-*/<>=~!@#%^&|`?".contains(byte);
    let run = text.bytes().take_while(is_part).count();
    let run = text.get(..run).unwrap_or_default();
    let comments = ["--", "/*"].iter().filter_map(|mark| run.find(mark));
    let run = run.get(..comments.min().unwrap_or(run.len())).unwrap_or_default();
    // `a=-1`: only an operator with one of these may end with a sign.
    if run.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']) {
        return run.len();
    }
    let signs = run.bytes().skip(1).rev().take_while(|byte| matches!(byte, b'+' | b'-')).count();
    run.len() - signs
}

/// Behind the quote that closes an `E'...'`, in which a backslash takes away the next character's meaning.
fn escaped_end(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(2).peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'\'' if bytes.next_if(|(_, next)| *next == b'\'').is_none() => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `U&'...'` or `U&"..."` with the UESCAPE behind it; none: it is neither. An error says that it is never closed.
pub(super) fn unicode(text: &str) -> Option<Result<(Token, usize), String>> {
    let rest = text.strip_prefix("U&").or_else(|| text.strip_prefix("u&"))?;
    let quote = rest.chars().next().filter(|mark| matches!(mark, '\'' | '"'))?;
    let Some(closed) = closed(rest, quote) else {
        return Some(Err("unterminated unicode encoded string literal".to_owned()));
    };
    let inside = rest.get(1..closed - 1)?;
    let (mark, behind) = rest.get(closed..).and_then(uescape).unwrap_or(('\\', 0));
    let token = if quote == '"' {
        // Whoever reads the name takes quotes in it as doubled.
        let name = decoded(inside, mark).replace("\"\"", "\"").replace('"', "\"\"");
        Token::make_word(&name, Some('"'))
    } else {
        Token::UnicodeStringLiteral(decoded(inside, mark))
    };
    Some(Ok((token, "U&".len() + closed + behind)))
}

/// Behind the quote that closes the one at the begin; doubled ones do not.
fn closed(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text.get(at..)?.find(quote)? + 1;
        if !text.get(at..)?.starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

/// The character in `UESCAPE '!'`, and the bytes up to its end.
fn uescape(text: &str) -> Option<(char, usize)> {
    const WORD: &str = "UESCAPE";
    let rest = text.trim_ascii_start();
    let (word, rest) = rest.split_at_checked(WORD.len())?;
    word.eq_ignore_ascii_case(WORD).then_some(())?;
    let rest = rest.trim_ascii_start().strip_prefix('\'')?;
    let mark = rest.chars().next().filter(|mark| *mark != '\'')?;
    let rest = rest.strip_prefix(mark)?.strip_prefix('\'')?;
    Some((mark, text.len() - rest.len()))
}

/// With the characters that escapes stand for; one that stands for none stays as it is written.
fn decoded(text: &str, mark: char) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let escape = escape.strip_prefix(mark).unwrap_or_default();
        result.push_str(before);
        let digits = if escape.starts_with('+') { 1..7 } else { 0..4 };
        let end = digits.end;
        let found = escape.get(digits).filter(|digits| !digits.starts_with('+'));
        let found = found.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(character) = found.and_then(char::from_u32) {
            result.push(character);
            rest = escape.get(end..).unwrap_or_default();
        } else {
            result.push(mark);
            rest = escape.strip_prefix(mark).unwrap_or(escape);
        }
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_ends_where_the_server_says() {
        for (text, operator) in [
            ("|> 1", "|>"),
            ("<%>x", "<%>"),
            ("=-1", "="),
            ("<-1", "<"),
            ("@-1", "@-"),
            ("||-- comment", "||"),
            ("@@/* comment */", "@@"),
            ("+-+", "+"),
            ("->>'a'", "->>"),
            ("--", ""),
            ("a", ""),
        ] {
            assert_eq!(operator_end(text), operator.len(), "{text}");
        }
    }

    #[test]
    fn names_and_texts_in_unicode_escapes_are_decoded_with_their_own_mark() {
        let name = |value: &str| Token::make_word(value, Some('"'));
        let literal = |value: &str| Token::UnicodeStringLiteral(value.to_owned());
        for (text, token, length) in [
            (r#"U&"d\0061t\+000061" x"#, name("data"), 19),
            (r#"u&"d!0061t!+000061"  uescape '!' x"#, name("data"), 32),
            (r"U&'a''b\\c\00e9';", literal(r"a''b\cé"), 16),
            (r"U&'a\;' UESCAPE", literal(r"a\;"), 7),
            (r"U&'\00e' UESCAPE ''''", literal(r"\00e"), 8),
            (r#"U&"a\0022b""#, name(r#"a""b"#), 11),
        ] {
            assert_eq!(unicode(text), Some(Ok((token, length))), "{text}");
        }
        assert_eq!(unicode("U & 'a'"), None);
        assert!(unicode("U&'a").is_some_and(|read| read.is_err()));
    }
}
