//! What stands beside tables: functions, publications, statistics objects.

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::model::name::TableName;
use crate::sql::catalog::{Beside, Domain, Function, Volatility};

const FUNCTIONS: &str = "SELECT n.nspname, p.proname, l.lanname, p.prosrc, p.provolatile::text FROM pg_proc p \
    JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'zdm') AND l.lanname NOT IN ('internal', 'c') ORDER BY p.oid";

/// Those that name their tables: FOR ALL TABLES locks none.
const PUBLICATIONS: &str = "SELECT p.pubname, n.nspname, c.relname FROM pg_publication p \
    JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2, 3";

const STATISTICS: &str = "SELECT sn.nspname, s.stxname, n.nspname, c.relname FROM pg_statistic_ext s \
    JOIN pg_namespace sn ON sn.oid = s.stxnamespace JOIN pg_class c ON c.oid = s.stxrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2";

/// Domains and the CHECKs of each.
const DOMAINS: &str = "SELECT n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod), t.typnotnull, \
      array_to_string(ARRAY(SELECT c.conname::text FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c' ORDER BY 1), ',') \
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
    WHERE t.typtype = 'd' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2";

/// Reads them all, whatever their schema.
pub(crate) async fn beside(conn: &mut Connection) -> Result<Beside, DbError> {
    let mut found = Beside::default();
    for row in conn.query(FUNCTIONS, &[]).await? {
        let name = TableName::in_schema(row.text(0)?, row.text(1)?);
        let volatility = match row.text(4)?.as_str() {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        };
        let function = Function { language: row.text(2)?, body: row.text(3)?, volatility };
        found.functions.insert(name, function);
    }
    for row in conn.query(PUBLICATIONS, &[]).await? {
        let table = TableName::in_schema(row.text(1)?, row.text(2)?);
        found.publications.entry(row.text(0)?).or_default().push(table);
    }
    for row in conn.query(STATISTICS, &[]).await? {
        let name = TableName::in_schema(row.text(0)?, row.text(1)?);
        found.statistics.insert(name, TableName::in_schema(row.text(2)?, row.text(3)?));
    }
    for row in conn.query(DOMAINS, &[]).await? {
        let name = TableName::in_schema(row.text(0)?, row.text(1)?);
        let checks = row.text(4)?;
        let checks = checks.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let domain = Domain { base: row.text(2)?, not_null: row.bool(3)?, checks };
        found.domains.insert(name, domain);
    }
    Ok(found)
}
