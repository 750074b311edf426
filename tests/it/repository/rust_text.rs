//! Rust source without what a check should not read.

/// The text with comments gone and the contents of strings and characters blanked, line breaks kept.
pub(super) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        let end = match c {
            '/' if rest.starts_with(&['/', '/']) => at + length_until(rest, &['\n']) - 1,
            '/' if rest.starts_with(&['/', '*']) => at + block_comment(rest),
            '"' => at + string(rest, 1),
            'r' if !follows_a_word(&chars, at) && raw_string(rest).is_some() => {
                at + raw_string(rest).unwrap_or(1)
            }
            '\'' => at + character(rest).unwrap_or(1),
            _ => at + 1,
        };
        let end = end.max(at + 1);
        if end == at + 1 {
            out.push(c);
        } else {
            out.extend(chars.iter().take(end).skip(at).filter(|c| **c == '\n'));
            out.push(' ');
        }
        at = end;
    }
    out
}

/// The same without the tests at the end of the file.
pub(super) fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod ").and_then(|at| text.get(..=at)).unwrap_or(text)
}

fn follows_a_word(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| chars.get(at));
    // `br"..."` is a string, too; `for"` does not occur.
    before.is_some_and(|c| (c.is_alphanumeric() && *c != 'b') || *c == '_')
}

/// How many characters there are up to and with the end mark.
fn length_until(rest: &[char], end: &[char]) -> usize {
    let found = rest.windows(end.len()).position(|window| window == end);
    found.map_or(rest.len() + 1, |at| at + end.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if here.starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string(rest: &[char], from: usize) -> usize {
    let mut at = from;
    while let Some(c) = rest.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().skip(1).take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    Some(2 + hashes + length_until(rest.get(2 + hashes..)?, &end))
}

/// A character, as opposed to a lifetime.
fn character(rest: &[char]) -> Option<usize> {
    match (rest.get(1)?, rest.get(2)?) {
        ('\\', _) => Some(3 + length_until(rest.get(3..)?, &['\''])),
        (_, '\'') => Some(3),
        _ => None,
    }
}

#[test]
fn comments_and_strings_are_not_code() {
    for (text, expected) in [
        ("a // b\nc", "a  \nc"),
        ("a /* /* b */ */ c", "a   c"),
        (r#"f("crate::x \" y", z)"#, "f( , z)"),
        (r##"f(r#"crate::"x"# , z)"##, "f(  , z)"),
        ("f('\"', '\\'', b)", "f( ,  , b)"),
        ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
        ("for x in r", "for x in r"),
    ] {
        assert_eq!(code(text), expected);
    }
}

#[test]
fn the_tests_of_a_file_do_not_count() {
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n}\n"), "a\n");
    assert_eq!(without_tests("a\n"), "a\n");
}
