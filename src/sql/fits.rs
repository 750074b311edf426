//! Whether the values of one type are values of another: what builds that still write the old type will meet.

use super::types::{DataType, canonical};
use crate::model::server::Engine;

/// How a new type takes what the old one held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fit {
    /// Every old value is a new one.
    Holds,
    /// Some old values are refused, cut or rounded.
    Narrows,
    /// It is a type of another kind: old builds read and compare it differently.
    Differs,
    /// The types are not known well enough.
    Unknown,
}

/// How type `to` takes the values of type `from`, both as catalogs or statements write them.
pub(crate) fn fit(from: &str, to: &str, engine: Engine) -> Fit {
    let parse = |text: &str| DataType::parse(&canonical(text, engine), engine);
    let (from, to) = (parse(from), parse(to));
    if from == to {
        return Fit::Holds;
    }
    if from.rest.contains("[]") != to.rest.contains("[]") {
        return Fit::Differs;
    }
    let (Some(old), Some(new)) = (Kind::of(&from, engine), Kind::of(&to, engine)) else {
        return members(&from, &to);
    };
    old.fit(&new)
}

/// ENUM and SET: which members are left.
fn members(from: &DataType, to: &DataType) -> Fit {
    let list = |known: &DataType| -> Option<Vec<String>> {
        let text =
            known.arguments.as_ref().filter(|_| matches!(known.base.as_str(), "enum" | "set"))?;
        Some(text.split(',').map(str::to_owned).collect())
    };
    match (list(from), list(to)) {
        (Some(old), Some(new)) if old.iter().all(|member| new.contains(member)) => Fit::Holds,
        (Some(_), Some(_)) => Fit::Narrows,
        _ => Fit::Unknown,
    }
}

/// A kind of type with its limits; none: unlimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// From the lowest to the highest value, in bits: signed numbers have a lower end.
    Integer {
        signed: bool,
        bits: u32,
    },
    /// Digits before and behind the point.
    Decimal {
        digits: Option<(u64, u64)>,
    },
    /// Bits of the mantissa.
    Float {
        bits: u32,
    },
    /// Characters.
    Text {
        length: Option<u64>,
    },
    /// Bytes.
    Bytes {
        length: Option<u64>,
    },
    /// Parts of a second; a date has a day alone.
    Moment {
        precision: Option<u64>,
    },
    Date,
    Json,
    Uuid,
    Boolean,
    Address {
        networks: bool,
    },
}

impl Kind {
    fn of(data_type: &DataType, engine: Engine) -> Option<Self> {
        let numbers = data_type.numbers();
        let first = numbers.first().copied();
        let unsigned = data_type.rest.contains("unsigned");
        let integer = |bits: u32| Self::Integer { signed: !unsigned, bits };
        let mysql = engine.is_mysql_family();
        Some(match data_type.base.as_str() {
            "tinyint" => integer(8),
            "smallint" => integer(16),
            "mediumint" => integer(24),
            "integer" | "int" => integer(32),
            "bigint" => integer(64),
            "numeric" | "decimal" => {
                let digits = first.map(|all| {
                    let behind = numbers.get(1).copied().unwrap_or(0);
                    (all.saturating_sub(behind), behind)
                });
                Self::Decimal { digits: digits.or(mysql.then_some((10, 0))) }
            }
            "real" if !mysql => Self::Float { bits: 24 },
            "float" => Self::Float { bits: 24 },
            "double precision" | "double" | "real" => Self::Float { bits: 53 },
            "character varying" | "varchar" => Self::Text { length: first },
            "character" | "char" => Self::Text { length: Some(first.unwrap_or(1)) },
            "text" if !mysql => Self::Text { length: None },
            "citext" => Self::Text { length: None },
            "tinytext" => Self::Text { length: Some(255) },
            "text" => Self::Text { length: Some(65_535) },
            "mediumtext" => Self::Text { length: Some(16_777_215) },
            "longtext" => Self::Text { length: None },
            "binary" | "varbinary" => Self::Bytes { length: Some(first.unwrap_or(1)) },
            "tinyblob" => Self::Bytes { length: Some(255) },
            "blob" => Self::Bytes { length: Some(65_535) },
            "mediumblob" => Self::Bytes { length: Some(16_777_215) },
            "longblob" | "bytea" => Self::Bytes { length: None },
            "timestamp" | "datetime" => Self::Moment { precision: first.or(mysql.then_some(0)) },
            "date" => Self::Date,
            "json" | "jsonb" => Self::Json,
            "uuid" => Self::Uuid,
            "boolean" => Self::Boolean,
            "cidr" => Self::Address { networks: true },
            "inet" => Self::Address { networks: false },
            _ => return None,
        })
    }

