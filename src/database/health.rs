//! What `zdm verify` and `zdm doctor` read besides the catalog: zdm's triggers, indexes that do not work, rights.

use super::connection::Connection;
use super::error::DbError;
use super::session::{Row, Value};
use crate::model::name::TableName;
use crate::operation::Sync;
use crate::plan::health::indexes::InvalidIndex;
use crate::plan::health::triggers::FoundTrigger;
use crate::sql::quote;

/// A right that a role has on the old column, and not on the new one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ColumnRight {
    /// The role, as the server writes it.
    pub(crate) role: String,
    /// `SELECT`, `INSERT`, `UPDATE`.
    pub(crate) right: String,
}

impl Connection {
    /// The triggers by which zdm keeps columns alike, wherever they are.
    pub(crate) async fn sync_triggers(&mut self) -> Result<Vec<FoundTrigger>, DbError> {
        let sql = if self.engine().is_mysql_family() {
            "SELECT NULL, event_object_table, trigger_name, 1, action_statement FROM information_schema.triggers \
             WHERE trigger_schema = DATABASE() AND trigger_name LIKE 'zdm\\_sync\\_%' ORDER BY 2, 3"
        } else {
            "SELECT n.nspname, c.relname, t.tgname, (t.tgenabled IN ('O', 'A'))::int, p.prosrc \
             FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_proc p ON p.oid = t.tgfoid \
             WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgname LIKE 'zzz\\_zdm\\_sync\\_%' ORDER BY 1, 2, 3"
        };
        let rows = self.query(sql, &[]).await?;
        let read = |row: &Row| -> Result<FoundTrigger, DbError> {
            let table = TableName { schema: row.opt_text(0)?, name: row.text(1)? };
            let (name, enabled, body) = (row.text(2)?, row.bool(3)?, row.text(4)?);
            Ok(FoundTrigger { table, name, enabled, body })
        };
        rows.iter().map(read).collect()
    }

    /// Indexes that a failed build has left, or that are being built, in the schemas of the search path (PostgreSQL; an
    /// index of MySQL or MariaDB is there or not).
    pub(crate) async fn invalid_indexes(&mut self) -> Result<Vec<InvalidIndex>, DbError> {
        if self.engine().is_mysql_family() {
            return Ok(Vec::new());
        }
        let sql = "SELECT n.nspname, t.relname, c.relname, \
                   EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)::int \
                   FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid \
                   JOIN pg_namespace n ON n.oid = t.relnamespace \
                   WHERE NOT (i.indisvalid AND i.indisready) AND n.nspname = ANY (current_schemas(false)) \
                   ORDER BY 1, 2, 3";
        let rows = self.query(sql, &[]).await?;
        let read = |row: &Row| -> Result<InvalidIndex, DbError> {
            let table = TableName::in_schema(row.text(0)?, row.text(1)?);
            Ok(InvalidIndex { table, index: row.text(2)?, in_the_making: row.bool(3)? })
        };
        rows.iter().map(read).collect()
    }

    /// What roles may do with the old column of a pair, and not with the new one. `roles`: only these (MySQL, MariaDB:
    /// users, on whatever host).
    pub(crate) async fn rights_left_behind(
        &mut self,
        sync: &Sync,
        role: &str,
    ) -> Result<Vec<ColumnRight>, DbError> {
        let (sql, values) = if self.engine().is_mysql_family() {
            let user = role.rsplit_once('@').map_or(role, |(user, _)| user);
            let sql = "SELECT o.grantee, o.privilege_type FROM information_schema.column_privileges o \
                       WHERE o.table_schema = DATABASE() AND o.table_name = ? AND o.column_name = ? \
                       AND o.grantee LIKE CONCAT('''', ?, '''@%') \
                       AND NOT EXISTS (SELECT 1 FROM information_schema.column_privileges n \
                         WHERE n.table_schema = o.table_schema AND n.table_name = o.table_name AND n.column_name = ? \
                         AND n.grantee = o.grantee AND n.privilege_type = o.privilege_type) \
                       AND NOT EXISTS (SELECT 1 FROM information_schema.table_privileges w \
                         WHERE w.table_schema = o.table_schema AND w.table_name = o.table_name \
                         AND w.grantee = o.grantee AND w.privilege_type = o.privilege_type) ORDER BY 1, 2";
            let values: Vec<Value> = vec![
                sync.table.name.as_str().into(),
                sync.old.as_str().into(),
                user.into(),
                sync.new.as_str().into(),
            ];
            (sql, values)
        } else {
            let sql = "SELECT quote_ident(r.rolname), w.word FROM pg_roles r \
                       CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS w (word) \
                       JOIN pg_attribute o ON o.attrelid = to_regclass(?) AND o.attname = ? AND NOT o.attisdropped \
                       JOIN pg_attribute n ON n.attrelid = o.attrelid AND n.attname = ? AND NOT n.attisdropped \
                       WHERE r.rolname = ? AND has_column_privilege(r.oid, o.attrelid, o.attnum, w.word) \
                       AND NOT has_column_privilege(r.oid, o.attrelid, n.attnum, w.word) ORDER BY 1, 2";
            let table = quote::table(self.engine(), &sync.table);
            let values: Vec<Value> =
                vec![table.into(), sync.old.as_str().into(), sync.new.as_str().into(), role.into()];
            (sql, values)
        };
        let rows = self.query(sql, &values).await?;
        let read = |row: &Row| Ok(ColumnRight { role: row.text(0)?, right: row.text(1)? });
        rows.iter().map(read).collect()
    }
}
