//! What MySQL and MariaDB keep of a table beside its columns: storage, partitions, foreign keys both ways.

use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Catalog, Constraint, ConstraintKind, Index, Partition, Storage, Table};
use crate::sql::change::{ConstraintDef, ConstraintDefKind, Position};

impl Catalog {
    /// CREATE TABLE ... LIKE: all but the foreign keys.
    pub(super) fn copy_table(&mut self, table: &TableName, like: &str) {
        let like = match like.split_once('.') {
            Some((schema, name)) => TableName::in_schema(schema, name),
            None => TableName::bare(like),
        };
        let Some(known) = self.tables.get(&like).cloned() else { return };
        self.change(table, |made| {
            let is_key = |constraint: &Constraint| {
                matches!(constraint.kind, ConstraintKind::ForeignKey | ConstraintKind::ReferencedBy)
            };
            made.columns = known.columns;
            made.key = known.key;
            made.indexes = known.indexes;
            made.constraints = known.constraints.into_iter().filter(|one| !is_key(one)).collect();
            made.storage = known.storage;
        });
    }

    /// Notes a foreign key at its far end, too.
    pub(super) fn remember_reference(&mut self, table: &TableName, def: &ConstraintDef) {
        let ConstraintDefKind::ForeignKey { to } = &def.kind else { return };
        let name = format!("{} of {table}", def.name.as_deref().unwrap_or_default());
        let key = self.tables.get(to).map(|known| known.key.clone()).unwrap_or_default();
        let columns = if def.references.is_empty() { key } else { def.references.clone() };
        let definition = format!("FOREIGN KEY ({}) REFERENCES {to}", def.columns.join(", "));
        let kind = ConstraintKind::ReferencedBy;
        let other = Some(table.clone());
        self.change(to, |known| {
            let valid = true;
            known.constraints.push(Constraint { name, kind, columns, definition, valid, other });
        });
    }

    /// Forgets the foreign keys of a table, or one of them, at their far ends.
    pub(super) fn forget_references(&mut self, table: &TableName, name: Option<&String>) {
        let of = format!("{} of {table}", name.map(String::as_str).unwrap_or_default());
        let is_whole = name.is_some();
        let is_one = |one: &Constraint| {
            one.kind == ConstraintKind::ReferencedBy
                && if is_whole {
                    one.name.eq_ignore_ascii_case(&of)
                } else {
                    one.name.ends_with(&of)
                }
        };
        self.tables.change(
            |known| known.constraints.iter().any(is_one),
            |known| known.constraints.retain(|one| !is_one(one)),
        );
    }
}

impl Table {
    /// Adds a constraint, and the index that a foreign key needs.
    pub(super) fn add_mysql_constraint(
        &mut self,
        table: &TableName,
        def: &ConstraintDef,
        engine: Engine,
    ) {
        let begins = |columns: &[String]| {
            columns.len() >= def.columns.len()
                && columns.iter().zip(&def.columns).all(|(a, b)| engine.same_name(a, b))
        };
        let has_one = begins(&self.key) || self.indexes.iter().any(|index| begins(&index.columns));
        if matches!(def.kind, ConstraintDefKind::ForeignKey { .. }) && !has_one {
            let name =
                def.name.clone().or_else(|| def.columns.first().cloned()).unwrap_or_default();
            self.indexes.push(Index {
                name,
                columns: def.columns.clone(),
                unique: false,
                definition: format!("({})", def.columns.join(", ")),
                kind: None,
                constraint: None,
            });
        }
        self.add_constraint(table, def, engine);
    }

    /// The name, or the name with the number that the servers put behind it when it is taken.
    pub(super) fn free_name(&self, name: String) -> String {
        let is_taken =
            |name: &str| self.indexes.iter().any(|index| index.name.eq_ignore_ascii_case(name));
        if !is_taken(&name) {
            return name;
        }
        let mut numbered = (2..).map(|number| format!("{name}_{number}"));
        numbered.find(|candidate| !is_taken(candidate)).unwrap_or(name)
    }

    /// Moves a column.
    pub(super) fn place(&mut self, name: &str, position: Option<&Position>, engine: Engine) {
        let at = self.columns.iter().position(|column| engine.same_name(&column.name, name));
        let (Some(at), Some(position)) = (at, position) else { return };
        let column = self.columns.remove(at);
        let to = match position {
            Position::First => 0,
            Position::After(other) => {
                let other =
                    self.columns.iter().position(|column| engine.same_name(&column.name, other));
                other.map_or(self.columns.len(), |other| other + 1)
            }
        };
        self.columns.insert(to.min(self.columns.len()), column);
    }

    /// CONVERT TO CHARACTER SET: all columns have the table's from now on.
    pub(super) fn convert(&mut self) {
        for column in &mut self.columns {
            let lower = column.data_type.to_ascii_lowercase();
            let ends = [" character set ", " charset ", " collate "];
            if let Some(at) = ends.iter().filter_map(|word| lower.find(word)).min() {
                column.data_type.truncate(at);
            }
        }
    }
}

impl Storage {
    /// Takes over an option of CREATE TABLE or ALTER TABLE.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) {
        let text = || value.map(str::to_owned);
        match name {
            "ENGINE" | "TYPE" => self.engine = text(),
            "ROW_FORMAT" => self.row_format = text().map(|text| text.to_ascii_uppercase()),
            // A page size compresses where no format is named.
            "KEY_BLOCK_SIZE" if self.row_format.is_some() || value == Some("0") => {
                self.key_block_size = value.and_then(|size| size.parse().ok());
            }
            "KEY_BLOCK_SIZE" => {
                self.key_block_size = value.and_then(|size| size.parse().ok());
                self.row_format = Some("COMPRESSED".to_owned());
            }
            "CHARSET" => {
                self.charset = text();
                self.collation = None;
            }
            "COLLATE" => self.collation = text(),
            "CONVERT" => {
                let (charset, collation) =
                    match value.and_then(|value| value.split_once(" COLLATE ")) {
                        Some((charset, collation)) => (charset, Some(collation.to_owned())),
                        None => (value.unwrap_or_default(), None),
                    };
                self.charset = Some(charset.to_owned());
                self.collation = collation;
            }
            "SYSTEM VERSIONING" => self.versioned = value != Some("DROP"),
            _ => {}
        }
    }

    /// Takes over which partitions come and go.
    pub(super) fn list_partitions(
        &mut self,
        operation: &str,
        (listed, made): (&[String], &[Partition]),
    ) {
        let goes = |one: &Partition| listed.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
        match operation {
            "PARTITION BY" | "REMOVE PARTITIONING" => {
                self.partitions = made.to_vec();
            }
            "DROP PARTITION" | "REORGANIZE PARTITION" if !self.partitions.is_empty() => {
                let at = self.partitions.iter().position(goes).unwrap_or(self.partitions.len());
                self.partitions.retain(|one| !goes(one));
                self.partitions.splice(at..at, made.iter().cloned());
            }
            "ADD PARTITION" if !self.partitions.is_empty() => {
                self.partitions.extend_from_slice(made);
            }
            _ => {}
        }
    }

    /// Takes over PARTITION BY and REMOVE PARTITIONING.
    pub(super) fn partition(&mut self, operation: &str, method: Option<&str>, columns: &[String]) {
        match operation {
            "PARTITION BY" => {
                self.partitioned = method.map(str::to_owned);
                self.partition_columns = columns.to_vec();
            }
            "REMOVE PARTITIONING" => {
                self.partitioned = None;
                self.partition_columns = Vec::new();
            }
            _ => {}
        }
    }
}
