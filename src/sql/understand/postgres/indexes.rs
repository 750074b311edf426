//! ALTER INDEX.

use super::{one, words};
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::Change;
use crate::sql::understand::reader::Reader;

/// Behind ALTER INDEX. An index is found in the catalog: the statement does not name its table.
pub(super) fn alter(mut rest: Reader<'_>) -> Option<Vec<Change>> {
    if rest.eat("ALL IN TABLESPACE") {
        return None;
    }
    let _exists: bool = rest.eat("IF EXISTS");
    let index = rest.table()?;
    if rest.eat("RENAME TO") {
        let to = rest.name()?;
        return Some(vec![Change::RenameIndex { table: None, index: index.name, to }]);
    }
    let what = words("ALTER INDEX", &index);
    let act = if rest.eat("ATTACH PARTITION") {
        let text = rest.table()?.name;
        Act { text, ..Act::new("attach_index", what) }
    } else {
        let mark = match rest.words(2).iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["SET", "TABLESPACE"] => "tablespace",
            ["ALTER", _] => "statistics",
            ["SET" | "RESET", ..] => "options",
            ["DEPENDS", ..] | ["NO", "DEPENDS"] => "depends",
            _ => return None,
        };
        Act::new("alter_index", what).mark(mark, true)
    };
    Some(one(act.about(TableName { ..index })))
}
