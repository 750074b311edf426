//! Texts that cannot hold every character.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;
use crate::sql::types::canonical;

pub(super) const RULE: Rule = Rule {
    id: "charset-utf8mb3",
    data: include_str!("../../../lints/charset-utf8mb3.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (table, text) = match &cx.located.change {
        Change::CreateTable { table, columns, options, temporary: false, .. } => {
            let types = columns.iter().map(|column| column.data_type.as_str());
            (table, types.chain([options.as_str()]).collect::<Vec<_>>().join(" "))
        }
        Change::AddColumn { table, column, .. } => (table, column.data_type.clone()),
        // One that is only said again was judged when it came.
        Change::ChangeType { table, column, to, .. }
            if cx.column(table, column).is_none_or(|known| {
                known.data_type != canonical(&to.data_type, cx.server.engine)
            }) =>
        {
            (table, to.data_type.clone())
        }
        // The options of a new table were seen with it.
        Change::TableOption { table, name, value: Some(value) }
            if matches!(name.as_str(), "CHARSET" | "CONVERT") && !cx.is_new(table) =>
        {
            (table, format!("charset {value}"))
        }
        _ => return Vec::new(),
    };
    let lower = text.to_ascii_lowercase().replace('=', " ");
    let words: Vec<_> = lower.split_whitespace().collect();
    let small = words.windows(2).find_map(|pair| match pair {
        ["charset" | "set", name] => {
            let name = name.trim_matches(|c: char| !c.is_alphanumeric());
            matches!(name, "utf8" | "utf8mb3" | "latin1" | "ucs2").then(|| name.to_owned())
        }
        _ => None,
    });
    let Some(small) = small else { return Vec::new() };
    let message = format!(
        "texts of table \"{}\" are {small}, which has no room for emoji and many names: an INSERT with one of them fails or \
         is cut",
        cx.show(table)
    );
    vec![Report::new(message, "Write CHARACTER SET utf8mb4")]
}
