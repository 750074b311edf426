//! What is wrong with zdm's own state: parts of it that are gone, a copy of another database, a run that died.

use super::finding::{Finding, Kind, Remedy};

/// A part of zdm's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// What it is.
    pub(crate) kind: PartKind,
    /// Its name, without zdm's prefix; of a row: its table's.
    pub(crate) name: String,
    /// The statements that make it.
    pub(crate) making: Vec<String>,
    /// Whether it is there.
    pub(crate) there: bool,
}

/// What a part is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PartKind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A function or procedure.
    Routine,
    /// A trigger.
    Trigger,
    /// The one row of a table that holds a lock.
    Row,
}

/// The parts that are gone. What held the history cannot be made again: an empty journal would let everything run twice.
pub(crate) fn parts(parts: &[Part]) -> Vec<Finding> {
    let gone = parts.iter().filter(|part| !part.there);
    let told = gone.map(|part| {
        let (what, means) = match part.kind {
            PartKind::Table => {
                let message = format!("table \"{}\" of zdm's state is not there", part.name);
                let way_out = "It held a part of what has run here: bring it back from the same backup as the rest of the \
                               database. zdm does not make it anew, as with an empty journal everything would run again.";
                return Finding::new(Kind::State, message, way_out);
            }
            PartKind::Index => ("index", "zdm's own queries are slow"),
            PartKind::Routine => ("function", "applications that call it get an error, and stop serving when their leases end"),
            PartKind::Trigger => ("trigger", "events could be changed and deleted"),
            PartKind::Row => ("the lock row of table", "no command that changes something can run"),
        };
        let message = format!("{what} \"{}\" of zdm's state is not there: {means}", part.name);
        let name = format!("{what} \"{}\"", part.name);
        let remedy = Remedy::State { name, statements: part.making.clone() };
        let way_out = "zdm doctor --apply state makes it again; then give any command that changes something (zdm expand), \
                       which also grants the rights on functions again.";
        Finding::new(Kind::State, message, way_out).with(remedy)
    });
    told.collect()
}

/// The state came from another database.
pub(crate) fn copy(differences: &[String]) -> Finding {
    let message =
        format!("the state in this database belongs to another one: {}", differences.join("; "));
    let way_out = "Either the address is not the one you meant; or this is a restored or cloned database, or its server has \
                   moved. If it shall live on by itself: zdm doctor --apply adopt. Nothing that has run is forgotten by that; \
                   no other database may go on with the same state under this name.";
    Finding::new(Kind::Copy, message, way_out).with(Remedy::Adopt)
}

/// A run that ended without giving its lock back.
pub(crate) fn dead_run(owner: &str) -> Finding {
    let message = format!("a run ended without giving its lock back: {owner}");
    let way_out = "It was killed, or lost its server. Give the same command again: it takes the lock over and goes on where \
                   that one stopped. Nothing has to be unlocked.";
    Finding::new(Kind::Run, message, way_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_held_history_is_not_made_again_and_all_else_is() {
        let part = |kind, there| Part {
            kind,
            name: "x".to_owned(),
            making: vec!["SQL".to_owned()],
            there,
        };
        let all =
            [PartKind::Table, PartKind::Index, PartKind::Routine, PartKind::Trigger, PartKind::Row];
        assert!(parts(&all.map(|kind| part(kind, true))).is_empty());
        let gone = parts(&all.map(|kind| part(kind, false)));
        let cures: Vec<_> = gone.iter().map(|finding| finding.remedy.is_some()).collect();
        assert_eq!(cures, [false, true, true, true, true]);
    }
}
