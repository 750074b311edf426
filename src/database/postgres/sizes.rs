//! Sizes of tables and their indexes, and counters of writes.

use std::time::Duration;

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::sizes::{Sizes, Writes};
use crate::model::name::TableName;
use crate::sql::catalog::Size;

/// Where sizes come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exactness {
    /// The files, which takes a moment's `AccessShareLock` on each table.
    Files,
    /// What the last VACUUM or ANALYZE saw: locks nothing.
    Statistics,
}

/// The tables that are measured, with those that hold their rows: the leaves of a partitioned one.
const LEAVES: &str = "SELECT c.oid AS owner, n.nspname, c.relname, COALESCE(t.relid, c.oid) AS leaf \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN LATERAL pg_partition_tree(CASE WHEN c.relkind = 'p' THEN c.oid END) t ON t.isleaf \
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname = ANY (current_schemas(false)) AND n.nspname <> 'zdm'";

/// The sizes of all tables in the schemas of the `search_path`.
pub(crate) async fn sizes(conn: &mut Connection, exactness: Exactness) -> Result<Sizes, DbError> {
    let (table, index) = match exactness {
        Exactness::Files => ("pg_table_size(x.oid)", "pg_relation_size(x.oid)"),
        Exactness::Statistics => (
            "(x.relpages + COALESCE((SELECT toast.relpages FROM pg_class toast WHERE toast.oid = x.reltoastrelid), 0))::bigint \
             * current_setting('block_size')::bigint",
            "x.relpages::bigint * current_setting('block_size')::bigint",
        ),
    };
    let sql = format!(
        "SELECT l.nspname, l.relname, sum({table})::bigint FROM ({LEAVES}) l JOIN pg_class x ON x.oid = l.leaf \
         GROUP BY 1, 2"
    );
    let mut sizes = Sizes::new();
    for row in conn.query(&sql, &[]).await? {
        let bytes = row.opt_int(2)?.and_then(|bytes| u64::try_from(bytes).ok());
        let size = Size { bytes, index_bytes: Some(0), ..Size::default() };
        sizes.insert(TableName::in_schema(row.text(0)?, row.text(1)?), size);
    }
    // An index of a partition is found under its partition's own name, too.
    let sql = format!(
        "SELECT l.nspname, l.relname, x.relname, {index} FROM ({LEAVES}) l \
         JOIN pg_index i ON i.indrelid = l.leaf JOIN pg_class x ON x.oid = i.indexrelid"
    );
    for row in conn.query(&sql, &[]).await? {
        let name = TableName::in_schema(row.text(0)?, row.text(1)?);
        let bytes = row.opt_int(3)?.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
        if let Some(size) = sizes.get_mut(&name) {
            size.index_bytes = size.index_bytes.map(|sum| sum.saturating_add(bytes));
            size.indexes.insert(row.text(2)?, bytes);
        }
    }
    Ok(sizes)
}

/// Rows written since the statistics were reset.
pub(crate) async fn writes(conn: &mut Connection) -> Result<Writes, DbError> {
    let age = "SELECT extract(epoch FROM clock_timestamp() - stats_reset)::bigint FROM pg_stat_database \
               WHERE datname = current_database()";
    let age = conn.query_one(age, &[]).await?.opt_int(0)?;
    let sql = format!(
        "SELECT l.nspname, l.relname, sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::bigint FROM ({LEAVES}) l \
         JOIN pg_stat_all_tables s ON s.relid = l.leaf GROUP BY 1, 2"
    );
    let mut rows = std::collections::BTreeMap::new();
    for row in conn.query(&sql, &[]).await? {
        let written = row.opt_int(2)?.and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0);
        rows.insert(TableName::in_schema(row.text(0)?, row.text(1)?), written);
    }
    let counted_for = age.and_then(|age| u64::try_from(age).ok()).map(Duration::from_secs);
    Ok(Writes { rows, counted_for })
}
