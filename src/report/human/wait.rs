//! What was waited for, for people.

use crate::model::lease::Need;

/// Everything is as far as it is needed.
pub(crate) fn reached(needs: &[Need]) -> String {
    let line = |(migration, reached): &Need| format!("{migration} is {}\n", reached.as_str());
    needs.iter().map(line).collect()
}
