//! Options of tables, and upkeep.

use super::super::case::Case;
use super::context::Context;
use super::{charset, types};
use crate::sql::catalog::{Constraint, ConstraintKind};
use crate::sql::change::Change;

/// An option of ALTER TABLE.
pub(super) fn cases(name: &str, value: Option<&str>, context: &Context<'_>) -> Vec<Case> {
    let is = |word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
    let one = match name {
        "ENGINE" | "TYPE" => {
            let engine = context.known.and_then(|known| known.storage.engine.as_deref());
            let same =
                value.is_some_and(|value| value.eq_ignore_ascii_case(engine.unwrap_or("InnoDB")));
            let keyed = context.constraints().any(|known| {
                matches!(known.kind, ConstraintKind::ForeignKey | ConstraintKind::ReferencedBy)
            });
            context.case("engine").fact("changes", !same).fact("keyed", keyed && !same)
        }
        "FORCE" => context.case("force"),
        "ORDER BY" => context.case("order_by"),
        "ROW_FORMAT" | "KEY_BLOCK_SIZE" => {
            context.case("row_format").fact("refused", is_refused_format(context))
        }
        "CONVERT" => return convert(value.unwrap_or_default(), context),
        "CHARSET" | "COLLATE" => context.case("default_charset"),
        "AUTO_INCREMENT" => context.case("auto_increment"),
        "CHECKSUM" | "PACK_KEYS" | "DELAY_KEY_WRITE" | "TABLE_CHECKSUM" => {
            context.case("myisam_option")
        }
        "TABLESPACE" => context.case("tablespace"),
        "ENCRYPTION" => context.case("encryption").fact("on", is("Y")),
        "ENCRYPTED" | "ENCRYPTION_KEY_ID" => context.case("encrypted").fact("on", !is("NO")),
        "PAGE_COMPRESSED" | "PAGE_COMPRESSION_LEVEL" => context.case("page_compressed"),
        "KEYS" => context.case("keys"),
        "COMPRESSION" => context.case("compression"),
        "DISCARD TABLESPACE" => {
            let is_far = |known: &Constraint| known.kind == ConstraintKind::ReferencedBy;
            context.case("discard_tablespace").fact("referenced", context.constraints().any(is_far))
        }
        "IMPORT TABLESPACE" => context.case("import_tablespace"),
        "SYSTEM VERSIONING" => context.case("system_versioning").fact("drops", is("DROP")),
        "PERIOD" => context.case("period").fact("no-times", !is_of_times(value, context)),
        "PERIOD SYSTEM_TIME" => context.case("period"),
        "DROP PERIOD" => context.case("drop_period"),
        "LIKE" => return Vec::new(),
        _ if name.starts_with("CONSTRAINT ") => {
            let constraint = name.split_once(' ').map(|(_, name)| name).unwrap_or_default();
            let known = context.constraints().find(|known| context.same(&known.name, constraint));
            let was = known.is_some_and(|known| known.valid);
            context.case("enforce_check").fact("starts", is("ENFORCED") && !was)
        }
        "SECONDARY_ENGINE" | "COMMENT" => context.case("comment"),
        "ENGINE_ATTRIBUTE" | "SECONDARY_ENGINE_ATTRIBUTE" => context.case("engine_attribute"),
        _ => context.case("table_option"),
    };
    vec![one]
}

/// Whether InnoDB refuses the format: only compressed rows have a page size, which is a power of two.
///
/// Source: MySQL manual, InnoDB Row Formats and `innodb_strict_mode`; executed.
fn is_refused_format(context: &Context<'_>) -> bool {
    if context.other_engine() {
        return false;
    }
    let option = |wanted: &str| {
        let mut values = context.changes.iter().filter_map(|located| match &located.change {
            Change::TableOption { name, value, .. } if name == wanted => value.as_deref(),
            _ => None,
        });
        values.next_back()
    };
    let known = context.known.and_then(|known| known.storage.key_block_size);
    let size = option("KEY_BLOCK_SIZE").map_or(known, |size| size.parse().ok()).unwrap_or(0);
    let format = option("ROW_FORMAT").map(str::to_ascii_uppercase);
    let other = format
        .as_deref()
        .is_some_and(|format| matches!(format, "DYNAMIC" | "COMPACT" | "REDUNDANT") && size != 0);
    other || format.as_deref() == Some("FIXED") || !matches!(size, 0 | 1 | 2 | 4 | 8 | 16)
}

