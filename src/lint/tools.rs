//! Marks of other tools in their files.

/// Whether the tool for which a file is written runs all of it in one transaction, as far as the file shows whose it is.
pub(super) fn wraps_in_a_transaction(text: &str) -> bool {
    let mut wrapped = false;
    for line in text.lines() {
        let Some(mark) = line.trim_start().strip_prefix("--").map(str::trim_start) else {
            continue;
        };
        let goose = mark.strip_prefix("+goose").or_else(|| mark.strip_prefix("+micrate"));
        if let Some(word) = goose.map(str::trim) {
            if word.eq_ignore_ascii_case("NO TRANSACTION") {
                return false;
            }
            wrapped |= word.eq_ignore_ascii_case("Up");
        }
        // sql-migrate, dbmate.
        if let Some(options) = mark.strip_prefix("+migrate Up") {
            wrapped |= !options.contains("notransaction");
        }
        if let Some(options) = mark.strip_prefix("migrate:up") {
            wrapped |= !options.contains("transaction:false");
        }
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::wraps_in_a_transaction as wraps;

    #[test]
    fn a_tool_that_marks_its_files_says_whether_they_are_one_transaction() {
        assert!(wraps("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;"));
        assert!(!wraps("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;"));
        assert!(wraps("-- migrate:up\nSELECT 1"));
        assert!(!wraps("-- migrate:up transaction:false\nSELECT 1"));
        assert!(!wraps("-- +migrate Up notransaction\nSELECT 1"));
        assert!(!wraps("SELECT 1"));
    }
}