    fn fit(&self, new: &Self) -> Fit {
        let holds = |yes: bool| if yes { Fit::Holds } else { Fit::Narrows };
        let at_most = |old: Option<u64>, new: Option<u64>| {
            new.is_none_or(|new| old.is_some_and(|old| old <= new))
        };
        match (*self, *new) {
            (Self::Integer { signed, bits }, Self::Integer { signed: to_signed, bits: to }) => {
                holds(match (signed, to_signed) {
                    (true, false) => false,
                    (false, true) => bits < to,
                    _ => bits <= to,
                })
            }
            (Self::Integer { bits, .. }, Self::Decimal { digits }) => {
                // 8, 16, 24, 32 and 64 bits hold 3, 5, 8, 10 and 19 digits.
                let needed = u64::from(bits * 3 / 10 + 1);
                holds(digits.is_none_or(|(before, _)| before >= needed))
            }
            (Self::Integer { bits, .. }, Self::Float { bits: to }) => holds(bits <= to),
            (Self::Decimal { digits: None }, Self::Decimal { digits: Some(_) }) => Fit::Narrows,
            (Self::Decimal { .. }, Self::Decimal { digits: None }) => Fit::Holds,
            (Self::Decimal { digits: Some(old) }, Self::Decimal { digits: Some(new) }) => {
                holds(old.0 <= new.0 && old.1 <= new.1)
            }
            (Self::Float { bits }, Self::Float { bits: to }) => holds(bits <= to),
            (Self::Decimal { .. } | Self::Float { .. }, Self::Integer { .. })
            | (Self::Decimal { .. }, Self::Float { .. })
            | (Self::Moment { .. }, Self::Date) => Fit::Narrows,
            (Self::Text { length }, Self::Text { length: to })
            | (Self::Bytes { length }, Self::Bytes { length: to }) => holds(at_most(length, to)),
            (Self::Moment { precision }, Self::Moment { precision: to }) => {
                holds(at_most(precision, to))
            }
            (Self::Date, Self::Moment { .. }) | (Self::Json, Self::Json) => Fit::Holds,
            (Self::Address { networks }, Self::Address { networks: to }) => holds(networks || !to),
            _ => Fit::Differs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_holds_narrows_or_differs() {
        let check = |engine, from, to, expected| {
            assert_eq!(fit(from, to, engine), expected, "{from} to {to}");
        };
        for (from, to, expected) in [
            ("int", "bigint", Fit::Holds),
            ("bigint", "int", Fit::Narrows),
            ("int", "numeric", Fit::Holds),
            ("bigint", "numeric(10,2)", Fit::Narrows),
            ("varchar(50)", "varchar(20)", Fit::Narrows),
            ("varchar(50)", "text", Fit::Holds),
            ("text", "varchar(50)", Fit::Narrows),
            ("numeric(10,2)", "numeric(12,2)", Fit::Holds),
            ("numeric(10,2)", "numeric(10,3)", Fit::Narrows),
            ("timestamptz", "date", Fit::Narrows),
            ("timestamp", "timestamptz", Fit::Holds),
            ("timestamptz", "timestamptz(3)", Fit::Narrows),
            ("text", "int", Fit::Differs),
            ("int", "int[]", Fit::Differs),
            ("mood", "text", Fit::Unknown),
            ("cidr", "inet", Fit::Holds),
        ] {
            check(Engine::Postgres, from, to, expected);
        }
        for (from, to, expected) in [
            ("int", "int unsigned", Fit::Narrows),
            ("int unsigned", "bigint", Fit::Holds),
            ("int(11)", "int", Fit::Holds),
            ("text", "varchar(100)", Fit::Narrows),
            ("enum('a','b')", "enum('b','a','c')", Fit::Holds),
            ("enum('a','b')", "enum('a')", Fit::Narrows),
            ("datetime(6)", "datetime", Fit::Narrows),
            ("longtext", "json", Fit::Differs),
        ] {
            check(Engine::MySql, from, to, expected);
        }
    }
}
