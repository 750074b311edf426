//! Indexes, and the key over which batches can go.

use std::collections::BTreeMap;

use super::Reading;
use crate::database::error::DbError;
use crate::sql::catalog::Index;

/// Valid indexes with every column that they name, also in expressions and predicates.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT i.indrelid, c.relname, i.indisunique, pg_get_indexdef(i.indexrelid), con.conname, a.attname \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('u', 'x') \
         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND (a.attnum = ANY (i.indkey) OR EXISTS ( \
           SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid \
             AND d.refobjsubid = a.attnum AND (d.classid, d.objid) IN \
               (('pg_class'::regclass, i.indexrelid), ('pg_constraint'::regclass, con.oid)))) \
         WHERE i.indrelid IN ({}) AND NOT i.indisprimary AND i.indisvalid \
         ORDER BY i.indrelid, c.relname, array_position(i.indkey::smallint[], a.attnum), a.attnum",
        reading.oids
    );
    for row in reading.conn.query(&sql, &[]).await? {
        let Some(table) = reading.table(row.int(0)?) else { continue };
        let (name, column) = (row.text(1)?, row.opt_text(5)?);
        if let Some(last) = table.indexes.last_mut().filter(|last| last.name == name) {
            last.columns.extend(column);
            continue;
        }
        table.indexes.push(Index {
            name,
            columns: column.into_iter().collect(),
            unique: row.bool(2)?,
            definition: row.text(3)?,
            kind: None,
            constraint: row.opt_text(4)?,
        });
    }
    Ok(())
}

/// The primary key, else the unique key without NULLs that has the fewest columns.
pub(super) async fn read_keys(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT i.indrelid, i.indexrelid, i.indisprimary, a.attname, a.attnotnull \
         FROM pg_index i CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS k(place) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place] \
         WHERE i.indrelid IN ({}) AND i.indisunique AND i.indisvalid AND i.indimmediate \
           AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY i.indrelid, i.indexrelid, k.place",
        reading.oids
    );
    let mut candidates: BTreeMap<(i64, i64), Candidate> = BTreeMap::new();
    for row in reading.conn.query(&sql, &[]).await? {
        let candidate = candidates.entry((row.int(0)?, row.int(1)?)).or_default();
        candidate.is_primary = row.bool(2)?;
        candidate.has_nulls |= !row.bool(4)?;
        candidate.columns.push(row.text(3)?);
    }
    let mut usable: Vec<_> = candidates.into_iter().filter(|(_, key)| !key.has_nulls).collect();
    // The best one last, so that it stays.
    usable.sort_by_key(|(_, key)| (key.is_primary, std::cmp::Reverse(key.columns.len())));
    for ((table, _), key) in usable {
        if let Some(table) = reading.table(table) {
            table.key = key.columns;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Candidate {
    is_primary: bool,
    has_nulls: bool,
    columns: Vec<String>,
}
