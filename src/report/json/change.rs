//! What a statement does, for programs.
#![warn(clippy::wildcard_enum_match_arm)]

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::name::TableName;
use crate::sql::change;

/// What a statement, or one clause of it, does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// The kind: `add_column`, `create_index`, ...
    kind: &'static str,
    /// The table, as the statement names it.
    table: Option<String>,
    /// The column, index or constraint.
    name: Option<String>,
    /// The new name or type.
    to: Option<String>,
    /// Why it is not understood, or what else it makes.
    note: Option<String>,
}

impl Change {
    fn new(kind: &'static str, table: Option<&TableName>) -> Self {
        Self { kind, table: table.map(ToString::to_string), ..Self::default() }
    }

    fn on(kind: &'static str, table: &TableName, name: Option<&String>) -> Self {
        Self { name: name.cloned(), ..Self::new(kind, Some(table)) }
    }

    fn to(self, to: Option<String>) -> Self {
        Self { to, ..self }
    }
}

impl From<&change::Change> for Change {
    fn from(change: &change::Change) -> Self {
        use change::Change as C;
        match change {
            C::CreateTable { table, .. } => Self::new("create_table", Some(table)),
            C::DropTable { table, .. } => Self::new("drop_table", Some(table)),
            C::RenameTable { table, to } => {
                Self::new("rename_table", Some(table)).to(Some(to.to_string()))
            }
            C::AddColumn { table, column, .. } => {
                let type_ = Some(column.data_type.clone());
                Self::on("add_column", table, Some(&column.name)).to(type_)
            }
            C::DropColumn { table, column, .. } => Self::on("drop_column", table, Some(column)),
            C::RenameColumn { table, column, to } => {
                Self::on("rename_column", table, Some(column)).to(Some(to.clone()))
            }
            C::ChangeType { table, column, to, .. } => {
                Self::on("change_type", table, Some(column)).to(Some(to.data_type.clone()))
            }
            C::SetNotNull { table, column } => Self::on("set_not_null", table, Some(column)),
            C::DropNotNull { table, column } => Self::on("drop_not_null", table, Some(column)),
            C::SetDefault { table, column, default } => {
                Self::on("set_default", table, Some(column)).to(default.clone())
            }
            C::CreateIndex { table, index, .. } => Self::on("create_index", table, index.as_ref()),
            C::DropIndex { table, index, .. } => {
                Self { name: Some(index.clone()), ..Self::new("drop_index", table.as_ref()) }
            }
            C::AddConstraint { table, constraint } => {
                Self::on("add_constraint", table, constraint.name.as_ref())
            }
            C::ValidateConstraint { table, constraint } => {
                Self::on("validate_constraint", table, Some(constraint))
            }
            C::DropConstraint { table, constraint } => {
                Self::on("drop_constraint", table, Some(constraint))
            }
            C::Update { table, .. } => Self::new("update", Some(table)),
            C::Delete { table, .. } => Self::new("delete", Some(table)),
            C::Insert { table, .. } => Self::new("insert", Some(table)),
            C::Truncate { table, .. } => Self::new("truncate", Some(table)),
            C::RenameIndex { table, index, to } => Self {
                name: Some(index.clone()),
                to: Some(to.clone()),
                ..Self::new("rename_index", table.as_ref())
            },
            C::RenameConstraint { table, constraint, to } => {
                Self::on("rename_constraint", table, Some(constraint)).to(Some(to.clone()))
            }
            C::Rebuild { table, what } => {
                Self { note: Some(what.clone()), ..Self::new("rebuild", Some(table)) }
            }
            C::TableSetting { table, what } => {
                Self { note: Some(what.clone()), ..Self::new("table_setting", Some(table)) }
            }
            C::Act(act) => Self {
                name: act.object.as_ref().map(ToString::to_string),
                to: act.others.first().map(ToString::to_string),
                note: Some(act.what.clone()),
                ..Self::new(act.kind, act.tables.first())
            },
            C::TableOption { table, name, value } => {
                Self::on("table_option", table, Some(name)).to(value.clone())
            }
            C::Partitions { table, operation, to, .. } => {
                Self::on("partitions", table, Some(operation))
                    .to(to.as_ref().map(ToString::to_string))
            }
            C::Demand { table, algorithm, lock } => {
                Self::on("demand", table, algorithm.as_ref()).to(lock.clone())
            }
            C::Clauseless { table } => Self::new("without_clauses", Some(table)),
            C::Harmless => Self::new("harmless", None),
            C::Other { what } => Self { note: Some(what.clone()), ..Self::new("other", None) },
            C::Opaque { why } => Self { note: Some(why.clone()), ..Self::new("opaque", None) },
        }
    }
}
