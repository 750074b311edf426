//! What zdm's own user may do, as the catalog says.

use super::connection::Connection;
use super::error::DbError;
use crate::model::name::TableName;
use crate::plan::health::rights::{Facts, ForeignTables, MySqlFacts, PostgresFacts, StateSchema};

impl Connection {
    /// Reads it.
    pub(crate) async fn own_rights(&mut self) -> Result<Facts, DbError> {
        if self.engine().is_mysql_family() {
            Ok(Facts::MySql(self.mysql_rights().await?))
        } else {
            Ok(Facts::Postgres(self.postgres_rights().await?))
        }
    }

    async fn postgres_rights(&mut self) -> Result<PostgresFacts, DbError> {
        let own = "SELECT current_user::text, current_database()::text, rolsuper::int, \
                   has_database_privilege(current_database(), 'CREATE')::int, \
                   pg_has_role('pg_read_all_stats', 'USAGE')::int \
                   FROM pg_roles WHERE rolname = current_user";
        let row = self.query_one(own, &[]).await?;
        let state = "SELECT pg_get_userbyid(nspowner)::text, pg_has_role(nspowner, 'USAGE')::int \
                     FROM pg_namespace WHERE nspname = 'zdm'";
        let state = self.query(state, &[]).await?;
        let state = match state.first() {
            None => StateSchema::Missing,
            Some(row) if row.bool(1)? => StateSchema::Ours,
            Some(row) => StateSchema::Theirs(row.text(0)?),
        };
        let closed = "SELECT s::text FROM unnest(current_schemas(false)) s \
                      WHERE NOT has_schema_privilege(s, 'CREATE') ORDER BY 1";
        let mut closed_schemas = Vec::new();
        for row in self.query(closed, &[]).await? {
            closed_schemas.push(row.text(0)?);
        }
        let foreign = "SELECT r.rolname::text, r.rolsuper::int, n.nspname::text, c.relname::text FROM pg_class c \
                       JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner \
                       WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (current_schemas(false)) \
                       AND NOT pg_has_role(c.relowner, 'USAGE') \
                       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1, 3, 4";
        let mut foreign_tables: Vec<ForeignTables> = Vec::new();
        for row in self.query(foreign, &[]).await? {
            let (owner, superuser) = (row.text(0)?, row.bool(1)?);
            let table = TableName::in_schema(row.text(2)?, row.text(3)?);
            match foreign_tables.last_mut().filter(|known| known.owner == owner) {
                Some(known) => known.tables.push(table),
                None => {
                    foreign_tables.push(ForeignTables { owner, superuser, tables: vec![table] });
                }
            }
        }
        Ok(PostgresFacts {
            role: row.text(0)?,
            database: row.text(1)?,
            superuser: row.bool(2)?,
            creates_schemas: row.bool(3)?,
            sees_sessions: row.bool(4)?,
            state,
            closed_schemas,
            foreign_tables,
        })
    }

    async fn mysql_rights(&mut self) -> Result<MySqlFacts, DbError> {
        let row = self.query_one("SELECT CURRENT_USER(), DATABASE()", &[]).await?;
        let (account, database) = (row.text(0)?, row.text(1)?);
        let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
        let grantee = "CONCAT('''', REPLACE(?, '@', '''@'''), '''')";
        let grantee_of = [account.as_str().into()];
        let mut global = Vec::new();
        let sql = format!(
            "SELECT privilege_type FROM information_schema.user_privileges WHERE grantee = {grantee}"
        );
        for row in self.query(&sql, &grantee_of).await? {
            global.push(row.text(0)?);
        }
        let mut rights = global.clone();
        // A name may hold wildcards, `shop\_%`.
        let sql = format!(
            "SELECT privilege_type FROM information_schema.schema_privileges \
             WHERE grantee = {grantee} AND DATABASE() LIKE table_schema"
        );
        for row in self.query(&sql, &grantee_of).await? {
            rights.push(row.text(0)?);
        }
        let trust = "SELECT @@GLOBAL.log_bin, @@GLOBAL.log_bin_trust_function_creators";
        let row = self.query_one(trust, &[]).await?;
        Ok(MySqlFacts {
            engine: self.engine(),
            user: user.to_owned(),
            host: host.to_owned(),
            database,
            rights,
            global,
            distrusts: row.bool(0)? && !row.bool(1)?,
        })
    }
}
