//! Columns, and the rights that are granted on them.

use super::Reading;
use crate::database::error::DbError;
use crate::model::server::Engine;
use crate::sql::catalog::Column;
use crate::sql::quote;

/// Columns in their order.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), \
           CASE WHEN a.attcollation <> t.typcollation \
             THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END, \
           a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '', \
           a.attidentity <> '' OR EXISTS (SELECT FROM pg_depend o JOIN pg_class s ON s.oid = o.objid \
             WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass \
               AND o.refobjid = a.attrelid AND o.refobjsubid = a.attnum AND o.deptype = 'a' AND s.relkind = 'S'), \
           col_description(a.attrelid, a.attnum) \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         LEFT JOIN pg_collation co ON co.oid = a.attcollation \
         LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace \
         WHERE a.attrelid IN ({}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum",
        reading.oids
    );
    for row in reading.conn.query(&sql, &[]).await? {
        let expression = row.opt_text(5)?;
        let (default, generated) =
            if row.bool(6)? { (None, expression) } else { (expression, None) };
        let column = Column {
            name: row.text(1)?,
            data_type: row.text(2)?,
            collation: row.opt_text(3)?,
            not_null: row.bool(4)?,
            default,
            generated,
            counts: row.bool(7)?,
            on_update: None,
            comment: row.opt_text(8)?,
            grants: Vec::new(),
            is_new: false,
        };
        if let Some(table) = reading.table(row.int(0)?) {
            table.columns.push(column);
        }
    }
    Ok(())
}

/// Rights on single columns, as statements.
pub(super) async fn read_grants(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let sql = format!(
        "SELECT a.attrelid, a.attname, g.privilege_type, g.is_grantable, \
           CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END \
         FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) g \
         WHERE a.attrelid IN ({}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 5, 3",
        reading.oids
    );
    for row in reading.conn.query(&sql, &[]).await? {
        let Some((name, table)) = reading.tables.get_mut(&row.int(0)?) else { continue };
        let name = quote::table(Engine::Postgres, name);
        let (right, role) = (row.text(2)?, row.text(4)?);
        let option = if row.bool(3)? { " WITH GRANT OPTION" } else { "" };
        let column = row.text(1)?;
        if let Some(column) = table.columns.iter_mut().find(|found| found.name == column) {
            column.grants.push(format!("GRANT {right} ({{column}}) ON {name} TO {role}{option}"));
        }
    }
    Ok(())
}
