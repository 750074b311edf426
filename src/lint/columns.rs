//! Columns that a change makes, for rules about their types.

use super::ask::Subject;
use crate::model::name::TableName;
use crate::sql::change::{Change, ColumnDef};
use crate::sql::types::canonical;

impl Subject<'_> {
    /// The table and the columns that the change makes, or gives a new type, whose type meets a condition. The type is
    /// spelled as catalogs spell it.
    pub(super) fn columns_of_type(
        &self,
        meets: impl Fn(&str, &ColumnDef) -> bool,
    ) -> Option<(&TableName, Vec<&str>)> {
        let (table, columns) = match &self.located.change {
            Change::CreateTable { table, columns, temporary: false, .. } => {
                (table, columns.as_slice())
            }
            Change::AddColumn { table, column, .. } => (table, std::slice::from_ref(column)),
            // A type that is only said again was judged when it came.
            Change::ChangeType { table, column, to, .. } => {
                let engine = self.server.engine;
                let new = canonical(&to.data_type, engine);
                let same = self.column(table, column).is_some_and(|known| known.data_type == new);
                if same {
                    return None;
                }
                (table, std::slice::from_ref(to))
            }
            _ => return None,
        };
        // Several rules ask.
        let types = self.types.get_or_init(|| {
            let types = columns.iter().map(|column| &column.data_type);
            types.map(|written| canonical(written, self.server.engine)).collect()
        });
        let found: Vec<_> = columns
            .iter()
            .zip(types)
            .filter(|(column, data_type)| meets(data_type, column))
            .map(|(column, _)| column.name.as_str())
            .collect();
        (!found.is_empty()).then_some((table, found))
    }

    /// `column "a" of table "t"`, `columns "a", "b" of table "t"`.
    pub(super) fn name_columns(&self, table: &TableName, columns: &[&str]) -> String {
        let kind = if columns.len() == 1 { "column" } else { "columns" };
        let quoted: Vec<_> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        format!("{kind} {} of table \"{}\"", quoted.join(", "), self.show(table))
    }
}
