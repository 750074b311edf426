//! The schema as the server has it.

use super::connection::Connection;
use super::error::DbError;
use crate::model::name::TableName;
use crate::sql::catalog::Catalog;

impl Connection {
    /// Reads these tables, or all of the user's tables and views in the schemas of the `search_path` (on MySQL and
    /// MariaDB: in the database), without zdm's own.
    ///
    /// On PostgreSQL every table is named with its schema, also one that was asked for without. What does not exist is
    /// not in the answer.
    pub(crate) async fn catalog(
        &mut self,
        tables: Option<&[TableName]>,
    ) -> Result<Catalog, DbError> {
        let complete = tables.is_none();
        if self.engine().is_mysql_family() {
            let tables = super::mysql::catalog(self, tables).await?;
            return Ok(Catalog { tables, complete, ..Catalog::default() });
        }
        let found = super::postgres::catalog(self, tables).await?;
        let beside = super::postgres::beside(self).await?.into();
        Ok(Catalog { tables: found, complete, beside })
    }
}
