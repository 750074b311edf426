//! `[lint] since`: from which migration on files are judged.

use std::cmp::Ordering;
use std::path::Path;

use super::LintConfig;
use crate::model::name::MigrationId;

impl LintConfig {
    /// Whether a migration is judged.
    pub(crate) fn judges_migration(&self, id: &MigrationId) -> bool {
        self.judges_name(id.as_str()).unwrap_or(true)
    }

    /// Whether a file of any tool is judged, by the number in its name, or else in that of its folder. One that is not
    /// numbered is.
    pub(crate) fn judges(&self, path: &Path) -> bool {
        let mut names = path.ancestors().take(2).filter_map(|place| place.file_name()?.to_str());
        names.find_map(|name| self.judges_name(name)).unwrap_or(true)
    }

    fn judges_name(&self, name: &str) -> Option<bool> {
        let first = numbers(self.since.as_deref()?);
        let own = numbers(name);
        (!own.is_empty()).then(|| compare(&own, &first) != Ordering::Less)
    }
}

/// The numbers at the beginning of a name, without leading zeros: of `V1.10__users.sql` 1 and 10, of
/// `2021-04-24-115720_x` four.
fn numbers(name: &str) -> Vec<&str> {
    let rest = name.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && !"._-".contains(letter));
    let head = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
    let words = head.split(['.', '_', '-']).filter(|word| !word.is_empty());
    words.map(|word| word.trim_start_matches('0')).collect()
}

/// By value: of numbers without leading zeros the longer one is greater.
fn compare(a: &[&str], b: &[&str]) -> Ordering {
    let sizes = |list: &[&str]| -> Vec<(usize, String)> {
        list.iter().map(|number| (number.len(), (*number).to_owned())).collect()
    };
    sizes(a).cmp(&sizes(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_first_judged_migration_is_not_judged() {
        let check = |since: &str, path: &str, expected| {
            let config = LintConfig { since: Some(since.to_owned()), ..LintConfig::default() };
            assert_eq!(config.judges(Path::new(path)), expected, "{path} since {since}");
        };
        check("0007", "m/0006_users.sql", false);
        check("0007_roles", "m/0007_roles/expand.sql", true);
        check("0007", "m/0010_x.sql", true);
        check("V1.10", "V1.9__x.sql", false);
        check("V1.10", "V1.10__x.sql", true);
        check("20240101000000", "2/20231231235959_x/up.sql", false);
        check("2021-04-24-115720", "2021-04-25-000000_x/up.sql", true);
        check("0007", "users.sql", true);
        assert!(LintConfig::default().judges(Path::new("0001_a.sql")));
    }
}
