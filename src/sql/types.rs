//! Types of columns: one spelling for each, and which changes of type need no new rows.

use crate::model::server::Engine;

/// A type as the server writes it: `varchar(50)` is `character varying(50)` on PostgreSQL, `varchar(50)` elsewhere.
pub(crate) fn canonical(written: &str, engine: Engine) -> String {
    let DataType { base, arguments, rest } = DataType::parse(written, engine);
    let mut text = base;
    if let Some(arguments) = arguments {
        text.extend(["(", &arguments, ")"]);
    }
    text + &rest
}

/// A type in parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DataType {
    /// `character varying`.
    pub(super) base: String,
    /// What stands in its parentheses, without spaces outside quotes: `10,2`.
    pub(super) arguments: Option<String>,
    /// What follows them: `[]`, ` unsigned`, ` CHARACTER SET ...`.
    pub(super) rest: String,
}

impl DataType {
    /// Splits and normalises a type.
    pub(super) fn parse(written: &str, engine: Engine) -> Self {
        let (head, tail) = match written.split_once('(') {
            Some((head, tail)) => (head, Some(tail)),
            None => (written, None),
        };
        let head = without_quotes(head.trim(), engine).to_ascii_lowercase();
        let (arguments, rest) = match tail.and_then(|tail| tail.rsplit_once(')')) {
            Some((arguments, rest)) => (Some(without_spaces(arguments)), rest.to_ascii_lowercase()),
            None => (None, String::new()),
        };
        let (head, array) = match head.find('[') {
            Some(at) => head.split_at_checked(at).map_or((head.as_str(), ""), |parts| parts),
            None => (head.as_str(), ""),
        };
        let rest = if array.is_empty() { rest } else { format!("{array}{rest}") };
        if engine.is_mysql_family() {
            return Self::mysql(head, arguments, &rest);
        }
        let (base, rest) = postgres_name(head, rest);
        // What has no length has one: `char` is `char(1)`, but `bpchar` has none.
        let arguments = match base.as_str() {
            "character" | "bit" => Some(arguments.unwrap_or_else(|| "1".to_owned())),
            _ => arguments,
        };
        let base =
            if base == "bpchar" && arguments.is_some() { "character".to_owned() } else { base };
        Self { base, arguments, rest }
    }

    fn mysql(head: &str, arguments: Option<String>, rest: &str) -> Self {
        let (word, more) = head.split_once(' ').map_or((head, ""), |parts| parts);
        let base = match word {
            "integer" => "int",
            "bool" | "boolean" => {
                return Self {
                    base: "tinyint".into(),
                    arguments: Some("1".into()),
                    rest: String::new(),
                };
            }
            "dec" | "numeric" | "fixed" => "decimal",
            "character" if more.starts_with("varying") => "varchar",
            "character" => "char",
            other => other,
        };
        let more = more.trim_start_matches("varying").trim();
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        // The width that older servers show says nothing: int(11) is int.
        let shows_width = matches!(base, "smallint" | "mediumint" | "int" | "bigint")
            || (base == "tinyint" && arguments.as_deref() != Some("1"));
        let arguments = arguments.filter(|_| !shows_width);
        Self { base: base.to_owned(), arguments, rest: format!("{more}{rest}") }
    }

    /// The numbers in its parentheses.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let arguments = self.arguments.as_deref().unwrap_or_default();
        arguments.split(',').filter_map(|number| number.parse().ok()).collect()
    }

    /// Whether PostgreSQL changes a column of this type to `to` without a look at its rows.
    ///
    /// Source: executed on 13 to 18, see lints/effects/postgres/types.toml; with the time zone UTC, as far as time zones go.
    pub(super) fn widens_to(&self, to: &Self) -> bool {
        if self == to {
            return true;
        }
        let unlimited = to.arguments.is_none();
        let (from, into) = (self.numbers(), to.numbers());
        let wider =
            || unlimited || matches!((from.first(), into.first()), (Some(a), Some(b)) if a <= b);
        // A precision of 6 digits is what times without one have.
        let finer = || unlimited || into.first() >= Some(from.first().unwrap_or(&6));
        let (base, other) = (self.base.as_str(), to.base.as_str());
        if self.rest != to.rest {
            let zones = [&self.rest, &to.rest];
            let timestamps = base == "timestamp" && other == "timestamp";
            return timestamps
                && (unlimited || into == [6])
                && zones.iter().all(|zone| zone.ends_with("time zone"));
        }
        if self.rest.contains('[') {
            return base == other && unlimited;
        }
        match (base, other) {
            ("character varying" | "bit varying", same) if same == base => wider(),
            ("character varying" | "bpchar", "text") => base != "bpchar",
            ("character varying" | "text", "bpchar" | "citext") | ("bit", "bit varying") => {
                unlimited
            }
            ("text" | "citext" | "xml", "character varying") => unlimited,
            ("citext" | "xml", "text") => true,
            ("character", "bpchar") => unlimited,
            ("numeric", "numeric") => {
                unlimited || (wider() && from.get(1).unwrap_or(&0) == into.get(1).unwrap_or(&0))
            }
            ("timestamp" | "time" | "interval", same) if same == base => finer(),
            // Down to seconds is all of an interval.
            ("interval", fields) if fields.starts_with("interval ") => {
                fields.ends_with("second") && finer()
            }
            ("cidr", "inet") => true,
            (a, b) if is_oid(a) && is_oid(b) => {
                a == "oid" || b == "oid" || a == "integer" || b == "integer"
            }
            _ => false,
        }
    }

    /// Whether `to` is this ENUM or SET with members added at its end.
    pub(super) fn is_appended_by(&self, to: &Self) -> bool {
        let members = matches!(self.base.as_str(), "enum" | "set")
            && self.base == to.base
            && self.rest == to.rest;
        match (&self.arguments, &to.arguments) {
            (Some(from), Some(into)) if members => into
                .strip_prefix(from.as_str())
                .is_some_and(|more| more.is_empty() || more.starts_with(',')),
            _ => false,
        }
    }
}

