//! `?` becomes `$1`, `$2`, ... where it stands for a value.

/// Numbers the placeholders of a statement. A `?` inside quotes, comments or dollar quotes is left alone; `??` is one
/// question mark, for operators such as `jsonb ?? 'key'`.
pub(super) fn number(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 8);
    let mut rest = sql;
    let mut count = 0_u32;
    while let Some(first) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("??") {
            out.push('?');
            rest = tail;
            continue;
        }
        if first == '?' {
            count += 1;
            out.push('$');
            out.push_str(&count.to_string());
            rest = rest.strip_prefix('?').unwrap_or("");
            continue;
        }
        let escapes = first == '\'' && ends_with_escape_marker(&out);
        let length = token_length(rest, first, escapes);
        let (token, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(token);
        rest = tail;
    }
    out
}

/// How many bytes belong together and hold no placeholder: at least the first character.
fn token_length(rest: &str, first: char, escapes: bool) -> usize {
    let until = |open: usize, close: &str| {
        rest.get(open..)
            .and_then(|body| body.find(close))
            .map_or(rest.len(), |at| open + at + close.len())
    };
    match first {
        '\'' | '"' => quoted_length(rest, first, escapes),
        '-' if rest.starts_with("--") => until(2, "\n"),
        '/' if rest.starts_with("/*") => comment_length(rest),
        '$' => dollar_tag(rest).map_or(1, |tag| until(tag.len(), tag)),
        // A name may hold a dollar sign, which then opens no quote.
        c if c.is_alphabetic() || c == '_' => rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(rest.len()),
        c => c.len_utf8(),
    }
}

/// A doubled quote ends one quoted text and begins the next, which comes to the same.
fn quoted_length(rest: &str, quote: char, escapes: bool) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if escapes && c == '\\' {
            characters.next();
        } else if c == quote {
            return at + quote.len_utf8();
        }
    }
    rest.len()
}

/// Whether an `E` or `e` of its own stands in front, so that a backslash in the text escapes.
fn ends_with_escape_marker(before: &str) -> bool {
    let mut back = before.chars().rev();
    let marked = back.next().is_some_and(|c| c.eq_ignore_ascii_case(&'e'));
    marked && !back.next().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

/// Comments nest in PostgreSQL.
fn comment_length(rest: &str) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// `$$` or `$tag$` at the beginning; `$1` is none.
fn dollar_tag(rest: &str) -> Option<&str> {
    let body = rest.strip_prefix('$')?;
    let (tag, _) = body.split_once('$')?;
    let starts_well = !tag.starts_with(|c: char| c.is_ascii_digit());
    let is_tag = starts_well && tag.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_tag.then(|| rest.get(..tag.len() + 2)).flatten()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn placeholders_are_numbered_where_they_stand_for_values() {
        for (written, sent) in [
            ("SELECT ?, ? FROM t WHERE a = ?", "SELECT $1, $2 FROM t WHERE a = $3"),
            ("SELECT '?', ?, 'it''s ?'", "SELECT '?', $1, 'it''s ?'"),
            (r"SELECT E'\'?', ?, name'\', ?", r"SELECT E'\'?', $1, name'\', $2"),
            ("SELECT \"a?\", ?", "SELECT \"a?\", $1"),
            ("SELECT ? -- why?\n, ?", "SELECT $1 -- why?\n, $2"),
            ("SELECT /* ? /* ? */ ? */ ?", "SELECT /* ? /* ? */ ? */ $1"),
            ("SELECT $$?$$, $x$ ? $y$ ? $x$, ?", "SELECT $$?$$, $x$ ? $y$ ? $x$, $1"),
            ("SELECT a$b, ?, c$d, ?", "SELECT a$b, $1, c$d, $2"),
            ("SELECT j ?? 'a', ?", "SELECT j ? 'a', $1"),
            ("SELECT 'ä?', ä, ?", "SELECT 'ä?', ä, $1"),
            ("SELECT '? open", "SELECT '? open"),
            ("", ""),
        ] {
            assert_eq!(number(written), sent);
        }
    }
}
