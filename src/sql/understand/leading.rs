//! Statements that their first words tell apart: no parser is needed for them, or none could read them.

use sqlparser::tokenizer::Token;

use super::reader::Reader;
use super::{interface, mysql, opaque, postgres, unread, values};
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::{Change, InsertShape};

/// What the statement does, when its words tell.
pub(super) fn by_words(reader: Reader<'_>) -> Option<Vec<Change>> {
    let words = reader.words(4);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let one = match words.as_slice() {
        // Queries may stand in parentheses.
        [] if reader.rest.first().is_some_and(|first| first.token == Token::LParen) => return None,
        [] => unread(reader, "it does not begin with a word of SQL"),
        [
            "ANALYZE" | "CHECK" | "CHECKSUM" | "REPAIR",
            "TABLE" | "TABLES" | "LOCAL" | "NO_WRITE_TO_BINLOG",
            ..,
        ] if reader.engine.is_mysql_family() => {
            return upkeep(reader);
        }
        [
            "FLUSH" | "KILL" | "PURGE" | "HANDLER" | "CACHE" | "HELP" | "SIGNAL" | "RESIGNAL"
            | "BINLOG",
            ..,
        ] if reader.engine.is_mysql_family() => Change::Harmless,
        ["BEGIN", "NOT", ..] => opaque("BEGIN NOT ATOMIC runs code that zdm cannot see through"),
        [first, ..] if is_harmless(first) => Change::Harmless,
        ["COMMENT", ..] => comment(reader),
        // It evaluates expressions.
        ["DO", ..] if reader.engine.is_mysql_family() => Change::Harmless,
        ["DO", ..] => opaque(postgres::CODE),
        ["CALL", ..] => opaque("CALL runs a procedure that zdm cannot see through"),
        ["EXECUTE", ..] => opaque("it runs SQL that is put together at run time"),
        ["USE", ..] => opaque("it changes to another database"),
        ["GRANT" | "REVOKE" | "REASSIGN" | "SECURITY" | "IMPORT", ..] => other(&words, 1),
        ["INSERT" | "REPLACE", ..] => return insert(reader),
        ["COPY", ..] => copy(reader)?,
        ["LOAD", "DATA" | "XML", ..] => load(reader)?,
        ["LOAD", ..] => Change::Harmless,
        ["TRUNCATE", ..] => return truncate(reader),
        ["RENAME", "TABLE" | "TABLES", ..] => return rename_tables(reader),
        ["RENAME", ..] => other(&words, 2),
        ["LOCK", ..] => return lock(reader),
        ["VACUUM" | "CLUSTER" | "REINDEX" | "REFRESH" | "OPTIMIZE", ..] => return upkeep(reader),
        ["CREATE", ..] => return create(reader),
        ["ALTER", ..] => return alter(reader),
        ["DROP", ..] => return drop(reader),
        _ => return None,
    };
    Some(vec![one])
}

/// Statements that change no table, by their first word.
fn is_harmless(word: &str) -> bool {
    matches!(
        word,
        "SET"
            | "RESET"
            | "SHOW"
            | "ANALYZE"
            | "DESCRIBE"
            | "DESC"
            | "SAVEPOINT"
            | "RELEASE"
            | "LISTEN"
            | "UNLISTEN"
            | "NOTIFY"
            | "DISCARD"
            | "CHECKPOINT"
            | "UNLOCK"
            | "BEGIN"
            | "COMMIT"
            | "ROLLBACK"
            | "END"
            | "START"
            | "CLOSE"
            | "DEALLOCATE"
            | "PREPARE"
            | "ABORT"
            | "DECLARE"
            | "FETCH"
            | "MOVE"
            | "FLUSH"
            | "KILL"
            | "PURGE"
            | "CHECKSUM"
            | "CHECK"
            | "INSTALL"
            | "UNINSTALL"
            | "SIGNAL"
            | "HELP"
            | "XA"
            | "CHANGE"
            | "STOP"
    )
}

fn other(words: &[&str], count: usize) -> Change {
    Change::Other { what: words.iter().take(count).copied().collect::<Vec<_>>().join(" ") }
}

