//! Going through a table in the order of its key, in ranges. Pure text.
//!
//! Keys travel as texts that the server wrote, and that the server reads again: so any type will do.

use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Column, Table};
use crate::sql::quote;

/// A key's values, in the order of its columns, as the server writes them.
pub(crate) type Key = Vec<String>;

/// A table and the key over which batches go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Keyset {
    engine: Engine,
    table: TableName,
    columns: Vec<KeyColumn>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct KeyColumn {
    name: String,
    form: Form,
}

/// How a value of the key is written in SQL.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Form {
    /// As a text that is cast to this type (PostgreSQL).
    Cast(String),
    /// As it is: comparing a number with a text goes by floating point on MySQL and MariaDB.
    Number,
    /// As a text; it takes the column's character set and collation.
    Text,
    /// In hexadecimal digits.
    Binary,
}

/// Why no batches can go over a table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum NoKeyset {
    /// It has neither a primary key nor a unique one without NULLs.
    #[error("table \"{0}\" has no primary key, and no unique key without NULLs")]
    NoKey(TableName),
    /// Its key has a type whose values are not ordered as they are written.
    #[error("table \"{0}\" has a key of type {1}, over which zdm cannot go in batches")]
    Type(TableName, String),
}

impl Keyset {
    /// The key of `table`.
    pub(crate) fn new(engine: Engine, name: &TableName, table: &Table) -> Result<Self, NoKeyset> {
        if table.key.is_empty() {
            return Err(NoKeyset::NoKey(name.clone()));
        }
        let columns = (table.key.iter())
            .map(|column| {
                let found = table.column(column);
                let found = found.ok_or_else(|| NoKeyset::NoKey(name.clone()))?;
                let form = form(engine, found)
                    .ok_or_else(|| NoKeyset::Type(name.clone(), found.data_type.clone()))?;
                Ok(KeyColumn { name: column.clone(), form })
            })
            .collect::<Result<Vec<_>, NoKeyset>>()?;
        Ok(Self { engine, table: name.clone(), columns })
    }

    /// The table, quoted.
    pub(crate) fn table(&self) -> String {
        quote::table(self.engine, &self.table)
    }

