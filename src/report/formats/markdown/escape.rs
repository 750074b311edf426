//! Text that means itself in GitHub's and GitLab's Markdown, and in a cell of a table.

/// Words; what stands between backticks is code. Names of people and numbers of issues notify nobody and link to nothing.
pub(super) fn prose(text: &str) -> String {
    let text = text.trim();
    let parts: Vec<&str> = text.split('`').collect();
    let is_paired =
        parts.len() % 2 == 1 && parts.iter().skip(1).step_by(2).all(|part| !part.trim().is_empty());
    if !is_paired {
        return plain(text);
    }
    let parts = parts.iter().enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { code(part) } else { plain(part) }).collect()
}

fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' => safe.push_str("<br>"),
            '\r' => {}
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' => {
                safe.push('\\');
                safe.push(character);
            }
            // Inside a word it means nothing.
            '_' if before.is_alphanumeric()
                && characters.peek().is_some_and(|next| next.is_alphanumeric()) =>
            {
                safe.push('_');
            }
            '_' => safe.push_str("\\_"),
            '@' | '#' | '!' => {
                safe.push(character);
                safe.push_str("<!-- -->");
            }
            _ => safe.push(character),
        }
        before = character;
    }
    safe
}

/// A name or SQL on one line.
pub(super) fn code(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    let longest = words.split(|character| character != '`').map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or_default() + 1);
    if words.starts_with('`') || words.ends_with('`') {
        return format!("{fence} {words} {fence}");
    }
    format!("{fence}{words}{fence}")
}

/// Words in a line of HTML, where Markdown means nothing.
pub(super) fn html(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@<!-- -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(prose("a|b *c* <i> `d*`\n[e](f)"), "a\\|b \\*c\\* &lt;i&gt; `d*`<br>\\[e\\](f)");
        assert_eq!(prose("users_name _x_ @ada #1"), "users_name \\_x\\_ @<!-- -->ada #<!-- -->1");
        assert_eq!(prose("a ` b"), "a \\` b");
        assert_eq!(code("SELECT  a\n || b"), "`SELECT a \\|\\| b`");
        assert_eq!(code("ALTER TABLE `t`"), "`` ALTER TABLE `t` ``");
        assert_eq!(html("a <b>\n@ada"), "a &lt;b&gt; @<!-- -->ada");
    }
}
