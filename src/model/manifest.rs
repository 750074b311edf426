//! What a build of a service tolerates and needs: a text that travels with the build.
//!
//! ```text
//! zdm-manifest 1
//! service api
//! tolerates 0002_users_display_name
//! needs 0002_users_display_name migrated
//! ```
//!
//! One statement a line; blank lines and lines that begin with `#` do not count. Lines may be added in later versions
//! of the format, which then has another number: an unknown word in this one is a mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::lease::{Need, Reached};
use super::name::MigrationId;

/// The first line of the one format that there is.
const HEADER: &str = "zdm-manifest 1";

/// What a build of a service tolerates and needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Manifest {
    /// The service that the build is one of.
    pub(crate) service: String,
    /// The migrations whose contract it survives.
    pub(crate) tolerates: BTreeSet<MigrationId>,
    /// The migrations that it cannot run without, each once, in order.
    pub(crate) needs: Vec<Need>,
}

/// Why a text is not a manifest.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line} of the manifest: {message}")]
pub(crate) struct ManifestError {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) message: String,
}

impl Manifest {
    /// Reads a manifest.
    pub(crate) fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let fail = |line, message: String| Err(ManifestError { line, message });

        match lines.next() {
            Some((_, HEADER)) => {}
            Some((line, found)) if found.starts_with("zdm-manifest ") => {
                return fail(line, format!("\"{found}\" is a format that this zdm does not know"));
            }
            Some((line, _)) => {
                return fail(line, format!("it does not begin with \"{HEADER}\""));
            }
            None => return fail(1, format!("it is empty, and must begin with \"{HEADER}\"")),
        }

        let mut service = None;
        let mut tolerates = BTreeSet::new();
        let mut needs = BTreeMap::new();
        let mut last = 1;
        for (line, statement) in lines {
            last = line;
            let words: Vec<_> = statement.split_whitespace().collect();
            let at = |message| ManifestError { line, message };
            match words.as_slice() {
                ["service", name] if service.is_none() => service = Some((*name).to_owned()),
                ["service", _] => return fail(line, "a second service".to_owned()),
                ["tolerates", name] => {
                    tolerates.insert(migration(name).map_err(at)?);
                }
                ["needs", name, word] => {
                    let Some(reached) = Reached::parse(word) else {
                        return fail(
                            line,
                            format!("\"{word}\" is neither \"expanded\" nor \"migrated\""),
                        );
                    };
                    needs.insert(migration(name).map_err(at)?, reached);
                }
                [word @ ("service" | "tolerates"), ..] => {
                    return fail(line, format!("\"{word}\" takes one name"));
                }
                ["needs", ..] => {
                    return fail(
                        line,
                        "\"needs\" takes a migration and \"expanded\" or \"migrated\"".to_owned(),
                    );
                }
                [word, ..] => return fail(line, format!("\"{word}\" is not a known word")),
                [] => {}
            }
        }
        let Some(service) = service else {
            return fail(last, "it names no service".to_owned());
        };
        Ok(Self { service, tolerates, needs: needs.into_iter().collect() })
    }
}

fn migration(name: &str) -> Result<MigrationId, String> {
    MigrationId::parse(name).map_err(|error| error.to_string())
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        writeln!(f, "service {}", self.service)?;
        for id in &self.tolerates {
            writeln!(f, "tolerates {id}")?;
        }
        for (id, reached) in &self.needs {
            writeln!(f, "needs {id} {}", reached.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> MigrationId {
        MigrationId::parse(name).unwrap()
    }

    #[test]
    fn a_manifest_is_read_as_it_was_printed() {
        let manifest = Manifest {
            service: "api".to_owned(),
            tolerates: BTreeSet::from([id("0002_x"), id("0003_y")]),
            needs: vec![(id("0002_x"), Reached::Migrated), (id("0004_z"), Reached::Expanded)],
        };
        let text = "zdm-manifest 1\nservice api\ntolerates 0002_x\ntolerates 0003_y\n\
                    needs 0002_x migrated\nneeds 0004_z expanded\n";
        assert_eq!(manifest.to_string(), text);
        assert_eq!(Manifest::parse(text), Ok(manifest));
    }

    #[test]
    fn blank_lines_comments_and_windows_line_ends_do_not_count() {
        let text = "# made by the build\r\n\r\n zdm-manifest 1\r\n\r\nservice\tapi  \r\n# end";
        assert_eq!(Manifest::parse(text).unwrap().service, "api");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, error) in [
            ("", "line 1 of the manifest: it is empty, and must begin with \"zdm-manifest 1\""),
            ("service api", "line 1 of the manifest: it does not begin with \"zdm-manifest 1\""),
            (
                "zdm-manifest 2\nservice api",
                "line 1 of the manifest: \"zdm-manifest 2\" is a format that this zdm does not know",
            ),
            ("zdm-manifest 1\n\n", "line 1 of the manifest: it names no service"),
            ("zdm-manifest 1\nservice a\nservice b", "line 3 of the manifest: a second service"),
            ("zdm-manifest 1\nservice a b", "line 2 of the manifest: \"service\" takes one name"),
            (
                "zdm-manifest 1\nservice a\n\nneeds 0002_x",
                "line 4 of the manifest: \"needs\" takes a migration and \"expanded\" or \"migrated\"",
            ),
            (
                "zdm-manifest 1\nservice a\nneeds 0002_x purged",
                "line 3 of the manifest: \"purged\" is neither \"expanded\" nor \"migrated\"",
            ),
            (
                "zdm-manifest 1\nservice a\ntolerates x",
                "line 3 of the manifest: migration name \"x\" is not of the form NNNN_slug \
                 (digits, an underscore, then letters, digits or _)",
            ),
            (
                "zdm-manifest 1\nservice a\nlevel 4",
                "line 3 of the manifest: \"level\" is not a known word",
            ),
        ] {
            assert_eq!(Manifest::parse(text).unwrap_err().to_string(), error, "{text}");
        }
    }
}
