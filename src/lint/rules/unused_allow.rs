//! Comments that silence nothing. `allow.rs` finds them: no change is asked about.

use super::{Check, Rule};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "unused-allow",
    data: include_str!("../../../lints/unused-allow.toml"),
    judges_generated: false,
    check: Check::Elsewhere,
};