/// Reads on to behind a word (given in upper case); false when it is not there.
fn seek(reader: &mut Reader<'_>, upper: &str) -> bool {
    while !reader.is_empty() {
        if reader.eat(upper) {
            return true;
        }
        reader.skip();
    }
    false
}

fn insert(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    let whole = reader;
    reader.skip();
    while reader.eat_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]) {}
    let _into: bool = reader.eat("INTO");
    let table = reader.table()?;
    let shape = insert_shape(reader);
    let is_mysql = reader.engine.is_mysql_family();
    if reader.eat("AS") {
        reader.skip();
    }
    let listed = if is_mysql { None } else { reader.parenthesis() };
    let columns = listed.map(|listed| listed.parts());
    let columns = columns.into_iter().flatten().filter_map(|mut part| part.name()).collect();
    let rows = if is_mysql { Vec::new() } else { values::written(reader) };
    let mut changes = vec![Change::Insert { table, shape, columns, rows }];
    if !is_mysql {
        let reads = super::reads::of_insert(whole).reads;
        if !reads.is_empty() {
            let act = Act { reads, ..Act::new("read", "its query") };
            changes.push(Change::Act(Box::new(act)));
        }
    }
    Some(changes)
}

/// What follows the table of an INSERT.
pub(super) fn insert_shape(mut reader: Reader<'_>) -> InsertShape {
    if reader.eat("AS") {
        reader.skip();
    }
    if reader.eat("PARTITION") {
        let _partitions: Option<Reader<'_>> = reader.parenthesis();
    }
    let is_query = |word: &str| matches!(word, "SELECT" | "WITH" | "TABLE");
    let group = reader.parenthesis();
    let columns = group.filter(|group| !is_query(&group.word()));
    let by_position = columns.is_none() && !matches!(reader.word().as_str(), "SET" | "DEFAULT");
    let _overriding: bool = reader.eat_any(&["OVERRIDING SYSTEM VALUE", "OVERRIDING USER VALUE"]);
    let inner = reader.parenthesis().map(|group| group.word()).unwrap_or_default();
    let queried = is_query(&reader.word())
        || is_query(&inner)
        || group.is_some_and(|group| is_query(&group.word()));
    InsertShape { unnamed: by_position, queried }
}

fn copy(mut reader: Reader<'_>) -> Option<Change> {
    reader.skip();
    if reader.parenthesis().is_some() {
        return Some(Change::Harmless);
    }
    let table = reader.table()?;
    let unnamed = reader.parenthesis().is_none();
    let shape = InsertShape { unnamed, queried: false };
    Some(if reader.eat("FROM") {
        Change::Insert { table, shape, columns: Vec::new(), rows: Vec::new() }
    } else {
        Change::Harmless
    })
}

fn load(mut reader: Reader<'_>) -> Option<Change> {
    seek(&mut reader, "INTO").then_some(())?;
    let _table: bool = reader.eat("TABLE");
    let (shape, columns) = (InsertShape::default(), Vec::new());
    Some(Change::Insert { table: reader.table()?, shape, columns, rows: Vec::new() })
}

fn comment(mut reader: Reader<'_>) -> Change {
    let what = "COMMENT ON".to_owned();
    let is_column = reader.has_word("COLUMN");
    if !reader.eat("COMMENT ON") || !reader.eat_any(&["TABLE", "COLUMN"]) {
        return Change::Harmless;
    }
    match reader.table() {
        // What was read as `schema.table` is `table.column`.
        Some(TableName { schema: Some(table), .. }) if is_column => {
            Change::TableSetting { table: TableName::bare(table), what }
        }
        Some(table) => Change::TableSetting { table, what },
        None => Change::Harmless,
    }
}

fn truncate(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    reader.skip();
    let _optional: bool = reader.eat("TABLE");
    let mut tables = Vec::new();
    loop {
        let only = reader.eat("ONLY");
        let table = reader.table()?;
        let _descendants: bool = reader.eat_token(&Token::Mul);
        tables.push((table, only));
        if !reader.eat_token(&Token::Comma) {
            break;
        }
    }
    let cascade = reader.has_word("CASCADE");
    let change = |(table, only)| Change::Truncate { table, cascade, only };
    Some(tables.into_iter().map(change).collect())
}

