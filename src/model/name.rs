//! Names that must not be mixed up.

use std::cmp::Ordering;
use std::fmt;

/// A migration's identity: the name of its folder, `NNNN_slug`, for example `0002_users_display_name`.
///
/// Ordered by number (of any width, or a timestamp), then by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct MigrationId(String);

/// Why a text is not the name of a migration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "migration name \"{0}\" is not of the form NNNN_slug (digits, an underscore, then letters, digits or _)"
)]
pub(crate) struct InvalidMigrationId(pub(crate) String);

impl MigrationId {
    /// Checks that `name` is digits, an underscore and a slug of ASCII letters, digits, `_` or `-`.
    pub(crate) fn parse(name: &str) -> Result<Self, InvalidMigrationId> {
        let invalid = || InvalidMigrationId(name.to_owned());
        let (digits, slug) = name.split_once('_').ok_or_else(invalid)?;
        let slug_is_plain =
            slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let number_is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if number_is_plain && !slug.is_empty() && slug_is_plain {
            Ok(Self(name.to_owned()))
        } else {
            Err(invalid())
        }
    }

    /// The whole name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as written, without leading zeros (`2` for `0002_x`).
    pub(crate) fn number(&self) -> &str {
        self.0.split_once('_').map_or("", |(digits, _)| digits).trim_start_matches('0')
    }

    /// Whether `text` names this migration: the whole name, or its number in any width.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        self.0 == text || (all_digits && text.trim_start_matches('0') == self.number())
    }
}

impl Ord for MigrationId {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.number(), other.number());
        a.len().cmp(&b.len()).then_with(|| a.cmp(b)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for MigrationId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A table: its schema (PostgreSQL; absent on MySQL and MariaDB, whose schema is the database) and its name, unquoted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct TableName {
    /// The schema, when the server has schemas inside a database.
    pub(crate) schema: Option<String>,
    /// The name itself, as the catalog holds it.
    pub(crate) name: String,
}

impl TableName {
    /// A table without a schema.
    pub(crate) fn bare(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A table in a schema.
    pub(crate) fn in_schema(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }

    /// The name as people know it: without the schema in which unqualified names live.
    #[cfg(feature = "engine")]
    pub(crate) fn shown(&self, schema: Option<&str>) -> String {
        if self.schema.as_deref() == schema { self.name.clone() } else { self.to_string() }
    }

    /// The table in its own schema, or else in `schema`.
    #[cfg(feature = "engine")]
    pub(crate) fn or_in(&self, schema: Option<&str>) -> Self {
        let schema = self.schema.clone().or_else(|| schema.map(str::to_owned));
        Self { schema, name: self.name.clone() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_ordered_by_number_whatever_its_width() {
        let mut ids: Vec<_> = ["20260101120000_c", "0010_b", "9_a", "0009_b"]
            .into_iter()
            .map(|name| MigrationId::parse(name).unwrap())
            .collect();
        ids.sort();
        let names: Vec<_> = ids.iter().map(MigrationId::as_str).collect();
        assert_eq!(names, ["0009_b", "9_a", "0010_b", "20260101120000_c"]);
    }

    #[test]
    fn a_migration_is_called_by_its_name_or_its_number() {
        let id = MigrationId::parse("0002_users").unwrap();
        assert!(id.is_called("0002_users") && id.is_called("2") && id.is_called("002"));
        assert!(!id.is_called("20") && !id.is_called("users") && !id.is_called(""));
    }

    #[test]
    fn a_name_without_number_or_slug_is_refused() {
        for name in ["", "0002", "0002_", "_x", "x_2", "0002_a b", "0002_é"] {
            assert_eq!(MigrationId::parse(name), Err(InvalidMigrationId(name.to_owned())));
        }
    }
}
