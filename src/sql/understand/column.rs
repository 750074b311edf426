//! Columns and constraints of sqlparser's trees to zdm's.

use sqlparser::ast::{
    ColumnDef as ParsedColumn, ColumnOption, ConstraintUsingIndex, DataType, Expr,
    GeneratedExpressionMode, IndexColumn, IndexType, ReferentialAction, TableConstraint,
};

use super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::change::{Change, ColumnDef, ConstraintDef, ConstraintDefKind, IndexForm};

/// A column, and the constraints and indexes that stand beside it: they are changes of their own.
pub(super) fn column(
    reader: Reader<'_>,
    table: &TableName,
    parsed: &ParsedColumn,
) -> (ColumnDef, Vec<Change>) {
    let options: Vec<_> =
        parsed.options.iter().map(|option| (option.name.as_ref(), &option.option)).collect();
    column_of(reader, table, (reader.ident(&parsed.name), &parsed.data_type), &options)
}

/// The same from a name, a type and options.
pub(super) fn column_of(
    reader: Reader<'_>,
    table: &TableName,
    (name, data_type): (String, &DataType),
    options: &[(Option<&sqlparser::ast::Ident>, &ColumnOption)],
) -> (ColumnDef, Vec<Change>) {
    let data_type = data_type.to_string();
    let serial = is_serial(&data_type);
    let mut column = ColumnDef {
        name: name.clone(),
        data_type,
        not_null: serial,
        counts: serial,
        ..ColumnDef::default()
    };
    let mut beside = Vec::new();
    for (label, option) in options {
        let label = label.map(|label| reader.ident(label));
        let constraint = |kind, columns| Change::AddConstraint {
            table: table.clone(),
            constraint: ConstraintDef::new(label.clone(), kind, columns),
        };
        match option {
            ColumnOption::NotNull => column.not_null = true,
            ColumnOption::Collation(collation) => column.collation = Some(collation.to_string()),
            ColumnOption::Default(expression) => column.default = default(expression),
            ColumnOption::PrimaryKey(_) => {
                column.primary_key = true;
                column.not_null = true;
                beside.push(constraint(primary_key(), vec![name.clone()]));
            }
            ColumnOption::Unique(_) => {
                column.unique = true;
                beside.push(unique(reader, table, label, vec![name.clone()]));
            }
            ColumnOption::ForeignKey(key) => {
                let kind = ConstraintDefKind::ForeignKey { to: reader.object(&key.foreign_table) };
                let mut change = constraint(kind, vec![name.clone()]);
                if let Change::AddConstraint { constraint, .. } = &mut change {
                    constraint.references = idents(reader, &key.referred_columns);
                    constraint.actions = actions(key.on_delete, key.on_update);
                }
                beside.push(change);
            }
            ColumnOption::Check(check) => {
                let kind = ConstraintDefKind::Check { expression: check.expr.to_string() };
                beside.push(constraint(kind, vec![name.clone()]));
            }
            ColumnOption::Generated {
                generation_expr: Some(expression),
                generation_expr_mode,
                ..
            } => {
                let mode = match generation_expr_mode {
                    Some(GeneratedExpressionMode::Stored) => " STORED",
                    Some(GeneratedExpressionMode::Virtual) => " VIRTUAL",
                    None => "",
                };
                column.generated = Some(format!("({expression}){mode}"));
            }
            ColumnOption::Generated { .. } | ColumnOption::Identity(_) => {
                column.counts = true;
                column.not_null = true;
            }
            ColumnOption::DialectSpecific(tokens) => {
                let words: Vec<_> =
                    tokens.iter().map(|token| token.to_string().to_uppercase()).collect();
                column.counts |= words.iter().any(|word| word == "AUTO_INCREMENT");
            }
            _ => {}
        }
    }
    (column, beside)
}

/// `DEFAULT NULL` is no default.
pub(super) fn default(expression: &Expr) -> Option<String> {
    Some(expression.to_string()).filter(|text| !text.eq_ignore_ascii_case("null"))
}

/// PostgreSQL's serial types: an integer with a sequence, NOT NULL.
fn is_serial(data_type: &str) -> bool {
    matches!(
        data_type.to_ascii_lowercase().as_str(),
        "serial" | "bigserial" | "smallserial" | "serial4" | "serial8" | "serial2"
    )
}

fn primary_key() -> ConstraintDefKind {
    ConstraintDefKind::PrimaryKey { using_index: false }
}

/// UNIQUE is a constraint on PostgreSQL and an index on MySQL and MariaDB, which name it after its first column.
fn unique(
    reader: Reader<'_>,
    table: &TableName,
    name: Option<String>,
    columns: Vec<String>,
) -> Change {
    if !reader.engine.is_mysql_family() {
        let kind = ConstraintDefKind::Unique { using_index: false };
        let constraint = ConstraintDef::new(name, kind, columns);
        return Change::AddConstraint { table: table.clone(), constraint };
    }
    index(table, name, columns, Shape { unique: true, kind: None })
}

/// What else an index of ALTER TABLE is.
#[derive(Default)]
struct Shape {
    unique: bool,
    kind: Option<String>,
}

