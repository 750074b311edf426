//! Comments by which tools divide a file: goose, micrate, dbmate, sql-migrate, rambler, node-pg-migrate, tern, `MyBatis`
//! Migrations, Play evolutions, Liquibase's formatted SQL.

/// What a comment says to the tool that runs the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Marker {
    /// What follows is the migration.
    Up,
    /// What follows undoes it: it does not run after the rest.
    Down,
    /// A statement ends here, with or without a semicolon. A word that ends statements from here on may be said.
    Edge { delimiter: Option<String> },
}

/// The first words of comments, in lower case.
const BEGINS: &[(&str, Marker)] = &[
    ("+goose up", Marker::Up),
    ("+goose down", Marker::Down),
    ("+goose statement", Marker::Edge { delimiter: None }),
    ("+micrate up", Marker::Up),
    ("+micrate down", Marker::Down),
    ("+micrate statement", Marker::Edge { delimiter: None }),
    ("+migrate up", Marker::Up),
    ("+migrate down", Marker::Down),
    ("+migrate statement", Marker::Edge { delimiter: None }),
    ("migrate:up", Marker::Up),
    ("migrate:down", Marker::Down),
    ("rambler up", Marker::Up),
    ("rambler down", Marker::Down),
    ("//@undo", Marker::Down),
    ("!ups", Marker::Up),
    ("!downs", Marker::Down),
    ("create above / drop below", Marker::Down),
];

/// What a comment of one line says; `comment` is what stands behind its `--` or `#`.
pub(super) fn marker(comment: &str) -> Option<Marker> {
    let text =
        comment.trim_matches(|character: char| character.is_whitespace() || character == '-');
    // Nothing that is looked for is long, and most comments are prose.
    let begin: String = text.chars().take(32).collect::<String>().to_ascii_lowercase();
    if matches!(begin.as_str(), "up migration") {
        return Some(Marker::Up);
    }
    if matches!(begin.as_str(), "down migration") {
        return Some(Marker::Down);
    }
    if begin.starts_with("changeset ") {
        let delimiter = text.split_once("endDelimiter:").and_then(|(_, rest)| {
            let word = rest.split_whitespace().next()?.trim_matches('"');
            // `\n` and the like are patterns; the semicolon needs no saying.
            (!word.contains('\\') && word != ";").then(|| word.to_owned())
        });
        return Some(Marker::Edge { delimiter });
    }
    BEGINS.iter().find(|(words, _)| begin.starts_with(words)).map(|(_, marker)| marker.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_tools_are_told_from_prose() {
        assert_eq!(marker(" +goose Up"), Some(Marker::Up));
        assert_eq!(marker(" migrate:down transaction:false"), Some(Marker::Down));
        assert_eq!(marker("-- create above / drop below ----"), Some(Marker::Down));
        assert_eq!(marker(" Down Migration "), Some(Marker::Down));
        assert_eq!(marker("- !Downs"), Some(Marker::Down));
        let edge = |word: &str| Some(Marker::Edge { delimiter: Some(word.to_owned()) });
        assert_eq!(marker("changeset ada:1 endDelimiter:// dbms:mysql"), edge("//"));
        assert_eq!(marker(" down with it"), None);
        assert_eq!(marker(" migrates up"), None);
    }
}
