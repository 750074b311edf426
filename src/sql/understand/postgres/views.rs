//! Views and materialized views.

use super::{behind, one, query, words};
use crate::sql::act::Act;
use crate::sql::change::Change;
use crate::sql::understand::interface;
use crate::sql::understand::reader::Reader;

/// Behind CREATE VIEW.
pub(super) fn create(mut rest: Reader<'_>, temporary: bool) -> Option<Act> {
    // PostgreSQL does not know it, CockroachDB does; a view is not called "if".
    let _exists: bool = rest.eat("IF NOT EXISTS");
    let view = rest.table()?;
    let interface = interface::of_view(rest);
    let _head: Reader<'_> = behind(&mut rest, "AS")?;
    let mut reads = query(rest);
    // A recursive view names itself.
    reads.retain(|read| read.table != view);
    let act = Act::new("create_view", words("CREATE VIEW", &view));
    let text = rest.text().to_owned();
    Some(Act { reads, interface, text, ..act.about(view).mark("temporary", temporary) })
}

/// Behind CREATE MATERIALIZED VIEW.
pub(super) fn create_materialized(mut rest: Reader<'_>) -> Option<Act> {
    let if_not_exists = rest.eat("IF NOT EXISTS");
    let view = rest.table()?;
    let interface = interface::of_view(rest);
    let _head: Reader<'_> = behind(&mut rest, "AS")?;
    let (rest, no_data) = without_data(rest);
    let act = Act::new("create_materialized_view", words("CREATE MATERIALIZED VIEW", &view));
    let act = act.mark("if-not-exists", if_not_exists).mark("no-data", no_data);
    let text = rest.text().to_owned();
    Some(Act { reads: query(rest), interface, text, ..act.about(view) })
}

/// A query without WITH [NO] DATA at its end, and whether it said NO.
pub(in crate::sql::understand) fn without_data(rest: Reader<'_>) -> (Reader<'_>, bool) {
    let ends = |words: &[&str]| {
        let from = rest.rest.len().checked_sub(words.len())?;
        let (head, tail) = rest.rest.split_at_checked(from)?;
        let same = tail.iter().zip(words).all(|(lexeme, word)| lexeme.is_word(word));
        same.then_some(Reader { rest: head, ..rest })
    };
    if let Some(head) = ends(&["WITH", "NO", "DATA"]) {
        return (head, true);
    }
    (ends(&["WITH", "DATA"]).unwrap_or(rest), false)
}

/// Behind ALTER VIEW.
pub(super) fn alter(mut rest: Reader<'_>) -> Option<Act> {
    let _exists: bool = rest.eat("IF EXISTS");
    let view = rest.table()?;
    let act = Act::new("alter_view", words("ALTER VIEW", &view)).about(view);
    Some(moved(rest, act))
}

/// RENAME TO and SET SCHEMA: the new name.
pub(super) fn moved(mut rest: Reader<'_>, act: Act) -> Act {
    let mark = if rest.eat("RENAME TO") {
        "renames"
    } else if rest.eat("SET SCHEMA") {
        "moves"
    } else {
        return act;
    };
    let text = rest.name().unwrap_or_default();
    Act { text, ..act.mark(mark, true).mark("moved", true) }
}

/// Behind ALTER MATERIALIZED VIEW.
pub(super) fn alter_materialized(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    let _exists: bool = rest.eat("IF EXISTS");
    let view = rest.table()?;
    let parts = rest.parts().into_iter().map(|part| {
        let act = Act::new("alter_materialized_view", words("ALTER MATERIALIZED VIEW", &view));
        let light = is_light(part);
        // The database's own is where it is, as a rule.
        let moves = part.words(2) == ["SET", "TABLESPACE"]
            && part.words(3) != ["SET", "TABLESPACE", "PG_DEFAULT"];
        moved(part, act.on([view.clone()]).mark("light", light).mark("tablespace", moves))
    });
    Some(parts.flat_map(one).collect())
}

/// Settings that need no more than SHARE UPDATE EXCLUSIVE.
fn is_light(part: Reader<'_>) -> bool {
    let words = part.words(3);
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["CLUSTER", "ON", ..] | ["SET", "WITHOUT", "CLUSTER"] | ["SET" | "RESET"] => true,
        ["ALTER", ..] => part.has_word("STATISTICS"),
        _ => false,
    }
}

/// Behind REFRESH.
pub(super) fn refresh(mut rest: Reader<'_>) -> Option<Act> {
    rest.eat("MATERIALIZED VIEW").then_some(())?;
    let concurrently = rest.eat("CONCURRENTLY");
    let view = rest.table()?;
    let no_data = rest.eat("WITH NO DATA");
    let act = Act::new("refresh", words("REFRESH MATERIALIZED VIEW", &view)).on([view]);
    Some(act.mark("refresh-concurrently", concurrently).mark("no-data", no_data))
}