fn index(table: &TableName, name: Option<String>, columns: Vec<String>, shape: Shape) -> Change {
    let index = name.or_else(|| columns.first().cloned());
    Change::CreateIndex {
        table: table.clone(),
        index,
        columns,
        unique: shape.unique,
        concurrently: false,
        kind: shape.kind,
        if_not_exists: false,
        form: IndexForm::default(),
    }
}

/// A constraint of a table; on MySQL and MariaDB also an index.
pub(super) fn constraint(
    reader: Reader<'_>,
    table: &TableName,
    parsed: &TableConstraint,
    not_valid: bool,
) -> Change {
    let (mut references, mut does) = (Vec::new(), String::new());
    let (name, kind, columns) = match parsed {
        TableConstraint::Unique(key) => {
            let name = key.name.as_ref().or(key.index_name.as_ref()).map(|name| reader.ident(name));
            return unique(reader, table, name, columns(reader, &key.columns));
        }
        TableConstraint::PrimaryKey(key) => {
            (&key.name, primary_key(), columns(reader, &key.columns))
        }
        TableConstraint::ForeignKey(key) => {
            let to = reader.object(&key.foreign_table);
            let columns = idents(reader, &key.columns);
            references = idents(reader, &key.referred_columns);
            does = actions(key.on_delete, key.on_update);
            (&key.name, ConstraintDefKind::ForeignKey { to }, columns)
        }
        TableConstraint::Check(check) => {
            let kind = ConstraintDefKind::Check { expression: check.expr.to_string() };
            (&check.name, kind, Vec::new())
        }
        TableConstraint::Index(key) => {
            let name = key.name.as_ref().map(|name| reader.ident(name));
            let shape =
                Shape { unique: false, kind: key.index_type.as_ref().and_then(kind_of_index) };
            return index(table, name, columns(reader, &key.columns), shape);
        }
        TableConstraint::FulltextOrSpatial(key) => {
            let name = key.opt_index_name.as_ref().map(|name| reader.ident(name));
            let kind = Some(if key.fulltext { "FULLTEXT" } else { "SPATIAL" }.to_owned());
            return index(
                table,
                name,
                columns(reader, &key.columns),
                Shape { unique: false, kind },
            );
        }
        TableConstraint::PrimaryKeyUsingIndex(ConstraintUsingIndex {
            name, index_name, ..
        }) => {
            let kind = ConstraintDefKind::PrimaryKey { using_index: true };
            return promoted(reader, table, (name.as_ref(), index_name), kind);
        }
        TableConstraint::UniqueUsingIndex(ConstraintUsingIndex { name, index_name, .. }) => {
            let kind = ConstraintDefKind::Unique { using_index: true };
            return promoted(reader, table, (name.as_ref(), index_name), kind);
        }
        TableConstraint::Exclude(exclude) => {
            (&exclude.name, ConstraintDefKind::Exclusion, Vec::new())
        }
    };
    let name = name.as_ref().map(|name| reader.ident(name));
    let constraint = ConstraintDef {
        not_valid,
        references,
        actions: does,
        ..ConstraintDef::new(name, kind, columns)
    };
    Change::AddConstraint { table: table.clone(), constraint }
}

/// What a foreign key does to its rows, without the actions that only refuse.
fn actions(on_delete: Option<ReferentialAction>, on_update: Option<ReferentialAction>) -> String {
    let acts = |action: &ReferentialAction| {
        !matches!(action, ReferentialAction::Restrict | ReferentialAction::NoAction)
    };
    let said = |event: &str, action: Option<ReferentialAction>| {
        action.filter(acts).map(|action| format!("ON {event} {action}"))
    };
    let said = [said("DELETE", on_delete), said("UPDATE", on_update)];
    said.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn idents(reader: Reader<'_>, idents: &[sqlparser::ast::Ident]) -> Vec<String> {
    idents.iter().map(|ident| reader.ident(ident)).collect()
}

/// `... USING INDEX i`: the index gets the constraint's name, which is its own when none is given.
fn promoted(
    reader: Reader<'_>,
    table: &TableName,
    (name, index): (Option<&sqlparser::ast::Ident>, &sqlparser::ast::Ident),
    kind: ConstraintDefKind,
) -> Change {
    let name = Some(reader.ident(name.unwrap_or(index)));
    let columns = vec![reader.ident(index)];
    let constraint = ConstraintDef::new(name, kind, columns);
    Change::AddConstraint { table: table.clone(), constraint }
}

/// The columns of an index: names, without prefix lengths; expressions as they are.
pub(super) fn columns(reader: Reader<'_>, columns: &[IndexColumn]) -> Vec<String> {
    columns
        .iter()
        .map(|column| match &column.column.expr {
            Expr::Identifier(ident) => reader.ident(ident),
            Expr::Function(prefix) if reader.engine.is_mysql_family() => {
                reader.object(&prefix.name).name
            }
            expression => expression.to_string(),
        })
        .collect()
}

/// An access method, when it is not the ordinary one.
pub(super) fn kind_of_index(kind: &IndexType) -> Option<String> {
    match kind {
        IndexType::BTree => None,
        other => Some(other.to_string()),
    }
}
