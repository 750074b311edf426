//! Why a table cannot be changed in the ordinary way.

use super::Reading;
use crate::database::error::DbError;
use crate::sql::catalog::Peculiarity;

/// Kinds of relations, partitions, inheritance, types, extensions, subscriptions.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let oids = &reading.oids;
    let sql = format!(
        "SELECT c.oid, CASE c.relkind WHEN 'p' THEN 'is partitioned' WHEN 'f' THEN 'is a foreign table' \
             WHEN 'v' THEN 'is a view' ELSE 'is a materialized view' END \
           FROM pg_class c WHERE c.oid IN ({oids}) AND c.relkind <> 'r' \
         UNION SELECT i.inhrelid, CASE WHEN c.relispartition THEN 'is a partition of ' ELSE 'inherits from ' END \
             || '\"' || p.relname || '\"' \
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent \
           WHERE i.inhrelid IN ({oids}) \
         UNION SELECT i.inhparent, 'is inherited by \"' || c.relname || '\"' \
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent \
           WHERE i.inhparent IN ({oids}) AND p.relkind <> 'p' \
         UNION SELECT c.oid, 'is a table of a composite type' FROM pg_class c \
           WHERE c.oid IN ({oids}) AND c.reloftype <> 0 \
         UNION SELECT d.objid, 'belongs to extension \"' || e.extname || '\"' \
           FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid \
           WHERE d.classid = 'pg_class'::regclass AND d.objid IN ({oids}) AND d.deptype = 'e' \
             AND d.refclassid = 'pg_extension'::regclass \
         UNION SELECT s.srrelid, 'is filled by a subscription' FROM pg_subscription_rel s WHERE s.srrelid IN ({oids}) \
         ORDER BY 1, 2"
    );
    for row in reading.conn.query(&sql, &[]).await? {
        let words = row.text(1)?;
        if let Some(table) = reading.table(row.int(0)?) {
            table.peculiarities.push(Peculiarity { words, columns: Vec::new() });
        }
    }
    Ok(())
}
