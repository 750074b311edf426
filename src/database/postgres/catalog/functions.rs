//! Functions that use a table: the server records nothing of a body that is text, so the text is searched for names.

use super::Reading;
use super::dependents::add;
use crate::database::error::DbError;
use crate::database::mentions::Mentions;
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
        let body = Mentions::of(&row.text(1)?);
        let trigger_of = row.opt_int(2)?;
        for (oid, (name, table)) in &mut reading.tables {
            if trigger_of == Some(*oid) || body.has(&name.name) {
                found(table, &title, &body);
            }
        }
    }
    Ok(())
}

fn found(table: &mut Table, title: &str, body: &Mentions) {
    let used = table.columns.iter().map(|column| &column.name);
    let used: Vec<String> = used.filter(|name| body.has(name)).cloned().collect();
    if used.is_empty() {
        add(&mut table.dependents, title.to_owned(), None);
    }
    for column in used {
        add(&mut table.dependents, title.to_owned(), Some(column));
    }
}