    /// The names of the key's columns, quoted.
    fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| quote::ident(self.engine, &column.name)).collect()
    }

    /// The key's values as texts, for a list behind SELECT. Each has a name of its own: PostgreSQL names a cast after
    /// its column, and ORDER BY would take the text rather than the column.
    fn selected(&self) -> String {
        let columns = self.columns.iter().zip(self.names()).enumerate();
        let written = columns.map(|(at, (column, name))| {
            let text = match column.form {
                Form::Cast(_) => format!("CAST({name} AS text)"),
                Form::Number | Form::Text => format!("CAST({name} AS CHAR)"),
                Form::Binary => format!("HEX({name})"),
            };
            format!("{text} AS zdm_key_{}", at + 1)
        });
        written.collect::<Vec<_>>().join(", ")
    }

    fn values(&self, key: &[String]) -> Vec<String> {
        let literal = |text: &str| quote::literal(self.engine, text);
        let written = self.columns.iter().zip(key).map(|(column, value)| match &column.form {
            Form::Cast(data_type) => format!("CAST({} AS {data_type})", literal(value)),
            Form::Number if is_number(value) => value.clone(),
            Form::Number | Form::Text => literal(value),
            Form::Binary => format!("UNHEX({})", literal(value)),
        });
        written.collect()
    }

    /// The condition of the rows behind `after` (all, when there is none) up to `to`, that one included.
    pub(crate) fn range(&self, after: Option<&[String]>, to: &[String]) -> String {
        let upper = self.compared("<", to, Equal::Yes);
        match after {
            Some(after) => format!("{} AND {upper}", self.compared(">", after, Equal::No)),
            None => upper,
        }
    }

    /// The condition that the key is before (`<`) or behind (`>`) a value, or perhaps equal to it.
    fn compared(&self, direction: &str, key: &[String], equal: Equal) -> String {
        let (names, values) = (self.names(), self.values(key));
        let or_equal = if equal == Equal::Yes { "=" } else { "" };
        if let ([name], [value]) = (names.as_slice(), values.as_slice()) {
            return format!("{name} {direction}{or_equal} {value}");
        }
        if !self.engine.is_mysql_family() {
            return format!("({}) {direction}{or_equal} ({})", names.join(", "), values.join(", "));
        }
        // Neither MySQL nor MariaDB uses an index for a comparison of rows; written out, and with the first column's
        // bound beside it, they do.
        let pairs: Vec<_> = names.into_iter().zip(values).collect();
        let Some((name, value)) = pairs.first() else { return "TRUE".to_owned() };
        format!("({name} {direction}= {value} AND ({}))", written_out(direction, or_equal, &pairs))
    }

    /// The condition of the one row with a key.
    pub(crate) fn at(&self, key: &[String]) -> String {
        let pairs = self.names().into_iter().zip(self.values(key));
        pairs.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(" AND ")
    }

    /// A number for each row, from 0 up to one less than `parts`, a power of two: rows that lie side by side have
    /// different ones, as far as can be told. None on MySQL and MariaDB.
    pub(crate) fn spread(&self, parts: u8) -> Option<String> {
        let mask = parts.checked_sub(1)?;
        let names = self.names();
        let types = self.columns.iter().map(|column| match &column.form {
            Form::Cast(data_type) => Some(data_type.as_str()),
            Form::Number | Form::Text | Form::Binary => None,
        });
        let types = types.collect::<Option<Vec<_>>>()?;
        if let ([name], ["smallint" | "integer" | "bigint"]) = (names.as_slice(), types.as_slice())
        {
            return Some(format!("({name} & {mask})"));
        }
        let texts: Vec<_> = names.iter().map(|name| format!("CAST({name} AS text)")).collect();
        Some(format!("(pg_catalog.hashtext({}) & {mask})", texts.join(" || ',' || ")))
    }

    /// The last key of the table: no row when it is empty.
    pub(crate) fn last(&self) -> String {
        let order: Vec<_> = self.names().iter().map(|name| format!("{name} DESC")).collect();
        format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            self.selected(),
            self.table(),
            order.join(", ")
        )
    }

    /// The key of the `rows`-th row behind `after`, not beyond `upper`: no row when fewer are left.
    pub(crate) fn bound(&self, after: Option<&[String]>, upper: &[String], rows: u64) -> String {
        format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
            self.selected(),
            self.table(),
            self.range(after, upper),
            self.names().join(", "),
            rows.saturating_sub(1)
        )
    }

    /// How many rows a range has, and how many of them meet a condition.
    pub(crate) fn count(&self, range: &str, condition: &str) -> String {
        format!(
            "SELECT count(*), count(CASE WHEN ({condition}\n) THEN 1 END) FROM {} WHERE {range}",
            self.table()
        )
    }

    /// The keys of a few rows of a range that meet a condition.
    pub(crate) fn examples(&self, range: &str, condition: &str, rows: usize) -> String {
        format!(
            "SELECT {} FROM {} WHERE {range} AND ({condition}\n) ORDER BY {} LIMIT {rows}",
            self.selected(),
            self.table(),
            self.names().join(", ")
        )
    }

    /// A key for people: `id = 7`, `a = 1, b = x`.
    pub(crate) fn title(&self, key: &[String]) -> String {
        let parts = self
            .columns
            .iter()
            .zip(key)
            .map(|(column, value)| format!("{} = {value}", column.name));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// A key as the server's answer has it.
    pub(crate) fn read(&self, row: &Row) -> Result<Key, DbError> {
        (0..self.columns.len()).map(|column| row.text(column)).collect()
    }
}

