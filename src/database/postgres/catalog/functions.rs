//! Functions that use a table: the server records nothing of a body that is text, so the text is searched for names.

use std::collections::BTreeSet;

use super::Reading;
use super::dependents::add;
use crate::database::error::DbError;
use crate::sql::catalog::Table;

/// The functions of users, with the tables on which they serve a trigger.
const FUNCTIONS: &str = "SELECT p.proname, p.prosrc, t.tgrelid FROM pg_proc p \
    JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang \
    LEFT JOIN pg_trigger t ON t.tgfoid = p.oid AND NOT t.tgisinternal \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'zdm') AND l.lanname NOT IN ('internal', 'c') \
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') \
    ORDER BY p.proname";

/// A function whose text names the table, or that serves a trigger on it, uses the columns that its text names; if it
/// names none, how it uses the table cannot be seen.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    for row in reading.conn.query(FUNCTIONS, &[]).await? {
        let title = format!("function \"{}\"", row.text(0)?);
        let source = row.text(1)?.to_lowercase();
        let words: BTreeSet<&str> = words(&source).collect();
        let trigger_of = row.opt_int(2)?;
        for (oid, (name, table)) in &mut reading.tables {
            if trigger_of == Some(*oid) || words.contains(name.name.to_lowercase().as_str()) {
                found(table, &title, &words);
            }
        }
    }
    Ok(())
}

fn found(table: &mut Table, title: &str, words: &BTreeSet<&str>) {
    let used = table.columns.iter().map(|column| &column.name);
    let used: Vec<String> =
        used.filter(|name| words.contains(name.to_lowercase().as_str())).cloned().collect();
    if used.is_empty() {
        add(&mut table.dependents, title.to_owned(), None);
    }
    for column in used {
        add(&mut table.dependents, title.to_owned(), Some(column));
    }
}

/// Names, quoted or not; a name with a blank in it is missed.
fn words(source: &str) -> impl Iterator<Item = &str> {
    source
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .filter(|word| !word.is_empty())
}
