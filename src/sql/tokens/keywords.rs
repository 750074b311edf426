//! sqlparser's keywords, by first letter and length: few are left to be compared with a word.

use std::sync::LazyLock;

use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, Keyword};

/// No keyword has so many letters.
const LONGEST: usize = 64;

static GROUPS: LazyLock<Vec<Vec<(&str, Keyword)>>> = LazyLock::new(|| {
    let mut groups = vec![Vec::new(); 26 * LONGEST];
    for (word, keyword) in ALL_KEYWORDS.iter().copied().zip(ALL_KEYWORDS_INDEX) {
        if let Some(group) = group(word).and_then(|number| groups.get_mut(number)) {
            group.push((word, *keyword));
        }
    }
    groups
});

/// The keyword that an unquoted word is.
pub(super) fn keyword(word: &str) -> Keyword {
    let group = group(word).and_then(|number| GROUPS.get(number));
    let mut group = group.into_iter().flatten();
    let found = group.find(|(known, _)| known.eq_ignore_ascii_case(word));
    found.map_or(Keyword::NoKeyword, |(_, keyword)| *keyword)
}

fn group(word: &str) -> Option<usize> {
    let first = word.bytes().next()?.to_ascii_uppercase();
    let letter = first.checked_sub(b'A').filter(|letter| *letter < 26)?;
    (word.len() < LONGEST).then(|| usize::from(letter) * LONGEST + word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_however_it_is_written() {
        for (word, expected) in ALL_KEYWORDS.iter().zip(ALL_KEYWORDS_INDEX) {
            assert_eq!(keyword(word), *expected, "{word}");
            assert_eq!(keyword(&word.to_ascii_lowercase()), *expected, "{word}");
            assert_eq!(keyword(&format!("{word}{word}")), Keyword::NoKeyword, "{word}");
        }
        assert_eq!(keyword("\u{e9}"), Keyword::NoKeyword);
        assert_eq!(keyword(""), Keyword::NoKeyword);
    }
}
