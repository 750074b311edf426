//! The rights that zdm's user lacks, as statements for somebody who may grant them.

use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::quote::{ident, literal, table as quoted_table};

/// A right that is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MissingRight {
    /// What zdm cannot do without it.
    pub(crate) why: String,
    /// What to run on a server of one's own.
    pub(crate) statement: String,
    /// What to run, or to do, on a managed server, whose users are no superusers; none: the same.
    pub(crate) managed: Option<String>,
}

/// What a user may do, as the catalog says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Facts {
    /// On PostgreSQL.
    Postgres(PostgresFacts),
    /// On MySQL and MariaDB.
    MySql(MySqlFacts),
}

/// What a role of PostgreSQL may do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PostgresFacts {
    /// The role whose rights count.
    pub(crate) role: String,
    /// The database.
    pub(crate) database: String,
    /// Whether it may do everything.
    pub(crate) superuser: bool,
    /// Whether it may make schemas.
    pub(crate) creates_schemas: bool,
    /// Schema zdm.
    pub(crate) state: StateSchema,
    /// The schemas of the search path in which it may not create.
    pub(crate) closed_schemas: Vec<String>,
    /// Tables whose owner the role is not, nor a member of.
    pub(crate) foreign_tables: Vec<ForeignTables>,
    /// Whether it sees other sessions' statements.
    pub(crate) sees_sessions: bool,
}

/// The schema of zdm's state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum StateSchema {
    /// It is not there.
    #[default]
    Missing,
    /// It is the role's own, or of one that it is a member of.
    Ours,
    /// It is another role's.
    Theirs(String),
}

/// Tables that belong to somebody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ForeignTables {
    /// Their owner.
    pub(crate) owner: String,
    /// Whether that is a superuser, whose membership nobody should be given.
    pub(crate) superuser: bool,
    /// Which.
    pub(crate) tables: Vec<TableName>,
}

/// What an account of MySQL or MariaDB may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MySqlFacts {
    /// MySQL or MariaDB.
    pub(crate) engine: Engine,
    /// The user's name.
    pub(crate) user: String,
    /// Its host.
    pub(crate) host: String,
    /// The database.
    pub(crate) database: String,
    /// Its rights, in capitals: on everything, and on the database.
    pub(crate) rights: Vec<String>,
    /// Its rights on everything, in capitals.
    pub(crate) global: Vec<String>,
    /// Whether the server writes a binary log, and trusts only superusers to make triggers and procedures.
    pub(crate) distrusts: bool,
}

/// Everything that is missing.
pub(crate) fn missing(facts: &Facts) -> Vec<MissingRight> {
    match facts {
        Facts::Postgres(facts) if facts.superuser => Vec::new(),
        Facts::Postgres(facts) => postgres(facts),
        Facts::MySql(facts) => mysql(facts),
    }
}

