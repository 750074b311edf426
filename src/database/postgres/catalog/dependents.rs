//! What uses columns, as far as the server records it: views, rules, policies, triggers, functions with a parsed body,
//! generated columns, publications.

use super::Reading;
use crate::database::error::DbError;
use crate::sql::catalog::Dependent;

/// Recorded uses of single columns. A column's default does not count: it goes where the column goes.
const USES: &str = "SELECT d.refobjid AS owner, a.attname AS used, \
      CASE d.classid \
      WHEN 'pg_rewrite'::regclass THEN (SELECT CASE \
          WHEN v.relkind = 'v' THEN 'view \"' || v.relname || '\"' \
          WHEN v.relkind = 'm' THEN 'materialized view \"' || v.relname || '\"' \
          ELSE 'rule \"' || r.rulename || '\" of table \"' || v.relname || '\"' END \
        FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class WHERE r.oid = d.objid) \
      WHEN 'pg_policy'::regclass THEN (SELECT 'policy \"' || p.polname || '\" of table \"' || t.relname || '\"' \
        FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid WHERE p.oid = d.objid) \
      WHEN 'pg_trigger'::regclass THEN (SELECT 'trigger \"' || t.tgname || '\"' \
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace \
        WHERE t.oid = d.objid AND NOT t.tgisinternal AND n.nspname <> 'zdm') \
      WHEN 'pg_proc'::regclass THEN (SELECT 'function \"' || p.proname || '\"' \
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = d.objid AND n.nspname <> 'zdm') \
      WHEN 'pg_attrdef'::regclass THEN (SELECT 'generated column \"' || g.attname || '\"' \
        FROM pg_attrdef e JOIN pg_attribute g ON g.attrelid = e.adrelid AND g.attnum = e.adnum \
        WHERE e.oid = d.objid AND g.attgenerated <> '' AND g.attname <> a.attname) \
      END AS title \
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0";

/// Reads them all.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let oids = &reading.oids;
    let mut sql = format!(
        "SELECT DISTINCT owner, title, used FROM ({USES}) u WHERE owner IN ({oids}) AND title IS NOT NULL \
         UNION SELECT c.oid, 'publication \"' || p.pubname || '\"', NULL \
         FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname \
         JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename WHERE c.oid IN ({oids})"
    );
    // Column lists came with version 15.
    if reading.conn.server().version.0 >= 15 {
        sql = format!(
            "{sql} UNION SELECT r.prrelid, 'publication \"' || p.pubname || '\"', a.attname \
             FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid \
             JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs) WHERE r.prrelid IN ({oids})"
        );
    }
    for row in reading.conn.query(&format!("{sql} ORDER BY 1, 2, 3"), &[]).await? {
        let (title, column) = (row.text(1)?, row.opt_text(2)?);
        let Some(table) = reading.table(row.int(0)?) else { continue };
        add(&mut table.dependents, title, column);
    }
    Ok(())
}

/// Adds a use to what is known of the same dependent.
pub(super) fn add(dependents: &mut Vec<Dependent>, title: String, column: Option<String>) {
    if let Some(known) = dependents.iter_mut().find(|known| known.title == title) {
        known.columns.extend(column.filter(|column| !known.columns.contains(column)));
        return;
    }
    dependents.push(Dependent { title, columns: column.into_iter().collect() });
}
