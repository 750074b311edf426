//! The stored form of a part of a catalog: the tables of a migration as they were before its expand.
//!
//! Format 1. A newer zdm may add fields: an older one ignores them, and what is not there has its default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stored_shape::{StoredName, StoredShape};
use crate::model::name::TableName;
use crate::sql::catalog::{
    Catalog, Column, Constraint, ConstraintKind, Dependent, Index, Peculiarity, Storage, Table,
    Trigger,
};

/// Why a stored catalog cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoredError {
    /// It is not JSON, or lacks what every version has.
    #[error("the stored tables cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
    /// It was written by a zdm whose format this one does not know.
    #[error("the stored tables have format {0}, which only a newer zdm reads")]
    Newer(u32),
}

/// The catalog as a text for the journal.
pub(crate) fn store(catalog: &Catalog) -> Result<String, StoredError> {
    let tables = catalog.tables.iter();
    let tables = tables.map(|(name, table)| StoredTable::new(name, table.clone())).collect();
    Ok(serde_json::to_string(&Stored { format: 1, tables })?)
}

/// The catalog that a text of the journal holds.
pub(crate) fn load(text: &str) -> Result<Catalog, StoredError> {
    let stored: Stored = serde_json::from_str(text)?;
    if stored.format != 1 {
        return Err(StoredError::Newer(stored.format));
    }
    let tables = stored.tables.into_iter().map(StoredTable::into_table).collect();
    Ok(Catalog { tables, complete: true, ..Catalog::default() })
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    tables: Vec<StoredTable>,
}

/// A table; snapshots have it, too.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    name: String,
    columns: Vec<StoredColumn>,
    key: Vec<String>,
    #[serde(default)]
    indexes: Vec<StoredIndex>,
    #[serde(default)]
    constraints: Vec<StoredConstraint>,
    #[serde(default)]
    triggers: Vec<(String, String)>,
    #[serde(default)]
    dependents: Vec<(String, Vec<String>)>,
    #[serde(default)]
    peculiarities: Vec<(String, Vec<String>)>,
    #[serde(default)]
    estimated_rows: Option<u64>,
    #[serde(default)]
    shape: StoredShape,
    /// The functions that triggers call, by the triggers' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    calls: BTreeMap<String, StoredName>,
    #[serde(default)]
    storage: StoredStorage,
}