fn postgres(facts: &PostgresFacts) -> Vec<MissingRight> {
    let quoted = |name: &str| ident(Engine::Postgres, name);
    let role = quoted(&facts.role);
    let mut missing = Vec::new();
    let mut lacks = |why: String, statement: String, managed: Option<String>| {
        missing.push(MissingRight { why, statement, managed });
    };
    if facts.state == StateSchema::Missing && !facts.creates_schemas {
        lacks(
            "zdm keeps its state in a schema of its own, zdm, and may not make it".to_owned(),
            format!("GRANT CREATE ON DATABASE {} TO {role}", quoted(&facts.database)),
            Some(format!("CREATE SCHEMA zdm AUTHORIZATION {role}")),
        );
    }
    if let StateSchema::Theirs(owner) = &facts.state {
        lacks(
            format!("schema zdm belongs to role \"{owner}\""),
            format!("GRANT {} TO {role}", quoted(owner)),
            None,
        );
    }
    for schema in &facts.closed_schemas {
        lacks(
            format!("migrations make tables in schema \"{schema}\""),
            format!("GRANT USAGE, CREATE ON SCHEMA {} TO {role}", quoted(schema)),
            None,
        );
    }
    for ForeignTables { owner, superuser, tables } in &facts.foreign_tables {
        if *superuser {
            for table in tables {
                lacks(
                    format!(
                        "only its owner may change a table, and superuser \"{owner}\" owns \"{table}\""
                    ),
                    format!(
                        "ALTER TABLE {} OWNER TO {role}",
                        quoted_table(Engine::Postgres, table)
                    ),
                    None,
                );
            }
            continue;
        }
        let some: Vec<_> = tables.iter().take(3).map(|table| format!("\"{table}\"")).collect();
        let more = tables.len().saturating_sub(some.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let owner_role = quoted(owner);
        lacks(
            format!(
                "only its owner may change a table, and role \"{owner}\" owns {}{more}",
                some.join(", ")
            ),
            format!("GRANT {owner_role} TO {role}"),
            Some(format!(
                "GRANT {owner_role} TO {role}, as that role's administrator (the master user becomes that by GRANT \
                 {owner_role} TO CURRENT_USER)"
            )),
        );
    }
    if !facts.sees_sessions {
        lacks(
            "zdm names the sessions that hold a lock, and may not see other roles' sessions"
                .to_owned(),
            format!("GRANT pg_read_all_stats TO {role}"),
            Some(format!("GRANT pg_read_all_stats TO {role}, as the master user")),
        );
    }
    missing
}

/// What zdm does in a database, and the rights for it.
const NEEDED: &[(&str, &str)] = &[
    ("SELECT", "read rows"),
    ("INSERT", "write its journal"),
    ("UPDATE", "fill columns, write its journal"),
    ("DELETE", "write its journal"),
    ("CREATE", "make tables"),
    ("DROP", "drop what a migration drops"),
    ("ALTER", "change tables"),
    ("INDEX", "make indexes"),
    ("REFERENCES", "make foreign keys"),
    ("TRIGGER", "keep columns alike by triggers"),
    ("CREATE ROUTINE", "make the procedures by which applications report"),
    ("ALTER ROUTINE", "replace them"),
    ("EXECUTE", "give applications the right to call them"),
    ("LOCK TABLES", "hide a column and replace its triggers at once"),
];

fn mysql(facts: &MySqlFacts) -> Vec<MissingRight> {
    let engine = facts.engine;
    let account = format!("{}@{}", literal(engine, &facts.user), literal(engine, &facts.host));
    let has = |right: &str| {
        let all = |rights: &[String]| {
            rights.iter().any(|found| found == right || found == "ALL PRIVILEGES")
        };
        all(&facts.rights)
    };
    let lacking: Vec<_> = NEEDED.iter().filter(|(right, _)| !has(right)).collect();
    let mut missing = Vec::new();
    if !lacking.is_empty() {
        let rights: Vec<_> = lacking.iter().map(|(right, _)| *right).collect();
        let mut whys: Vec<_> = lacking.iter().map(|(_, why)| *why).collect();
        whys.dedup();
        missing.push(MissingRight {
            why: format!("zdm must {}", whys.join(", ")),
            statement: format!(
                "GRANT {} ON {}.* TO {account}",
                rights.join(", "),
                ident(engine, &facts.database)
            ),
            managed: None,
        });
    }
    let is_super = facts.global.iter().any(|right| right == "SUPER");
    if !facts.global.iter().any(|right| right == "PROCESS") {
        missing.push(MissingRight {
            why: "zdm looks who holds a lock before it asks for one, and may not see others' transactions".to_owned(),
            statement: format!("GRANT PROCESS ON *.* TO {account}"),
            managed: None,
        });
    }
    if facts.distrusts && !is_super {
        missing.push(MissingRight {
            why: "the server writes a binary log, and lets only superusers make triggers and procedures (error 1419)"
                .to_owned(),
            statement: "SET GLOBAL log_bin_trust_function_creators = 1".to_owned(),
            managed: Some("set log_bin_trust_function_creators = 1 in the server's parameter group".to_owned()),
        });
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_superuser_lacks_nothing_and_a_stranger_almost_everything() {
        let all = PostgresFacts { superuser: true, ..PostgresFacts::default() };
        assert!(missing(&Facts::Postgres(all)).is_empty());
        let stranger = PostgresFacts {
            role: "zdm".to_owned(),
            database: "shop".to_owned(),
            closed_schemas: vec!["public".to_owned()],
            foreign_tables: vec![
                ForeignTables {
                    owner: "app".to_owned(),
                    superuser: false,
                    tables: ["a", "b", "c", "d"].map(TableName::bare).to_vec(),
                },
                ForeignTables {
                    owner: "postgres".to_owned(),
                    superuser: true,
                    tables: vec![TableName::in_schema("public", "e")],
                },
            ],
            ..PostgresFacts::default()
        };
        let found = missing(&Facts::Postgres(stranger));
        let statements: Vec<_> = found.iter().map(|one| one.statement.as_str()).collect();
        assert_eq!(
            statements,
            [
                "GRANT CREATE ON DATABASE \"shop\" TO \"zdm\"",
                "GRANT USAGE, CREATE ON SCHEMA \"public\" TO \"zdm\"",
                "GRANT \"app\" TO \"zdm\"",
                "ALTER TABLE \"public\".\"e\" OWNER TO \"zdm\"",
                "GRANT pg_read_all_stats TO \"zdm\"",
            ]
        );
        assert!(found[2].why.contains("\"c\" and 1 more"), "{}", found[2].why);
        assert_eq!(found[0].managed.as_deref(), Some("CREATE SCHEMA zdm AUTHORIZATION \"zdm\""));
    }

    #[test]
    fn rights_on_a_mysql_database_are_one_statement() {
        let rights = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX"];
        let facts = MySqlFacts {
            engine: Engine::MariaDb,
            user: "zdm".to_owned(),
            host: "%".to_owned(),
            database: "shop".to_owned(),
            rights: rights.map(str::to_owned).to_vec(),
            global: vec!["PROCESS".to_owned()],
            distrusts: true,
        };
        let found = missing(&Facts::MySql(facts.clone()));
        assert_eq!(
            found[0].statement,
            "GRANT REFERENCES, TRIGGER, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, LOCK TABLES ON `shop`.* TO 'zdm'@'%'"
        );
        assert!(found[1].managed.as_deref().is_some_and(|words| words.contains("parameter group")));
        let may =
            MySqlFacts { rights: vec!["ALL PRIVILEGES".to_owned()], distrusts: false, ..facts };
        assert!(missing(&Facts::MySql(may)).is_empty());
    }
}
