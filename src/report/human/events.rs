//! What happened, as a table.

use super::table::table;
use super::time::instant;
use crate::database::state::events::StoredEvent;

/// Events as a table.
pub(crate) fn events(events: &[StoredEvent], width: usize) -> String {
    if events.is_empty() {
        return "nothing has happened yet\n".to_owned();
    }
    let row = |event: &StoredEvent| {
        vec![
            instant(event.at),
            format!("{}@{}", event.actor, event.host),
            event.migration.clone().unwrap_or_default(),
            event.message.clone(),
        ]
    };
    table(&["TIME", "WHO", "MIGRATION", "WHAT"], events.iter().map(row).collect(), width)
}
