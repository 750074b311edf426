//! Fingerprints: by what a program that keeps findings recognises one that it has seen.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::model::server::Engine;
use crate::sql::seal::seal;

/// What a finding is about, without its place in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The file, from the repository's root.
    pub(crate) path: &'a str,
    /// The statement.
    pub(crate) sql: &'a str,
    /// The clause of it.
    pub(crate) clause: &'a str,
}

/// Makes them, and counts those that would be the same.
#[derive(Debug)]
pub(crate) struct Marks {
    engine: Engine,
    seen: BTreeMap<[u8; 32], usize>,
}

impl Marks {
    /// For texts in the dialect of an engine.
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, seen: BTreeMap::new() }
    }

    /// SHA-256 in hexadecimal over the rule, the file's path, the tokens of statement and clause, and how many like it
    /// came before. Lines, comments, white space and the words of the message do not count.
    pub(crate) fn mark(&mut self, rule: &str, subject: Subject<'_>) -> String {
        let mut hash = Sha256::new();
        let (sql, clause) = (seal(subject.sql, self.engine), seal(subject.clause, self.engine));
        for part in [rule, subject.path, &sql.0, &clause.0] {
            hash.update(part.as_bytes());
            // No UTF-8 text holds this byte.
            hash.update([0xff]);
        }
        let seen = self.seen.entry(hash.clone().finalize().into()).or_default();
        hash.update(seen.to_string().as_bytes());
        *seen += 1;
        let mut hex = String::with_capacity(64);
        for byte in hash.finalize() {
            write!(hex, "{byte:02x}").unwrap_or_default();
        }
        hex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_comments_and_white_space_do_not_count_and_repetitions_differ() {
        let mark = |marks: &mut Marks, sql| {
            marks.mark("rule", Subject { path: "a.sql", sql, clause: "a" })
        };
        let marks = || Marks::new(Engine::Postgres);
        let (mut one, mut two) = (marks(), marks());
        let first = mark(&mut one, "DROP TABLE a");
        assert_eq!(first, mark(&mut two, "DROP -- now\n  TABLE a"));
        assert_ne!(first, mark(&mut one, "DROP TABLE a"));
        assert_ne!(first, mark(&mut marks(), "DROP TABLE b"));
        let other = Subject { path: "b.sql", sql: "DROP TABLE a", clause: "a" };
        assert_ne!(first, marks().mark("rule", other));
        assert_ne!(first, marks().mark("other", Subject { path: "a.sql", ..other }));
    }
}
