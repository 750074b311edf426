//! Which names a text mentions: a body that the server keeps as text, and records nothing of.
//!
//! Texts inside quotes count, too: they may be statements that are put together at run time. So more may be found than is
//! used, and never less, but for names that are themselves put together.

use std::collections::BTreeSet;

/// A text, prepared for many questions.
pub(super) struct Mentions {
    text: String,
    words: BTreeSet<String>,
}

impl Mentions {
    /// Takes a text apart.
    pub(super) fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let words = text.split(|c| !is_part_of_word(c)).filter(|word| !word.is_empty());
        let words = words.map(str::to_owned).collect();
        Self { text, words }
    }

    /// Whether the name stands in it, in whatever case.
    pub(super) fn has(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        if name.chars().all(is_part_of_word) {
            self.words.contains(&name)
        } else {
            self.text.contains(&name)
        }
    }
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_whole_words_in_any_case() {
        let text =
            Mentions::of("SELECT u.Name, \"first NAME\" FROM users u WHERE format('%I.ids') = $1");
        for name in ["name", "NAME", "users", "first name", "ids", "u"] {
            assert!(text.has(name), "{name}");
        }
        for name in ["nam", "user", "first  name", "id", "s"] {
            assert!(!text.has(name), "{name}");
        }
    }
}
