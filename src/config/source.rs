//! A file's text, and errors that point into it.

use std::ops::Range;

use crate::error::Error;

/// A file: its path as the user would type it, and its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The path.
    pub(crate) path: &'a str,
    /// The text.
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// The 1-based line and column (in characters) of a byte.
    pub(crate) fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// A usage error at a place: `zdm.toml:3:5: unknown key "databse"`. The source line is not quoted: it may hold a
    /// password.
    pub(crate) fn error(&self, span: &Range<usize>, message: impl AsRef<str>) -> Error {
        let (line, column) = self.place(span.start);
        Error::usage(format!("{}:{line}:{column}: {}", self.path, message.as_ref()))
    }

    /// What the TOML parser, or serde above it, says about the text.
    pub(crate) fn toml_error(&self, error: &toml::de::Error) -> Error {
        // The parser's own Display quotes the source line; its message alone does not.
        self.error(&error.span().unwrap_or(0..0), error.message().trim_end())
    }
}

/// The candidate that a mistyped word was probably meant to be.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let scored = candidates.into_iter().map(|known| (strsim::jaro_winkler(word, known), known));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// A hint for a mistyped word: the nearest one, else all of them.
pub(crate) fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(known) => format!("Did you mean \"{known}\"?"),
        None if candidates.is_empty() => "There is none to choose from.".to_owned(),
        None => format!("Known here: {}.", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let source = Source { path: "zdm.toml", text: "a = 1\né = 2\nb" };
        assert_eq!(source.place(0), (1, 1));
        assert_eq!(source.place(6), (2, 1));
        assert_eq!(source.place(9), (2, 3));
        assert_eq!(source.place(999), (3, 2));
    }

    #[test]
    fn a_mistyped_word_names_its_neighbour() {
        assert_eq!(did_you_mean("databse", &["database", "gate"]), "Did you mean \"database\"?");
        assert_eq!(did_you_mean("xyz", &["database", "gate"]), "Known here: database, gate.");
    }
}