/// How MySQL or MariaDB keeps a table.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct StoredStorage {
    engine: Option<String>,
    row_format: Option<String>,
    charset: Option<String>,
    collation: Option<String>,
    partitioned: Option<String>,
    partition_columns: Vec<String>,
    versioned: bool,
    stored: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredColumn {
    name: String,
    data_type: String,
    #[serde(default)]
    collation: Option<String>,
    #[serde(default)]
    not_null: bool,
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    generated: Option<String>,
    #[serde(default)]
    counts: bool,
    #[serde(default)]
    on_update: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    grants: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredIndex {
    name: String,
    columns: Vec<String>,
    #[serde(default)]
    unique: bool,
    definition: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    constraint: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredConstraint {
    name: String,
    kind: StoredKind,
    columns: Vec<String>,
    definition: String,
    valid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other: Option<StoredName>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredKind {
    Check,
    ForeignKey,
    ReferencedBy,
    Unique,
    Exclusion,
}

impl StoredTable {
    /// Every field of a table is named, so that a new one is not forgotten.
    pub(super) fn new(name: &TableName, table: Table) -> Self {
        // Sizes change by the minute: snapshots keep them beside the table. What is stored is nobody's plan any more.
        let Table {
            columns,
            key,
            indexes,
            constraints,
            triggers,
            dependents,
            peculiarities,
            estimated_rows,
            size: _,
            storage,
            is_new: _,
            shape,
        } = table;
        Self {
            schema: name.schema.clone(),
            name: name.name.clone(),
            columns: columns.into_iter().map(StoredColumn::new).collect(),
            key,
            indexes: indexes.into_iter().map(StoredIndex::new).collect(),
            constraints: constraints.into_iter().map(StoredConstraint::new).collect(),
            calls: triggers
                .iter()
                .filter_map(|trigger| {
                    let function = StoredName::new(trigger.function.clone()?);
                    Some((trigger.name.clone(), function))
                })
                .collect(),
            triggers: (triggers.into_iter())
                .map(|Trigger { name, fires, function: _ }| (name, fires))
                .collect(),
            dependents: (dependents.into_iter())
                .map(|Dependent { title, columns }| (title, columns))
                .collect(),
            peculiarities: (peculiarities.into_iter())
                .map(|Peculiarity { words, columns }| (words, columns))
                .collect(),
            estimated_rows,
            shape: StoredShape::new(shape),
            storage: StoredStorage::new(storage),
        }
    }

    pub(super) fn into_table(self) -> (TableName, Table) {
        let mut calls = self.calls;
        let table = Table {
            columns: self.columns.into_iter().map(StoredColumn::into_column).collect(),
            key: self.key,
            indexes: self.indexes.into_iter().map(StoredIndex::into_index).collect(),
            constraints: (self.constraints.into_iter())
                .map(StoredConstraint::into_constraint)
                .collect(),
            triggers: (self.triggers.into_iter())
                .map(|(name, fires)| {
                    let function = calls.remove(&name).map(StoredName::into_name);
                    Trigger { name, fires, function }
                })
                .collect(),
            dependents: (self.dependents.into_iter())
                .map(|(title, columns)| Dependent { title, columns })
                .collect(),
            peculiarities: (self.peculiarities.into_iter())
                .map(|(words, columns)| Peculiarity { words, columns })
                .collect(),
            estimated_rows: self.estimated_rows,
            storage: self.storage.into_storage(),
            shape: self.shape.into_shape(),
            ..Table::default()
        };
        (TableName { schema: self.schema, name: self.name }, table)
    }
}

impl StoredStorage {
    fn new(storage: Storage) -> Self {
        let Storage { engine, row_format, charset, collation, .. } = storage;
        let Storage { partitioned, partition_columns, versioned, stored, .. } = storage;
        Self {
            engine,
            row_format,
            charset,
            collation,
            partitioned,
            partition_columns,
            versioned,
            stored,
        }
    }

    fn into_storage(self) -> Storage {
        Storage {
            engine: self.engine,
            row_format: self.row_format,
            charset: self.charset,
            collation: self.collation,
            partitioned: self.partitioned,
            partition_columns: self.partition_columns,
            versioned: self.versioned,
            stored: self.stored,
            ..Storage::default()
        }
    }
}

impl StoredColumn {
    fn new(column: Column) -> Self {
        let Column {
            name,
            data_type,
            collation,
            not_null,
            default,
            generated,
            counts,
            on_update,
            comment,
            grants,
            is_new: _,
        } = column;
        Self {
            name,
            data_type,
            collation,
            not_null,
            default,
            generated,
            counts,
            on_update,
            comment,
            grants,
        }
    }

    fn into_column(self) -> Column {
        Column {
            name: self.name,
            data_type: self.data_type,
            collation: self.collation,
            not_null: self.not_null,
            default: self.default,
            generated: self.generated,
            counts: self.counts,
            on_update: self.on_update,
            comment: self.comment,
            grants: self.grants,
            is_new: false,
        }
    }
}

impl StoredIndex {
    fn new(index: Index) -> Self {
        let Index { name, columns, unique, definition, kind, constraint } = index;
        Self { name, columns, unique, definition, kind, constraint }
    }

    fn into_index(self) -> Index {
        let Self { name, columns, unique, definition, kind, constraint } = self;
        Index { name, columns, unique, definition, kind, constraint }
    }
}

impl StoredConstraint {
    fn new(constraint: Constraint) -> Self {
        let Constraint { name, kind, columns, definition, valid, other } = constraint;
        let other = other.map(StoredName::new);
        Self { name, kind: StoredKind::new(kind), columns, definition, valid, other }
    }

    fn into_constraint(self) -> Constraint {
        let Self { name, kind, columns, definition, valid, other } = self;
        let other = other.map(StoredName::into_name);
        Constraint { name, kind: kind.into_kind(), columns, definition, valid, other }
    }
}

impl StoredKind {
    fn new(kind: ConstraintKind) -> Self {
        match kind {
            ConstraintKind::Check => Self::Check,
            ConstraintKind::ForeignKey => Self::ForeignKey,
            ConstraintKind::ReferencedBy => Self::ReferencedBy,
            ConstraintKind::Unique => Self::Unique,
            ConstraintKind::Exclusion => Self::Exclusion,
        }
    }

    fn into_kind(self) -> ConstraintKind {
        match self {
            Self::Check => ConstraintKind::Check,
            Self::ForeignKey => ConstraintKind::ForeignKey,
            Self::ReferencedBy => ConstraintKind::ReferencedBy,
            Self::Unique => ConstraintKind::Unique,
            Self::Exclusion => ConstraintKind::Exclusion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::catalog::{Shape, TableKind};

    fn catalog() -> Catalog {
        let column = Column {
            name: "name".to_owned(),
            data_type: "text".to_owned(),
            collation: Some("\"C\"".to_owned()),
            not_null: true,
            default: Some("''".to_owned()),
            grants: vec!["GRANT SELECT ({column}) ON t TO u".to_owned()],
            ..Column::default()
        };
        let table = Table {
            columns: vec![column],
            key: vec!["id".to_owned()],
            indexes: vec![Index {
                name: "t_name".to_owned(),
                columns: vec!["name".to_owned()],
                unique: true,
                definition: "CREATE UNIQUE INDEX t_name ON public.t (name)".to_owned(),
                kind: None,
                constraint: None,
            }],
            constraints: vec![Constraint {
                name: "c".to_owned(),
                kind: ConstraintKind::ReferencedBy,
                columns: vec!["name".to_owned()],
                definition: "CHECK (true)".to_owned(),
                valid: false,
                other: Some(TableName::in_schema("public", "u")),
            }],
            triggers: vec![Trigger {
                name: "g".to_owned(),
                fires: "BEFORE UPDATE".to_owned(),
                function: Some(TableName::in_schema("public", "f")),
            }],
            dependents: vec![Dependent { title: "view \"v\"".to_owned(), columns: Vec::new() }],
            peculiarities: vec![Peculiarity {
                words: "is a partition".to_owned(),
                columns: Vec::new(),
            }],
            estimated_rows: Some(7),
            storage: Storage {
                engine: Some("InnoDB".to_owned()),
                stored: vec!["name".to_owned()],
                ..Storage::default()
            },
            shape: Shape {
                query: String::new(),
                unlogged: true,
                kind: TableKind::Partitioned,
                parents: vec![TableName::bare("p")],
                bound: Some("DEFAULT".to_owned()),
                partitioned_by: vec!["name".to_owned()],
                reads: vec![TableName::bare("r")],
                key_name: Some("k".to_owned()),
                of_type: Some(TableName::in_schema("s", "c")),
            },
            ..Table::default()
        };
        let tables = [(TableName::in_schema("public", "t"), table)].into_iter().collect();
        Catalog { tables, complete: true, ..Catalog::default() }
    }

    #[test]
    fn what_is_stored_is_what_is_loaded() {
        assert_eq!(load(&store(&catalog()).unwrap()).unwrap(), catalog());
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let error = load(r#"{"format":2,"tables":[]}"#).unwrap_err();
        assert!(error.to_string().contains("newer zdm"), "{error}");
    }

    #[test]
    fn fields_that_are_not_known_are_ignored_and_missing_ones_have_their_defaults() {
        let text = r#"{"format":1,"more":1,"tables":[{"name":"t","columns":[{"name":"a","data_type":"int","new":true}],"key":[]}]}"#;
        let catalog = load(text).unwrap();
        assert_eq!(catalog.tables[&TableName::bare("t")].columns[0].data_type, "int");
    }
}
