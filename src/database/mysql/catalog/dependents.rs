//! What uses columns: triggers, views, procedures, functions, events, generated columns. The servers record nothing of
//! it, so texts are searched for names.

use super::Reading;
use crate::database::error::DbError;
use crate::database::mentions::Mentions;
use crate::sql::catalog::{Dependent, Table, Trigger};
use crate::sql::quote;

/// A text of the database's, and the table on which it acts when it is a trigger's.
struct Text {
    title: String,
    /// None: this role may not see it.
    body: Option<String>,
    table: Option<String>,
}

/// The servers write the database before each table of a view: its name must not be taken for a column's.
const TEXTS: &str = r"
    SELECT 'view', TABLE_NAME, REPLACE(VIEW_DEFINITION, CONCAT('`', DATABASE(), '`.'), '')
    FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()
    UNION ALL SELECT LOWER(ROUTINE_TYPE), ROUTINE_NAME, ROUTINE_DEFINITION FROM information_schema.ROUTINES
    WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME NOT LIKE 'zdm\_%'
    UNION ALL SELECT 'event', EVENT_NAME, EVENT_DEFINITION FROM information_schema.EVENTS
    WHERE EVENT_SCHEMA = DATABASE()";

const TRIGGERS: &str = r"
    SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT
    FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME NOT LIKE 'zdm\_%' ORDER BY 1, 2";

/// Reads them all, without zdm's own.
pub(super) async fn read(reading: &mut Reading<'_>) -> Result<(), DbError> {
    let mut texts = triggers(reading).await?;
    for row in reading.conn.query(TEXTS, &[]).await? {
        let title = format!("{} \"{}\"", row.text(0)?, row.text(1)?);
        let body = row.opt_text(2)?.filter(|text| !text.is_empty());
        let body = if row.text(0)? == "view" { body.map(|text| used_names(&text)) } else { body };
        texts.push(Text { title, body, table: None });
    }
    for (name, found) in &mut reading.tables {
        let name = name.to_lowercase();
        for text in
            texts.iter().filter(|text| text.title.to_lowercase() != format!("view \"{name}\""))
        {
            uses(&mut found.table, &name, text);
        }
        generated(reading.engine, &mut found.table);
    }
    Ok(())
}

/// A view's text without the names that it gives to its own columns: the servers write each as `` AS `name` ``.
fn used_names(view: &str) -> String {
    let mut pieces = view.split(" AS `");
    let mut used = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // A doubled quote stands for one in the name.
        let mut rest = piece;
        while let Some((_, after)) = rest.split_once('`') {
            let Some(behind) = after.strip_prefix('`') else {
                used.push_str(after);
                break;
            };
            rest = behind;
        }
    }
    used
}

/// The triggers of the tables read, and the texts of all in the database: a trigger may write to another table.
async fn triggers(reading: &mut Reading<'_>) -> Result<Vec<Text>, DbError> {
    let mut texts = Vec::new();
    for row in reading.conn.query(TRIGGERS, &[]).await? {
        let (table, name) = (row.text(0)?, row.text(1)?);
        let title = format!("trigger \"{name}\"");
        let fires = format!("{} {}", row.text(2)?, row.text(3)?);
        if let Some(found) = reading.table(&table) {
            found.triggers.push(Trigger { name, fires, function: None });
        }
        texts.push(Text { title, body: row.opt_text(4)?, table: Some(table) });
    }
    Ok(texts)
}

/// A text that names the table uses the columns that it names; if it names none, or cannot be seen, how it uses the
/// table cannot be seen either.
fn uses(table: &mut Table, name: &str, text: &Text) {
    let is_own = text.table.as_ref().is_some_and(|table| table.to_lowercase() == name);
    let Some(body) = text.body.as_deref().map(Mentions::of) else {
        table.dependents.push(Dependent { title: text.title.clone(), columns: Vec::new() });
        return;
    };
    if !is_own && !body.has(name) {
        return;
    }
    let names = table.columns.iter().map(|column| &column.name);
    let columns: Vec<_> = names.filter(|name| body.has(name)).cloned().collect();
    // A table's own trigger that names no column uses none.
    if !columns.is_empty() || !is_own {
        table.dependents.push(Dependent { title: text.title.clone(), columns });
    }
}

fn generated(engine: crate::model::server::Engine, table: &mut Table) {
    let mut found = Vec::new();
    for column in &table.columns {
        let Some(expression) = &column.generated else { continue };
        let names = table.columns.iter().map(|column| &column.name);
        let columns =
            names.filter(|name| expression.contains(&quote::ident(engine, name))).cloned();
        let title = format!("generated column \"{}\"", column.name);
        found.push(Dependent { title, columns: columns.collect() });
    }
    table.dependents.extend(found);
}

#[cfg(test)]
mod tests {
    use super::used_names;

    #[test]
    fn the_names_that_a_view_gives_are_not_names_that_it_uses() {
        let view = "select `users`.`title` AS `name`,`users`.`id` AS `a``b` from `users` where `users`.`mail` = 'x'";
        assert_eq!(
            used_names(view),
            "select `users`.`title`,`users`.`id` from `users` where `users`.`mail` = 'x'"
        );
    }
}
