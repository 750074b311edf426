//! Everything in a database that is not zdm's own: counting it, and dropping it.

use super::connection::Connection;
use super::error::DbError;
use crate::sql::quote::{ident, literal};

/// PostgreSQL: what belongs to no extension. `$catalog.oid` is put in the place of `{oid}`.
const NO_EXTENSIONS: &str =
    "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')";

impl Connection {
    /// How many tables, views and sequences there are, without zdm's own and those of extensions: on PostgreSQL in
    /// every schema.
    pub(crate) async fn count_objects(&mut self) -> Result<u64, DbError> {
        let sql = if self.engine().is_mysql_family() {
            "SELECT count(*) FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name NOT LIKE 'zdm\\_%'"
                .to_owned()
        } else {
            format!(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> 'information_schema' \
                 AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'zdm' AND {}",
                NO_EXTENSIONS.replace("{oid}", "c.oid")
            )
        };
        Ok(self.query_one(&sql, &[]).await?.int(0)?.unsigned_abs())
    }

    /// Drops the tables, views, sequences, routines and types of these schemas (MySQL, MariaDB: of the database), and
    /// zdm's state last. PostgreSQL: all or nothing.
    pub(crate) async fn drop_everything(&mut self, schemas: &[String]) -> Result<(), DbError> {
        if self.engine().is_mysql_family() {
            self.run("SET SESSION foreign_key_checks = 0").await?;
            let dropped = self.drop_database_content().await;
            if !self.is_closed() {
                self.run("SET SESSION foreign_key_checks = 1").await?;
            }
            return dropped;
        }
        self.begin().await?;
        match self.drop_schema_content(schemas).await {
            Ok(()) => self.commit().await,
            Err(error) => {
                // The first error counts; a connection that cannot roll back is closed, which rolls back.
                drop(self.rollback().await);
                Err(error)
            }
        }
    }

    async fn drop_schema_content(&mut self, schemas: &[String]) -> Result<(), DbError> {
        let engine = self.engine();
        let names: Vec<_> = schemas.iter().map(|name| literal(engine, name)).collect();
        let wanted = if names.is_empty() { "'public'".to_owned() } else { names.join(", ") };
        let own = |oid| NO_EXTENSIONS.replace("{oid}", oid);
        let relations = format!(
            "SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' \
             WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' \
             ELSE 'TABLE' END, n.nspname, c.relname) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname IN ({wanted}) AND {} \
             ORDER BY c.relkind, c.relname",
            own("c.oid")
        );
        let routines = format!(
            "SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure) \
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
             WHERE n.nspname IN ({wanted}) AND {} ORDER BY p.oid",
            own("p.oid")
        );
        let types = format!(
            "SELECT format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname) \
             FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             LEFT JOIN pg_class c ON c.oid = t.typrelid \
             WHERE n.nspname IN ({wanted}) AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND {} \
             ORDER BY t.oid",
            own("t.oid")
        );
        for listing in [relations, routines, types] {
            for row in self.query(&listing, &[]).await? {
                self.run(&row.text(0)?).await?;
            }
        }
        self.run("DROP SCHEMA IF EXISTS zdm CASCADE").await?;
        Ok(())
    }

    async fn drop_database_content(&mut self) -> Result<(), DbError> {
        let engine = self.engine();
        let relations = "SELECT CASE table_type WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END, \
                         table_name FROM information_schema.tables \
                         WHERE table_schema = DATABASE() AND table_name NOT LIKE 'zdm\\_%' ORDER BY table_type DESC, table_name";
        let routines = "SELECT routine_type, routine_name FROM information_schema.routines \
                        WHERE routine_schema = DATABASE() ORDER BY routine_name";
        // What a run needs to begin goes last: a drop that was interrupted can be given again.
        let state = "SELECT 'TABLE', table_name FROM information_schema.tables \
                     WHERE table_schema = DATABASE() AND table_name LIKE 'zdm\\_%' \
                     AND table_name NOT IN ('zdm_run', 'zdm_schema_history', 'zdm_identity') ORDER BY table_name";
        for listing in [relations, routines, state] {
            for row in self.query(listing, &[]).await? {
                let (kind, name) = (row.text(0)?, ident(engine, &row.text(1)?));
                self.run(&format!("DROP {kind} IF EXISTS {name}")).await?;
            }
        }
        self.run("DROP TABLE IF EXISTS zdm_run, zdm_schema_history, zdm_identity").await?;
        Ok(())
    }
}