fn rename_tables(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    reader.skip();
    reader.skip();
    let _exists: bool = reader.eat("IF EXISTS");
    let clauseless = reader.engine.is_mysql_family();
    let parts = reader.parts();
    let renames: Option<Vec<Change>> = parts
        .into_iter()
        .map(|mut part| {
            let table = part.table()?;
            // MariaDB: WAIT n, NOWAIT.
            while !part.is_empty() && part.word() != "TO" {
                part.skip();
            }
            part.eat("TO").then_some(())?;
            let to = part.table()?;
            part.is_empty().then_some(Change::RenameTable { table, to })
        })
        .collect();
    let mut renames = renames?;
    if clauseless && let Some(table) = renames.first().and_then(Change::table).cloned() {
        renames.push(Change::Clauseless { table });
    }
    Some(renames)
}

fn lock(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    reader.skip();
    let mysql = reader.engine.is_mysql_family();
    let _optional: bool = reader.eat_any(&["TABLE", "TABLES"]);
    let mut tables = Vec::new();
    for mut part in reader.parts() {
        let _only: bool = part.eat("ONLY");
        let table = part.table()?;
        let read = part.has_word("READ");
        tables.push((table, if read && mysql { "LOCK TABLE READ" } else { "LOCK TABLE" }));
    }
    let change = |(table, what): (_, &str)| Change::TableSetting { table, what: what.into() };
    Some(tables.into_iter().map(change).collect())
}

/// What an administrator does to a table as a whole.
fn upkeep(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    let verb = reader.word();
    let concurrently = reader.has_word("CONCURRENTLY");
    let full = reader.has_word("FULL");
    reader.skip();
    let _options: Option<Reader<'_>> = reader.parenthesis();
    while reader.eat_any(&["FULL", "FREEZE", "VERBOSE", "ANALYZE", "CONCURRENTLY", "LOCAL"]) {}
    while reader.eat_any(&["NO_WRITE_TO_BINLOG", "MATERIALIZED VIEW", "CONCURRENTLY"]) {}
    if concurrently {
        return Some(vec![Change::Other { what: format!("{verb} CONCURRENTLY") }]);
    }
    if verb == "VACUUM" && !full {
        return Some(vec![Change::Harmless]);
    }
    if verb == "REINDEX" && !reader.eat("TABLE") {
        return Some(vec![opaque("REINDEX blocks tables that it does not name")]);
    }
    let mysql = reader.engine.is_mysql_family();
    let _optional: bool = mysql && reader.eat_any(&["TABLE", "TABLES"]);
    if reader.is_empty() {
        return Some(vec![opaque(format!("{verb} works on every table"))]);
    }
    let what = if verb == "VACUUM" { "VACUUM FULL".to_owned() } else { verb };
    if mysql && verb_is_light(&what) {
        let setting = |table| Change::TableSetting { table, what: format!("{what} TABLE") };
        return Some(reader.tables()?.into_iter().map(setting).collect());
    }
    let rebuild = |table| Change::Rebuild { table, what: what.clone() };
    Some(reader.tables()?.into_iter().map(rebuild).collect())
}

/// Upkeep of MySQL and MariaDB that leaves the rows where they are.
fn verb_is_light(verb: &str) -> bool {
    matches!(verb, "ANALYZE" | "CHECK" | "CHECKSUM" | "REPAIR")
}

