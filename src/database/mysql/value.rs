//! Values to and from MySQL and MariaDB.

use mysql_async::consts::ColumnType;
use mysql_async::{Params, Row as DriverRow, Value as DriverValue};

use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::{Row, Value};

/// Parameters of a prepared statement.
pub(super) fn to_params(values: &[Value]) -> Params {
    let convert = |value: &Value| match value {
        Value::Null => DriverValue::NULL,
        Value::Int(value) => DriverValue::Int(*value),
        Value::Text(text) => DriverValue::Bytes(text.as_bytes().to_vec()),
    };
    Params::Positional(values.iter().map(convert).collect())
}

/// A row of an answer, of the text or the binary protocol alike.
pub(super) fn read(row: DriverRow) -> Result<Row, DbError> {
    let columns = row.columns();
    let values = row.unwrap().into_iter().zip(columns.iter());
    let values = values.map(|(value, column)| {
        read_value(value, is_integer(column.column_type())).ok_or_else(|| {
            let name = column.name_str();
            let message =
                format!("cannot read column \"{name}\", which is not text: cast it in SQL");
            DbError::new(DbErrorKind::Other, message)
        })
    });
    values.collect::<Result<_, _>>().map(Row)
}

fn is_integer(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
            | ColumnType::MYSQL_TYPE_YEAR
    )
}

/// Nothing when the bytes are not text.
fn read_value(value: DriverValue, is_integer: bool) -> Option<Value> {
    Some(match value {
        DriverValue::NULL => Value::Null,
        DriverValue::Int(value) => Value::Int(value),
        // BIGINT UNSIGNED beyond our integers stays as it is written.
        DriverValue::UInt(value) => {
            i64::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Int)
        }
        DriverValue::Float(value) => Value::Text(value.to_string()),
        DriverValue::Double(value) => Value::Text(value.to_string()),
        DriverValue::Date(year, month, day, hour, minute, second, micro) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            let time = format!("{hour:02}:{minute:02}:{second:02}.{micro:06}");
            Value::Text(format!("{date} {time}"))
        }
        DriverValue::Time(negative, days, hours, minutes, seconds, micro) => {
            let sign = if negative { "-" } else { "" };
            let hours = u64::from(days) * 24 + u64::from(hours);
            Value::Text(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{micro:06}"))
        }
        DriverValue::Bytes(bytes) => {
            let text = String::from_utf8(bytes).ok()?;
            match text.parse() {
                Ok(number) if is_integer => Value::Int(number),
                _ => Value::Text(text),
            }
        }
    })
}
