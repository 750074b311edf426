//! The rules: one file each.

mod add_column_rewrites;
mod added_in_contract;
mod backfill_without_verify;
mod change_type;
mod changed_default;
mod char_type;
mod charset_utf8mb3;
mod concurrently_in_transaction;
mod constraint_builds_index;
mod constraint_validates;
mod detach_not_concurrent;
mod drop_index_blocks;
mod drop_outside_contract;
mod dropped_constraint;
mod engine_myisam;
mod float_money;
mod foreign_key_type;
mod foreign_key_without_index;
mod identifier_too_long;
mod implicit_commit;
mod index_not_concurrent;
mod inline_reference;
mod insert_without_columns;
mod json_type;
mod lock_table;
mod locks_together;
mod long_lock;
mod missing_primary_key;
mod mixed_clauses;
mod moved_column;
mod new_constraint;
mod nobody_tolerates;
mod not_null_without_default;
mod not_understood;
mod phase_left_open;
mod primary_key_int;
mod redundant_index;
mod rename_column;
mod rename_enum_value;
mod rename_object;
mod rename_table;
mod replaced_function;
mod replaced_view;
mod reserved_word;
mod result_shape;
mod serial_type;
mod set_not_null;
mod slow_after_lock;
mod timestamp_without_time_zone;
mod trigger_change;
mod truncate_table;
mod unbatched_dml;
pub(super) mod unused_allow;
mod validate_with_add;
mod without_rollback;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::about::About;
pub(super) use super::ask::{Check, FileSubject, Object, Placed, Report, Subject};
use super::finding::Severity;

/// Every rule, in alphabetical order.
pub(crate) const ALL: &[Rule] = &[
    add_column_rewrites::RULE,
    added_in_contract::RULE,
    backfill_without_verify::RULE,
    change_type::RULE,
    changed_default::RULE,
    char_type::RULE,
    charset_utf8mb3::RULE,
    concurrently_in_transaction::RULE,
    constraint_builds_index::RULE,
    constraint_validates::RULE,
    detach_not_concurrent::RULE,
    drop_index_blocks::RULE,
    drop_outside_contract::RULE,
    dropped_constraint::RULE,
    engine_myisam::RULE,
    float_money::RULE,
    foreign_key_type::RULE,
    foreign_key_without_index::RULE,
    identifier_too_long::RULE,
    implicit_commit::RULE,
    index_not_concurrent::RULE,
    inline_reference::RULE,
    insert_without_columns::RULE,
    json_type::RULE,
    lock_table::RULE,
    locks_together::RULE,
    long_lock::RULE,
    missing_primary_key::RULE,
    mixed_clauses::RULE,
    moved_column::RULE,
    new_constraint::RULE,
    nobody_tolerates::RULE,
    not_null_without_default::RULE,
    not_understood::RULE,
    phase_left_open::RULE,
    primary_key_int::RULE,
    redundant_index::RULE,
    rename_column::RULE,
    rename_enum_value::RULE,
    rename_object::RULE,
    rename_table::RULE,
    replaced_function::RULE,
    replaced_view::RULE,
    reserved_word::RULE,
    result_shape::RULE,
    serial_type::RULE,
    set_not_null::RULE,
    slow_after_lock::RULE,
    timestamp_without_time_zone::RULE,
    trigger_change::RULE,
    truncate_table::RULE,
    unbatched_dml::RULE,
    unused_allow::RULE,
    validate_with_add::RULE,
    without_rollback::RULE,
];

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// As people write it: `rename-column`.
    pub(crate) id: &'static str,
    /// `lints/ID.toml`.
    data: &'static str,
    /// Whether it also judges statements that zdm writes.
    pub(super) judges_generated: bool,
    /// How it is asked.
    pub(super) check: Check,
}

impl Rule {
    /// What its data file says; empty if that cannot be read, which a test excludes.
    pub(crate) fn about(&self) -> &'static About {
        static ABOUT: LazyLock<BTreeMap<&str, About>> = LazyLock::new(|| {
            ALL.iter()
                .map(|rule| (rule.id, toml::from_str(rule.data).unwrap_or_default()))
                .collect()
        });
        static NONE: LazyLock<About> = LazyLock::new(About::default);
        ABOUT.get(self.id).unwrap_or(&NONE)
    }
}

/// Every rule with what its data file says.
pub(super) fn known() -> &'static [(&'static Rule, &'static About)] {
    static KNOWN: LazyLock<Vec<(&Rule, &About)>> =
        LazyLock::new(|| ALL.iter().map(|rule| (rule, rule.about())).collect());
    &KNOWN
}

/// The rule of that id.
pub(crate) fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id)
}

/// How bad a rule's findings are, `[lint.rules]` applied; `None` when it is switched off.
pub(super) fn severity(
    rule: &Rule,
    severities: &BTreeMap<String, Option<Severity>>,
) -> Option<Severity> {
    severities.get(rule.id).copied().unwrap_or_else(|| rule.about().severity())
}

/// In words, that there is no such rule, and which comes nearest.
pub(crate) fn unknown(id: &str) -> String {
    let near = ALL.iter().map(|rule| (strsim::osa_distance(id, rule.id), rule.id)).min();
    match near {
        Some((distance, near)) if distance <= 3 => {
            format!("there is no rule \"{id}\" (\"{near}\"?)")
        }
        _ => format!("there is no rule \"{id}\""),
    }
}

#[cfg(test)]
mod tests;