/// CREATE of what stands beside tables. Tables and indexes are the parser's.
fn create(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    reader.skip();
    let replaces = reader.eat("OR REPLACE");
    if reader.eat("DEFINER") {
        // `= user@host`, as many tokens as it takes.
        while !reader.is_empty() && !is_object(&reader.word()) {
            reader.skip();
        }
    }
    while reader.eat_any(&["TEMPORARY", "TEMP", "LOCAL", "CONSTRAINT", "RECURSIVE", "DEFAULT"]) {}
    let aggregate = reader.eat("AGGREGATE");
    let _trusted: bool = reader.eat_any(&["TRUSTED", "PROCEDURAL"]);
    let _definer: bool = reader.eat_any(&["SQL SECURITY DEFINER", "SQL SECURITY INVOKER"]);
    if reader.engine.is_mysql_family()
        && let Some(act) = interface::made(reader)
    {
        return Some(vec![Change::Act(Box::new(act.mark("replaces", replaces)))]);
    }
    let mut words = reader.words(2);
    words.truncate(if words.first().is_some_and(|word| word == "MATERIALIZED") { 2 } else { 1 });
    let what = words.join(" ");
    match what.as_str() {
        "TRIGGER" | "POLICY" | "RULE" => Some(vec![on_table(reader, &format!("CREATE {what}"))]),
        "ALGORITHM" => Some(vec![Change::Other { what: "CREATE VIEW".into() }]),
        _ if is_object(&what) => Some(vec![Change::Other { what: format!("CREATE {what}") }]),
        _ if aggregate => Some(vec![Change::Other { what: "CREATE AGGREGATE".into() }]),
        _ => None,
    }
}

/// `... name ... ON table ...`, `CREATE RULE ... TO table`.
fn on_table(mut reader: Reader<'_>, what: &str) -> Change {
    reader.skip();
    let _exists: bool = reader.eat_any(&["IF NOT EXISTS", "IF EXISTS"]);
    let name = reader.name().unwrap_or_default();
    let what = format!("{what} {name}");
    let word = if what.starts_with("CREATE RULE") { "TO" } else { "ON" };
    if seek(&mut reader, word)
        && let Some(table) = reader.table()
    {
        return Change::TableSetting { table, what };
    }
    Change::Other { what }
}

/// Kinds of objects that stand beside tables.
fn is_object(word: &str) -> bool {
    matches!(
        word,
        "VIEW"
            | "MATERIALIZED VIEW"
            | "FUNCTION"
            | "PROCEDURE"
            | "TRIGGER"
            | "POLICY"
            | "RULE"
            | "EVENT"
            | "TYPE"
            | "DOMAIN"
            | "SEQUENCE"
            | "SCHEMA"
            | "DATABASE"
            | "EXTENSION"
            | "ROLE"
            | "USER"
            | "GROUP"
            | "COLLATION"
            | "CAST"
            | "OPERATOR"
            | "AGGREGATE"
            | "PUBLICATION"
            | "SUBSCRIPTION"
            | "SERVER"
            | "FOREIGN"
            | "STATISTICS"
            | "TABLESPACE"
            | "TEXT"
            | "LANGUAGE"
            | "CONVERSION"
            | "ACCESS"
            | "TRANSFORM"
            | "PACKAGE"
            | "ROUTINE"
    )
}

