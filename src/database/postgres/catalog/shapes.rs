//! Kinds of relations, parents of partitions and heirs, what views read.

use super::Reading;
use crate::database::error::DbError;
use crate::model::name::TableName;
use crate::sql::catalog::TableKind;

/// Reads them all.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    kinds(reading).await?;
    let oids = &reading.oids;
    let parents = format!(
        "SELECT i.inhrelid, n.nspname, p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent \
         JOIN pg_namespace n ON n.oid = p.relnamespace WHERE i.inhrelid IN ({oids}) ORDER BY i.inhrelid, i.inhseqno"
    );
    for row in reading.conn.query(&parents, &[]).await? {
        let parent = TableName::in_schema(row.text(1)?, row.text(2)?);
        if let Some(table) = reading.table(row.int(0)?) {
            table.shape.parents.push(parent);
        }
    }
    let oids = &reading.oids;
    let reads = format!(
        "SELECT DISTINCT r.ev_class, n.nspname, c.relname FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class \
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid \
           AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class \
         JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE r.ev_class IN ({oids}) AND v.relkind IN ('v', 'm') AND c.relkind IN ('r', 'p', 'f', 'v', 'm') \
         ORDER BY 1, 2, 3"
    );
    for row in reading.conn.query(&reads, &[]).await? {
        let read = TableName::in_schema(row.text(1)?, row.text(2)?);
        if let Some(table) = reading.table(row.int(0)?) {
            table.shape.reads.push(read);
        }
    }
    Ok(())
}

async fn kinds(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT c.oid, c.relkind::text || c.relpersistence::text, pg_get_expr(c.relpartbound, c.oid), k.conname, tn.nspname, t.typname, \
           CASE WHEN c.relkind = 'p' THEN ARRAY(SELECT coalesce(a.attname, '') \
             FROM pg_partitioned_table p CROSS JOIN LATERAL unnest(p.partattrs::smallint[]) WITH ORDINALITY AS x(number, place) \
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.number AND x.number > 0 \
             WHERE p.partrelid = c.oid ORDER BY x.place)::text[] END \
         FROM pg_class c LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' \
         LEFT JOIN pg_type t ON t.oid = c.reloftype AND c.reloftype <> 0 \
         LEFT JOIN pg_namespace tn ON tn.oid = t.typnamespace WHERE c.oid IN ({})",
        reading.oids
    );
    let sql = format!(
        "SELECT oid, relkind, pg_get_expr, conname, nspname, typname, array_to_string(\"array\", ',') FROM ({sql}) AS \
         found(oid, relkind, pg_get_expr, conname, nspname, typname, \"array\")"
    );
    for row in reading.conn.query(&sql, &[]).await? {
        let marks = row.text(1)?;
        let unlogged = marks.ends_with('u');
        let kind = match marks.get(..1).unwrap_or_default() {
            "p" => TableKind::Partitioned,
            "f" => TableKind::Foreign,
            "v" => TableKind::View,
            "m" => TableKind::MaterializedView,
            _ => TableKind::Ordinary,
        };
        let bound = row.opt_text(2)?;
        let (key_name, by) = (row.opt_text(3)?, row.opt_text(6)?);
        let of_type = row.opt_text(4)?.zip(row.opt_text(5)?);
        let Some(table) = reading.table(row.int(0)?) else { continue };
        table.shape.kind = kind;
        table.shape.unlogged = unlogged;
        table.shape.bound =
            bound.map(|text| text.strip_prefix("FOR VALUES ").map_or(text.clone(), str::to_owned));
        table.shape.key_name = key_name;
        table.shape.of_type = of_type.map(|(schema, name)| TableName::in_schema(schema, name));
        let by = by.unwrap_or_default();
        table.shape.partitioned_by =
            by.split(',').filter(|column| !column.is_empty()).map(str::to_owned).collect();
    }
    Ok(())
}