/// `a > 1 OR (a = 1 AND (b > 2 OR ...))`.
fn written_out(direction: &str, or_equal: &str, pairs: &[(String, String)]) -> String {
    match pairs {
        [] => String::new(),
        [(name, value)] => format!("{name} {direction}{or_equal} {value}"),
        [(name, value), rest @ ..] => {
            let rest = written_out(direction, or_equal, rest);
            format!("{name} {direction} {value} OR ({name} = {value} AND ({rest}))")
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Equal {
    Yes,
    No,
}

fn form(engine: Engine, column: &Column) -> Option<Form> {
    if !engine.is_mysql_family() {
        return Some(Form::Cast(column.data_type.clone()));
    }
    let word: String = column.data_type.chars().take_while(char::is_ascii_alphanumeric).collect();
    match word.to_ascii_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "decimal"
        | "numeric" | "dec" | "year" | "double" | "boolean" | "bool" => Some(Form::Number),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "date" | "time"
        | "datetime" | "timestamp" | "uuid" | "inet4" | "inet6" => Some(Form::Text),
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
            Some(Form::Binary)
        }
        // ENUM and SET are ordered by number but compared as texts; FLOAT is not written exactly.
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
    text.bytes().all(plain) && text.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyset(engine: Engine, columns: &[(&str, &str)]) -> Keyset {
        let column = |(name, data_type): &(&str, &str)| Column {
            name: (*name).to_owned(),
            data_type: (*data_type).to_owned(),
            ..Column::default()
        };
        let table = Table {
            columns: columns.iter().map(column).collect(),
            key: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ..Table::default()
        };
        Keyset::new(engine, &TableName::bare("t"), &table).unwrap()
    }

    fn key(values: &[&str]) -> Key {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn postgres_casts_each_value_to_the_type_of_its_column() {
        let keyset = keyset(Engine::Postgres, &[("a", "uuid"), ("b", "text")]);
        assert_eq!(
            keyset.range(Some(&key(&["u", "x"])), &key(&["v", "y'z"])),
            "(\"a\", \"b\") > (CAST('u' AS uuid), CAST('x' AS text)) \
             AND (\"a\", \"b\") <= (CAST('v' AS uuid), CAST('y''z' AS text))"
        );
    }

    #[test]
    fn mysql_compares_numbers_as_numbers_and_writes_row_comparisons_out() {
        let one = keyset(Engine::MariaDb, &[("id", "bigint(20) unsigned")]);
        assert_eq!(
            one.range(None, &key(&["18446744073709551615"])),
            "`id` <= 18446744073709551615"
        );
        let two = keyset(Engine::MySql, &[("a", "int"), ("b", "varchar(9) CHARACTER SET utf8mb4")]);
        assert_eq!(
            two.range(Some(&key(&["1", "x"])), &key(&["2", "y"])),
            "(`a` >= 1 AND (`a` > 1 OR (`a` = 1 AND (`b` > 'x')))) \
             AND (`a` <= 2 AND (`a` < 2 OR (`a` = 2 AND (`b` <= 'y'))))"
        );
    }

    #[test]
    fn rows_are_spread_by_the_last_bits_of_a_number_or_of_a_hash() {
        let number = keyset(Engine::Postgres, &[("id", "bigint")]);
        assert_eq!(number.spread(4).as_deref(), Some("(\"id\" & 3)"));
        let two = keyset(Engine::Postgres, &[("a", "uuid"), ("b", "integer")]);
        let hash = "(pg_catalog.hashtext(CAST(\"a\" AS text) || ',' || CAST(\"b\" AS text)) & 3)";
        assert_eq!(two.spread(4).as_deref(), Some(hash));
        assert_eq!(keyset(Engine::MariaDb, &[("id", "int")]).spread(4), None);
    }

    #[test]
    fn a_stored_key_that_is_no_number_is_never_sent_bare() {
        let one = keyset(Engine::MySql, &[("id", "int")]);
        assert_eq!(one.range(None, &key(&["1 OR 1"])), "`id` <= '1 OR 1'");
    }

    #[test]
    fn the_next_bound_is_the_last_of_so_many_rows() {
        let one = keyset(Engine::Postgres, &[("id", "bigint")]);
        assert_eq!(
            one.bound(Some(&key(&["5"])), &key(&["9"]), 500),
            "SELECT CAST(\"id\" AS text) AS zdm_key_1 FROM \"t\" WHERE \"id\" > CAST('5' AS bigint) \
             AND \"id\" <= CAST('9' AS bigint) ORDER BY \"id\" LIMIT 1 OFFSET 499"
        );
    }

    #[test]
    fn a_table_without_a_key_is_refused_by_name() {
        let none = Keyset::new(Engine::MySql, &TableName::bare("log"), &Table::default());
        assert!(none.unwrap_err().to_string().contains("table \"log\""));
    }
}