/// ALTER of what stands beside tables.
fn alter(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    reader.skip();
    let words = reader.words(2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let one = match words.as_slice() {
        ["DOMAIN", ..] if is_about_the_object(reader) => {
            Change::Other { what: "ALTER DOMAIN".into() }
        }
        ["DOMAIN", ..] => opaque("ALTER DOMAIN can read every table that uses the domain"),
        ["TYPE", ..] if reader.has_word("ATTRIBUTE") => {
            opaque("ALTER TYPE ... ATTRIBUTE can change every table that uses the type")
        }
        ["FOREIGN", "TABLE"] => opaque("ALTER FOREIGN TABLE is not read"),
        ["INDEX", ..] => return Some(vec![alter_index(reader)]),
        ["POLICY" | "TRIGGER" | "RULE", ..] => {
            on_table(reader, &format!("ALTER {}", words.first().unwrap_or(&"")))
        }
        ["MATERIALIZED", "VIEW"] => Change::Other { what: "ALTER MATERIALIZED VIEW".into() },
        ["SYSTEM" | "DEFAULT" | "LARGE" | "DEFINER" | "INSTANCE" | "PROCEDURAL", ..] => {
            Change::Other { what: format!("ALTER {}", words.first().unwrap_or(&"")) }
        }
        [word, ..] if is_object(word) => Change::Other { what: format!("ALTER {word}") },
        _ => return None,
    };
    Some(vec![one])
}

/// `... OWNER TO`, `RENAME TO`, `SET SCHEMA`: nobody who uses it is concerned.
fn is_about_the_object(mut reader: Reader<'_>) -> bool {
    reader.skip();
    reader.table().is_some() && reader.eat_any(&["OWNER TO", "RENAME", "SET SCHEMA"])
}

fn alter_index(mut reader: Reader<'_>) -> Change {
    reader.skip();
    let _exists: bool = reader.eat("IF EXISTS");
    let index = reader.table();
    match (index, reader.eat("RENAME TO"), reader.name()) {
        (Some(TableName { name, .. }), true, Some(to)) => {
            Change::RenameIndex { table: None, index: name, to }
        }
        _ => Change::Other { what: "ALTER INDEX".into() },
    }
}

fn drop(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    reader.skip();
    let temporary = reader.eat_any(&["TEMPORARY", "TEMP"]);
    if reader.eat_any(&["TABLE", "TABLES"]) {
        let if_exists = reader.eat("IF EXISTS");
        let tables = reader.tables()?;
        // Servers refuse it there, other databases do not.
        let if_exists = reader.eat("IF EXISTS") || if_exists;
        let cascade = reader.eat("CASCADE");
        let _restrict: bool = reader.eat("RESTRICT");
        // MariaDB: WAIT n, NOWAIT.
        let ends = reader.is_empty() || reader.eat_any(&["WAIT", "NOWAIT"]);
        let change = |table| {
            if temporary {
                Change::Harmless
            } else {
                Change::DropTable { table, if_exists, cascade }
            }
        };
        return ends.then(|| tables.into_iter().map(change).collect());
    }
    if reader.eat("INDEX") {
        return drop_index(reader);
    }
    if reader.engine.is_mysql_family() && reader.eat("PREPARE") {
        return Some(vec![Change::Harmless]);
    }
    if reader.engine.is_mysql_family()
        && let Some(acts) = interface::dropped(reader)
    {
        return Some(acts.into_iter().map(|act| Change::Act(Box::new(act))).collect());
    }
    let words = reader.words(2);
    let first = words.first().map(String::as_str).unwrap_or_default();
    let what = if first == "MATERIALIZED" { "MATERIALIZED VIEW" } else { first };
    let cascades = reader.rest.last().is_some_and(|last| last.is_word("CASCADE"));
    let one = match what {
        "DATABASE" => opaque("DROP DATABASE drops every table in it"),
        "SCHEMA" if reader.engine.is_mysql_family() => {
            opaque("DROP SCHEMA drops every table in it")
        }
        "OWNED" => opaque("DROP OWNED drops whatever a role owns"),
        _ if !is_object(what) => return None,
        // Nothing but other views can stand on a view.
        "VIEW" | "MATERIALIZED VIEW" => Change::Other { what: format!("DROP {what}") },
        _ if cascades => opaque(format!("DROP {what} ... CASCADE drops whatever depends on it")),
        "TRIGGER" | "POLICY" | "RULE" => on_table(reader, &format!("DROP {what}")),
        _ => Change::Other { what: format!("DROP {what}") },
    };
    Some(vec![one])
}

fn drop_index(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    if reader.engine.is_mysql_family() {
        return mysql::drop_index(reader);
    }
    let concurrently = reader.eat("CONCURRENTLY");
    let if_exists = reader.eat("IF EXISTS");
    let names = reader.tables()?;
    let _behaviour: bool = reader.eat_any(&["CASCADE", "RESTRICT"]);
    let table = if reader.eat("ON") { reader.table() } else { None };
    let change = |name: TableName| Change::DropIndex {
        table: table.clone(),
        index: name.name,
        concurrently,
        if_exists,
    };
    reader.is_empty().then(|| names.into_iter().map(change).collect())
}