/// Whether a type, as catalogs spell it, is of whole numbers.
pub(crate) fn is_whole_number(data_type: &str, engine: Engine) -> bool {
    let base = DataType::parse(data_type, engine).base;
    matches!(base.as_str(), "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint")
}

/// The types of object identifiers, and the integer that they are.
fn is_oid(base: &str) -> bool {
    base == "oid" || base == "integer" || base.starts_with("reg")
}

/// A name in quotes that means the same without; `"char"` is a type of its own.
fn without_quotes(head: &str, engine: Engine) -> &str {
    let inner = head.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_plain = |inner: &&str| {
        *inner != "char"
            && inner.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    inner.filter(|_| engine == Engine::Postgres).filter(is_plain).unwrap_or(head)
}

fn without_spaces(text: &str) -> String {
    let mut quoted = false;
    text.chars()
        .filter(|character| {
            quoted ^= *character == '\'';
            quoted || !character.is_whitespace()
        })
        .collect()
}

/// PostgreSQL's own name for a type, and what follows the parentheses.
fn postgres_name(head: &str, rest: String) -> (String, String) {
    let bare_rest = || rest.replace(" with time zone", "").replace(" without time zone", "");
    let first = head.split(' ').next().unwrap_or_default();
    let base = match head {
        "varchar" | "character varying" | "char varying" => "character varying",
        "char" | "character" => "character",
        "int" | "int4" | "integer" | "serial" | "serial4" => "integer",
        "int8" | "bigint" | "bigserial" | "serial8" => "bigint",
        "int2" | "smallint" | "smallserial" | "serial2" => "smallint",
        "bool" => "boolean",
        "decimal" | "dec" => "numeric",
        "float8" | "float" => "double precision",
        "float4" => "real",
        "varbit" => "bit varying",
        "timestamptz" => return ("timestamp".into(), format!(" with time zone{}", bare_rest())),
        "timetz" => return ("time".into(), format!(" with time zone{}", bare_rest())),
        _ if matches!(first, "timestamp" | "time") => {
            let zoned = head.contains("with time zone") || rest.contains("with time zone");
            let zone = if zoned { " with time zone" } else { " without time zone" };
            return (first.to_owned(), format!("{zone}{}", bare_rest()));
        }
        other => other,
    };
    (base.to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_spelling() {
        let postgres = |text| canonical(text, Engine::Postgres);
        assert_eq!(postgres("VARCHAR(50)"), "character varying(50)");
        assert_eq!(postgres("NUMERIC(10, 2)"), "numeric(10,2)");
        assert_eq!(postgres("timestamptz"), "timestamp with time zone");
        assert_eq!(postgres("TIMESTAMP(3) WITH TIME ZONE"), "timestamp(3) with time zone");
        assert_eq!(postgres("TIMESTAMP"), "timestamp without time zone");
        assert_eq!(postgres("INT[]"), "integer[]");
        assert_eq!(postgres("\"mood\""), "mood");
        assert_eq!(postgres("\"char\""), "\"char\"");
        let mysql = |text| canonical(text, Engine::MySql);
        assert_eq!(mysql("INT(11) UNSIGNED"), "int unsigned");
        assert_eq!(mysql("BOOLEAN"), "tinyint(1)");
        assert_eq!(mysql("ENUM('A', 'b c')"), "enum('A','b c')");
        assert_eq!(mysql("INT UNSIGNED"), "int unsigned");
    }

    #[test]
    fn wider_types_of_the_same_kind_need_no_new_rows() {
        let widens = |from, to| {
            let parse = |text| DataType::parse(text, Engine::Postgres);
            parse(from).widens_to(&parse(to))
        };
        for (from, to) in [
            ("varchar(50)", "character varying(100)"),
            ("varchar(50)", "text"),
            ("text", "varchar"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("int4", "integer"),
        ] {
            assert!(widens(from, to), "{from} to {to}");
        }
        for (from, to) in [
            ("varchar(50)", "varchar(20)"),
            ("text", "varchar(9)"),
            ("numeric(10,2)", "numeric(12,3)"),
            ("int", "bigint"),
        ] {
            assert!(!widens(from, to), "{from} to {to}");
        }
    }
}