/// Whether both columns of a period, `p (s, e)`, are days or moments of one type, or not known.
fn is_of_times(period: Option<&str>, context: &Context<'_>) -> bool {
    let inside = period.and_then(|text| text.split_once('(')).map(|(_, columns)| columns);
    let names = inside.unwrap_or_default().trim_end_matches(')').split(',').map(str::trim);
    let written = |name: &str| {
        let added = context.changes.iter().find_map(|located| match &located.change {
            Change::AddColumn { column, .. } if context.same(&column.name, name) => {
                Some(column.data_type.as_str())
            }
            _ => None,
        });
        added.or_else(|| Some(context.column(name)?.data_type.as_str()))
    };
    let types: Vec<_> = names.filter_map(written).map(str::to_ascii_lowercase).collect();
    let is_time = |text: &String| {
        ["date", "datetime", "timestamp"].contains(&text.split('(').next().unwrap_or_default())
    };
    types.iter().all(is_time) && types.windows(2).all(|pair| pair.first() == pair.last())
}

/// Kinds that touch no file of any engine.
pub(super) fn is_metadata(kind: &str) -> bool {
    matches!(
        kind,
        "rename_column"
            | "column_default"
            | "modify_column"
            | "comment"
            | "table_option"
            | "rename_index"
            | "index_visibility"
            | "column_visibility"
            | "rename_table"
            | "keys"
            | "move_column_nowhere"
    )
}

/// CONVERT TO CHARACTER SET: a case for each column that changes, and the table's default.
fn convert(value: &str, context: &Context<'_>) -> Vec<Case> {
    let (charset, collation) = match value.split_once(" COLLATE ") {
        Some((charset, collation)) => (charset, Some(collation)),
        None => (value, None),
    };
    let charset = Some(charset).filter(|name| !name.eq_ignore_ascii_case("default"));
    let mut cases = vec![context.case("convert")];
    let Some(known) = context.known.filter(|known| !known.columns.is_empty()) else {
        return vec![context.case("convert").fact("unknown", true)];
    };
    let to = charset::with(charset, collation, &known.storage, context.server);
    cases.extend(known.columns.iter().filter_map(|column| types::convert(column, &to, context)));
    cases
}

/// A statement that asks for an algorithm and for nothing else: MySQL writes the table anew when it is to copy.
pub(super) fn demand(context: &Context<'_>) -> Vec<Case> {
    let only =
        context.changes.iter().all(|located| matches!(located.change, Change::Demand { .. }));
    let first = context
        .changes
        .first()
        .is_some_and(|located| matches!(located.change, Change::Demand { .. }));
    if only && first { vec![context.case("nothing")] } else { Vec::new() }
}

/// OPTIMIZE, ANALYZE, CHECK, REPAIR TABLE, LOCK TABLES, triggers, and short clauses by their words.
pub(super) fn upkeep(what: &str, context: &Context<'_>) -> Case {
    let upper = what.to_ascii_uppercase();
    let words: Vec<_> = upper.split_whitespace().take(2).collect();
    let kind = match words.as_slice() {
        ["OPTIMIZE", ..] => "optimize_table",
        ["ANALYZE", ..] => "analyze_table",
        ["CHECK", ..] => "check_table",
        ["CHECKSUM", ..] => "checksum_table",
        ["REPAIR", ..] => "repair_table",
        ["LOCK", ..] => {
            let case = context.case("lock_table");
            return case.fact("read", upper.ends_with("READ"));
        }
        ["CREATE" | "DROP", "TRIGGER"] => "trigger",
        ["ALTER", "INDEX" | "KEY"] => {
            let ignored = upper.ends_with("IGNORED");
            return context.case("index_visibility").fact("ignored", ignored);
        }
        ["ALTER", ..] => "column_visibility",
        _ => "comment",
    };
    context.case(kind)
}
