//! The files from which refinery makes and upgrades the state, in order.
//!
//! To add one: put `V<next>__name.sql` into `postgres/schema` or `mysql/schema` and a line into the table below; what
//! both families need gets a file in each. A released file never changes.

use crate::model::server::Engine;

/// The line that stands between two statements of a file.
const SEPARATOR: &str = "-- next";

/// PostgreSQL: each file is applied in one transaction with its row in the history.
const POSTGRES: &[(&str, &str)] = &[
    ("V1__state", include_str!("../postgres/schema/V1__state.sql")),
    ("V10__leases", include_str!("../postgres/schema/V10__leases.sql")),
    ("V11__reached", include_str!("../postgres/schema/V11__reached.sql")),
];

/// MySQL and MariaDB: each statement commits by itself, so it must be harmless when it is run again.
const MYSQL: &[(&str, &str)] = &[
    ("V1__state", include_str!("../mysql/schema/V1__state.sql")),
    ("V10__join", include_str!("../mysql/schema/V10__join.sql")),
    ("V11__renew", include_str!("../mysql/schema/V11__renew.sql")),
    ("V12__leave", include_str!("../mysql/schema/V12__leave.sql")),
    ("V13__lift", include_str!("../mysql/schema/V13__lift.sql")),
    ("V14__reached", include_str!("../mysql/schema/V14__reached.sql")),
];

/// The files of an engine: name (without `.sql`) and text.
pub(crate) fn files(engine: Engine) -> &'static [(&'static str, &'static str)] {
    if engine.is_mysql_family() { MYSQL } else { POSTGRES }
}

/// The statements of a file, in order, one text each.
pub(crate) fn statements(text: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == SEPARATOR {
            statements.push(String::new());
        } else if let Some(statement) = statements.last_mut() {
            statement.push_str(line);
            statement.push('\n');
        }
    }
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_split_at_the_separator_lines() {
        assert_eq!(
            statements("a\nb;\n-- next\nc\n-- next of kin\n"),
            ["a\nb;\n", "c\n-- next of kin\n"]
        );
        assert_eq!(statements(""), Vec::<String>::new());
    }

    #[test]
    fn every_file_of_the_folders_is_in_the_table_and_numbers_rise() {
        for (folder, files) in [("postgres", POSTGRES), ("mysql", MYSQL)] {
            let number = |name: &str| -> u32 {
                name.trim_start_matches('V').split("__").next().unwrap().parse().unwrap()
            };
            assert!(files.is_sorted_by(|a, b| number(a.0) < number(b.0)), "{folder}");
            let path = format!("{}/src/database/{folder}/schema", env!("CARGO_MANIFEST_DIR"));
            let mut there: Vec<_> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            there.sort_by_key(|name| number(name));
            let listed: Vec<_> = files.iter().map(|(name, _)| format!("{name}.sql")).collect();
            assert_eq!(there, listed, "{folder}");
        }
    }

    #[test]
    fn no_statement_ends_in_a_semicolon_and_no_file_has_a_carriage_return() {
        for (name, text) in POSTGRES.iter().chain(MYSQL) {
            assert!(!text.contains('\r'), "{name}");
            for statement in statements(text) {
                let ends_block = statement.trim_end().ends_with("END;");
                assert!(ends_block || !statement.trim_end().ends_with(';'), "{name}: {statement}");
            }
        }
    }

    #[test]
    fn every_table_of_the_mysql_family_names_its_engine_and_collation() {
        for (name, text) in MYSQL {
            for statement in statements(text) {
                let wanted = "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
                let creates = statement.contains("CREATE TABLE");
                assert!(!creates || statement.contains(wanted), "{name}: {statement}");
            }
        }
    }
}
