//! The stored form of what tables are, and of what they have to do with others.

use serde::{Deserialize, Serialize};

use crate::model::name::TableName;
use crate::sql::catalog::{Shape, TableKind};

/// A name with its schema.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredName {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    name: String,
}

/// A table's shape.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct StoredShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<StoredKind>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parents: Vec<StoredName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    partitioned_by: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reads: Vec<StoredName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of_type: Option<StoredName>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unlogged: bool,
}

/// A kind that is not the ordinary one.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredKind {
    Partitioned,
    Foreign,
    View,
    MaterializedView,
}

impl StoredName {
    pub(super) fn new(name: TableName) -> Self {
        Self { schema: name.schema, name: name.name }
    }

    pub(super) fn into_name(self) -> TableName {
        TableName { schema: self.schema, name: self.name }
    }
}

impl StoredShape {
    /// Every field is named, so that a new one is not forgotten.
    pub(super) fn new(shape: Shape) -> Self {
        // Views' texts are not kept.
        let Shape {
            kind,
            parents,
            bound,
            partitioned_by,
            reads,
            query: _,
            key_name,
            of_type,
            unlogged,
        } = shape;
        Self {
            kind: match kind {
                TableKind::Ordinary => None,
                TableKind::Partitioned => Some(StoredKind::Partitioned),
                TableKind::Foreign => Some(StoredKind::Foreign),
                TableKind::View => Some(StoredKind::View),
                TableKind::MaterializedView => Some(StoredKind::MaterializedView),
            },
            parents: parents.into_iter().map(StoredName::new).collect(),
            bound,
            partitioned_by,
            reads: reads.into_iter().map(StoredName::new).collect(),
            key_name,
            of_type: of_type.map(StoredName::new),
            unlogged,
        }
    }

    pub(super) fn into_shape(self) -> Shape {
        Shape {
            query: String::new(),
            kind: match self.kind {
                None => TableKind::Ordinary,
                Some(StoredKind::Partitioned) => TableKind::Partitioned,
                Some(StoredKind::Foreign) => TableKind::Foreign,
                Some(StoredKind::View) => TableKind::View,
                Some(StoredKind::MaterializedView) => TableKind::MaterializedView,
            },
            parents: self.parents.into_iter().map(StoredName::into_name).collect(),
            bound: self.bound,
            partitioned_by: self.partitioned_by,
            reads: self.reads.into_iter().map(StoredName::into_name).collect(),
            key_name: self.key_name,
            of_type: self.of_type.map(StoredName::into_name),
            unlogged: self.unlogged,
        }
    }
}
