//! Tables without lines, for lists.

use comfy_table::{Cell, ContentArrangement, Table, presets};

/// Rows under headings, no wider than `width`. Cells hold no colours: their codes would count as width.
pub(crate) fn table(headings: &[&str], rows: Vec<Vec<String>>, width: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(headings.iter().map(Cell::new));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}
