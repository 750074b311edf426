//! Carrying over on PostgreSQL: NOT VALID, then VALIDATE; CONCURRENTLY, then USING INDEX.

use super::{Carry, Part, group, statement};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::model::step::{Action, Probe, Statement};
use crate::sql::catalog::{Constraint, ConstraintKind, Index};
use crate::sql::quote::{ident, table as quoted};
use crate::sql::rename::split_at_word;

const PG: Engine = Engine::Postgres;

/// Everything that binds the old column, built for the new one.
pub(crate) fn build(carry: &Carry<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    if carry.column.not_null {
        parts.extend(not_null(carry));
    }
    for check in carry.constraints(ConstraintKind::Check) {
        parts.extend(constraint(carry, check, &carry.moved(&check.definition), Vec::new()));
    }
    for key in carry.constraints(ConstraintKind::ForeignKey) {
        let definition = carry.moved_foreign_key(&key.definition);
        let partner = referenced(&key.definition, carry.table.schema.as_deref());
        parts.extend(constraint(carry, key, &definition, partner.into_iter().collect()));
    }
    for index in carry.indexes() {
        parts.extend(self::index(carry, index));
    }
    parts
}

/// The statements after which what was carried has the original names; the old column, and all that bound it, must be
/// gone. `taken`: names that something else has by now.
pub(crate) fn take_names(carry: &Carry<'_>, taken: &[String]) -> Vec<Statement> {
    let table = quoted(PG, carry.table);
    let free = |name: &String| !taken.contains(name);
    let constraints = [ConstraintKind::Check, ConstraintKind::ForeignKey, ConstraintKind::Unique]
        .into_iter()
        .flat_map(|kind| carry.constraints(kind))
        .filter(|constraint| free(&constraint.name))
        .map(|constraint| {
            let (ours, original) =
                (ident(PG, &carry.name(&constraint.name)), ident(PG, &constraint.name));
            format!("ALTER TABLE {table} RENAME CONSTRAINT {ours} TO {original}")
        });
    let indexes = carry
        .indexes()
        .filter(|index| index.constraint.is_none() && free(&index.name))
        .map(|index| {
            let ours =
                TableName { schema: carry.table.schema.clone(), name: carry.name(&index.name) };
            format!("ALTER INDEX {} RENAME TO {}", quoted(PG, &ours), ident(PG, &index.name))
        });
    constraints.chain(indexes).map(|sql| statement(sql, Probe::Undecidable)).collect()
}

/// A valid check makes SET NOT NULL cheap: it does not read the table again.
fn not_null(carry: &Carry<'_>) -> [Part; 3] {
    let (table, column) = (quoted(PG, carry.table), ident(PG, carry.to));
    let name = carry.name(&format!("{}_not_null", carry.to));
    let check = ident(PG, &name);
    let there = |present| Probe::Constraint {
        table: carry.table.clone(),
        constraint: name.clone(),
        present,
    };
    let add = format!(
        "ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID"
    );
    let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check}");
    let set = format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL");
    let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {check}");
    let refuses =
        Probe::NotNull { table: carry.table.clone(), column: carry.to.to_owned(), present: true };
    [
        carry.part(
            "not-null-check".to_owned(),
            format!("refuse NULL in new values of {}", carry.to),
            vec![statement(add, there(true))],
        ),
        Part {
            slug: "not-null-validate".to_owned(),
            title: format!("check the rows for NULL in {}", carry.to),
            locks: Vec::new(),
            action: group(vec![statement(validate, Probe::Repeatable)]),
        },
        carry.part(
            "not-null".to_owned(),
            format!("make {} NOT NULL", carry.to),
            vec![statement(set, refuses), statement(drop, there(false))],
        ),
    ]
}

fn constraint(
    carry: &Carry<'_>,
    original: &Constraint,
    definition: &str,
    partners: Vec<TableName>,
) -> Vec<Part> {
    let (table, name) = (quoted(PG, carry.table), carry.name(&original.name));
    let quoted_name = ident(PG, &name);
    // An original that is not valid itself is written back with these words.
    let definition = definition.trim_end().trim_end_matches("NOT VALID").trim_end();
    let there = Probe::Constraint { table: carry.table.clone(), constraint: name, present: true };
    let add = format!("ALTER TABLE {table} ADD CONSTRAINT {quoted_name} {definition} NOT VALID");
    let mut added = carry.part(
        format!("constraint-{}", original.name),
        format!("constrain new values of {} as {} does", carry.to, original.name),
        vec![statement(add, there)],
    );
    added.locks.extend(partners);
    let mut parts = vec![added];
    if original.valid {
        let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {quoted_name}");
        parts.push(Part {
            slug: format!("validate-{}", original.name),
            title: format!("check the rows as {} does", original.name),
            locks: Vec::new(),
            action: group(vec![statement(validate, Probe::Repeatable)]),
        });
    }
    parts
}

fn index(carry: &Carry<'_>, original: &Index) -> Vec<Part> {
    let (table, name) = (quoted(PG, carry.table), carry.name(&original.name));
    let unique = if original.unique { "UNIQUE " } else { "" };
    let body = split_at_word(PG, &original.definition, "USING")
        .map_or(original.definition.as_str(), |(_, body)| body);
    let sql = format!(
        "CREATE {unique}INDEX CONCURRENTLY {} ON {table} {}",
        ident(PG, &name),
        carry.moved(body)
    );
    let built = Probe::Index { table: carry.table.clone(), index: name.clone(), present: true };
    let mut parts = vec![Part {
        slug: format!("index-{}", original.name),
        title: format!("index {} as {} does", carry.to, original.name),
        locks: Vec::new(),
        action: Action::Alone(statement(sql, built)),
    }];
    if let Some(constraint) = &original.constraint {
        let tail = carry
            .base
            .constraints
            .iter()
            .find(|found| found.name == *constraint)
            .and_then(|found| split_at_word(PG, &found.definition, "DEFERRABLE"))
            .map_or(String::new(), |(_, tail)| format!(" {tail}"));
        let quoted_name = ident(PG, &name);
        let sql = format!(
            "ALTER TABLE {table} ADD CONSTRAINT {quoted_name} UNIQUE USING INDEX {quoted_name}{tail}"
        );
        let there =
            Probe::Constraint { table: carry.table.clone(), constraint: name, present: true };
        parts.push(carry.part(
            format!("unique-{constraint}"),
            format!("make {} unique as {constraint} does", carry.to),
            vec![statement(sql, there)],
        ));
    }
    parts
}

/// The far end of a foreign key: adding one locks it, too.
fn referenced(definition: &str, schema: Option<&str>) -> Option<TableName> {
    let (_, there) = split_at_word(PG, definition, "REFERENCES")?;
    let name = there.strip_prefix("REFERENCES")?.split('(').next()?.trim();
    let plain = |text: &str| text.trim_matches('"').replace("\"\"", "\"");
    Some(match name.split_once('.') {
        Some((schema, name)) => TableName::in_schema(plain(schema), plain(name)),
        None => TableName::bare(plain(name)).or_in(schema),
    })
}
