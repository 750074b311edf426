//! Constraints of a table, foreign keys that point at it, and its triggers.

use super::Reading;
use crate::database::error::DbError;
use crate::model::name::TableName;
use crate::sql::catalog::{Constraint, ConstraintKind, Trigger};

/// CHECK, UNIQUE, EXCLUDE and FOREIGN KEY; and the foreign keys of other tables, whose names are shown with the table
/// that has them.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let oids = &reading.oids;
    let sql = format!(
        "SELECT c.conrelid, c.conname, c.contype, pg_get_constraintdef(c.oid), c.convalidated, a.attname, k.place, c.oid, \
           o.relname, m.nspname \
         FROM pg_constraint c LEFT JOIN pg_class o ON o.oid = c.confrelid AND c.contype = 'f' \
         LEFT JOIN pg_namespace m ON m.oid = o.relnamespace LEFT JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k(number, place) ON true \
         LEFT JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number \
         WHERE c.conrelid IN ({oids}) AND c.contype IN ('c', 'u', 'x', 'f') \
         UNION ALL \
         SELECT c.confrelid, c.conname || ' of ' || c.conrelid::regclass::text, 'r', pg_get_constraintdef(c.oid), \
           c.convalidated, a.attname, k.place, c.oid, o.relname, m.nspname \
         FROM pg_constraint c JOIN pg_class o ON o.oid = c.conrelid JOIN pg_namespace m ON m.oid = o.relnamespace \
         CROSS JOIN LATERAL unnest(c.confkey) WITH ORDINALITY AS k(number, place) \
         JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number \
         WHERE c.confrelid IN ({oids}) AND c.contype = 'f' ORDER BY 1, 2, 8, 3, 7"
    );
    for row in reading.conn.query(&sql, &[]).await? {
        let Some(table) = reading.table(row.int(0)?) else { continue };
        let kind = match row.text(2)?.as_str() {
            "c" => ConstraintKind::Check,
            "u" => ConstraintKind::Unique,
            "x" => ConstraintKind::Exclusion,
            "r" => ConstraintKind::ReferencedBy,
            _ => ConstraintKind::ForeignKey,
        };
        let (name, column) = (row.text(1)?, row.opt_text(5)?);
        let same = |last: &&mut Constraint| last.name == name && last.kind == kind;
        if let Some(last) = table.constraints.last_mut().filter(same) {
            last.columns.extend(column);
            continue;
        }
        table.constraints.push(Constraint {
            name,
            kind,
            columns: column.into_iter().collect(),
            definition: row.text(3)?,
            valid: row.bool(4)?,
            other: match (row.opt_text(9)?, row.opt_text(8)?) {
                (Some(schema), Some(name)) => Some(TableName::in_schema(schema, name)),
                _ => None,
            },
        });
    }
    Ok(())
}

/// Bits of `pg_trigger.tgtype`.
const BEFORE: i64 = 2;
const INSTEAD: i64 = 64;
const EVENTS: [(i64, &str); 4] = [(4, "INSERT"), (8, "DELETE"), (16, "UPDATE"), (32, "TRUNCATE")];

/// The user's triggers that fire: not those of constraints, not zdm's own, whose functions are in its schema.
pub(super) async fn read_triggers(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT t.tgrelid, t.tgname, t.tgtype, n.nspname, p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
         JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE t.tgrelid IN ({}) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND n.nspname <> 'zdm' ORDER BY 1, 2",
        reading.oids
    );
    for row in reading.conn.query(&sql, &[]).await? {
        let (name, bits) = (row.text(1)?, row.int(2)?);
        let function = Some(TableName::in_schema(row.text(3)?, row.text(4)?));
        if let Some(table) = reading.table(row.int(0)?) {
            table.triggers.push(Trigger { name, fires: fires(bits), function });
        }
    }
    Ok(())
}

/// `BEFORE INSERT OR UPDATE`.
fn fires(bits: i64) -> String {
    let when = match bits {
        bits if bits & INSTEAD != 0 => "INSTEAD OF",
        bits if bits & BEFORE != 0 => "BEFORE",
        _ => "AFTER",
    };
    let events = EVENTS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, word)| *word);
    format!("{when} {}", events.collect::<Vec<_>>().join(" OR "))
}
