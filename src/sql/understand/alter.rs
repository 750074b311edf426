//! ALTER TABLE: each clause is read for itself, so that one that is not understood hides no other.

use std::collections::BTreeSet;

use sqlparser::ast::{AlterColumnOperation, AlterTableOperation, RenameTableNameKind};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::column::{column, constraint, default};
use super::reader::Reader;
use super::{Clause, clauses, loose, mysql, opaque, postgres, postgres_alter, unread};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::change::{Change, ColumnDef};
use crate::sql::tokens::Lexeme;

/// The changes of an ALTER TABLE with their clauses; `None` when the statement is another.
pub(super) fn alter_table(mut reader: Reader<'_>) -> Option<Vec<Clause>> {
    reader.eat("ALTER").then_some(())?;
    if reader.engine == Engine::Postgres
        && let Some(moves) = postgres::whole_tablespace(reader)
    {
        return Some(vec![(moves, None)]);
    }
    let mut online = reader.eat("ONLINE");
    let _ignore: bool = reader.eat("IGNORE");
    online |= reader.eat("ONLINE");
    reader.eat("TABLE").then_some(())?;
    let _exists: bool = reader.eat("IF EXISTS");
    let _only: bool = reader.eat("ONLY");
    let Some(table) = reader.table() else {
        return Some(vec![(opaque("it does not name a table"), None)]);
    };
    let _descendants: bool = reader.eat_token(&Token::Mul);
    // MariaDB: how long it waits for its lock.
    if reader.eat("WAIT") {
        reader.skip();
    } else {
        let _no_wait: bool = reader.eat("NOWAIT");
    }
    if reader.engine.is_mysql_family() && reader.is_empty() {
        return Some(vec![(Change::Harmless, None)]);
    }
    let parts =
        if reader.engine.is_mysql_family() { mysql::clauses(reader) } else { reader.parts() };
    let changes = parts.into_iter().flat_map(|part| {
        let bytes = part.bytes();
        clause(part, &table).into_iter().map(move |change| (change, Some(bytes)))
    });
    // MariaDB's ALTER ONLINE TABLE is LOCK=NONE; MySQL does not know it.
    let unknown = (reader.engine == Engine::MySql).then(|| "ONLINE".to_owned());
    let lock = Some("NONE".to_owned());
    let asks = Change::Demand { table: table.clone(), algorithm: unknown, lock };
    Some(changes.chain(online.then_some((asks, None))).collect())
}

/// What a clause says besides what it does, and whether the statement is about the table ONLY.
pub(super) fn marks(reader: Reader<'_>, (start, end): (usize, usize)) -> BTreeSet<&'static str> {
    let within = |lexeme: &&Lexeme| lexeme.start >= start && lexeme.end <= end;
    let words: Vec<_> = reader.rest.iter().filter(within).filter_map(Lexeme::word).collect();
    let has = |phrase: &[&str]| words.windows(phrase.len()).any(|found| found == phrase);
    if reader.engine.is_mysql_family() {
        let from = reader.rest.partition_point(|lexeme| lexeme.start < start);
        let (head, clause) = reader.rest.split_at(from);
        let to = clause.partition_point(|lexeme| lexeme.end <= end);
        let clause = Reader { rest: clause.get(..to).unwrap_or_default(), ..reader };
        let first = reader.rest.iter().position(|lexeme| lexeme.is_word("TABLE"));
        // Behind the table's name.
        let names = first.map_or(0, |first| first + 2).min(head.len());
        let until = (names + 4).min(head.len());
        let mut marks = mysql::marks(head.get(names..until).unwrap_or_default(), clause);
        if head.iter().take(3).any(|lexeme| lexeme.is_word("IGNORE")) {
            marks.extend(["of-mariadb", "ignore"]);
        }
        if has(&["IF", "EXISTS"]) || has(&["IF", "NOT", "EXISTS"]) {
            marks.insert("if-exists");
        }
        return marks;
    }
    let said = [
        ("add", words.first().is_some_and(|first| first == "ADD")),
        ("cascade", words.last().is_some_and(|last| last == "CASCADE")),
        ("no-inherit", has(&["NO", "INHERIT"])),
        ("not-valid", has(&["NOT", "VALID"])),
        ("not-enforced", has(&["NOT", "ENFORCED"])),
        ("default-null", has(&["DEFAULT", "NULL"])),
        ("storage", has(&["STORAGE"])),
        ("compression", has(&["COMPRESSION"])),
        ("nulls-not-distinct", has(&["NULLS", "NOT", "DISTINCT"])),
        ("statistics-default", has(&["STATISTICS", "DEFAULT"])),
        ("access-default", has(&["METHOD", "DEFAULT"])),
        ("if-exists", reader.rest.get(2).is_some_and(|third| third.is_word("IF"))),
        ("only", reader.rest.iter().take(5).any(|lexeme| lexeme.is_word("ONLY"))),
    ];
    said.into_iter().filter(|(_, holds)| *holds).map(|(mark, _)| mark).collect()
}

/// What one clause does: by sqlparser, by its words, or by sqlparser without the words that it does not know.
fn clause(part: Reader<'_>, table: &TableName) -> Vec<Change> {
    if part.is_empty() {
        return vec![opaque("a clause is empty")];
    }
    if part.engine.is_mysql_family() {
        return mysql::clause(part, table)
            .or_else(|| loose::column_clause(part, table))
            .unwrap_or_else(|| vec![not_read(part)]);
    }
    postgres_alter::by_words(part, table)
        .or_else(|| by_parser(part, table))
        .or_else(|| virtual_column(part, table))
        .or_else(|| clauses::by_words(part, table))
        .or_else(|| {
            let known = clauses::without_unknown_words(part);
            by_parser(Reader { rest: &known.rest, ..part }, table).map(|mut changes| {
                for change in &mut changes {
                    known.mark(change);
                }
                changes
            })
        })
        .or_else(|| loose::column_clause(part, table))
        .unwrap_or_else(|| vec![not_read(part)])
}

fn not_read(part: Reader<'_>) -> Change {
    unread(part, format!("`{}` is not read", short(part.text())))
}

/// Its first words.
fn short(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// PostgreSQL 18: a column that is computed when it is read, of which sqlparser knows nothing.
fn virtual_column(part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    let words = postgres_alter::as_stored(part)?;
    let mut changes = by_parser(Reader { rest: &words, ..part }, table)?;
    for change in &mut changes {
        if let Change::AddColumn { column, .. } = change
            && let Some(generated) = &mut column.generated
        {
            *generated = generated.replace(" STORED", " VIRTUAL");
        }
    }
    Some(changes)
}

fn by_parser(part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    lower(part, table, part.parse(Parser::parse_alter_table_operation)?)
}

/// A clause that sqlparser has read; `None` where its tree says less than the words do.
fn lower(
    part: Reader<'_>,
    table: &TableName,
    operation: AlterTableOperation,
) -> Option<Vec<Change>> {
    use AlterTableOperation as Op;
    let name = |ident| part.ident(ident);
    let table = table.clone();
    let one = match operation {
        Op::AddColumn { column_def, if_not_exists, .. } => {
            let (column, beside) = column(part, &table, &column_def);
            let mut changes = vec![Change::AddColumn { table, column, if_not_exists }];
            changes.extend(beside);
            return Some(changes);
        }
        Op::AddConstraint { constraint: parsed, not_valid } => {
            constraint(part, &table, &parsed, not_valid)
        }
        Op::DropColumn { column_names, if_exists, .. } => {
            let drop = |column| Change::DropColumn {
                table: table.clone(),
                column: name(column),
                if_exists,
            };
            return Some(column_names.iter().map(drop).collect());
        }
        Op::DropConstraint { name: constraint, .. }
        | Op::DropForeignKey { name: constraint, .. } => {
            Change::DropConstraint { table, constraint: name(&constraint) }
        }
        Op::DropIndex { name: index } => Change::DropIndex {
            table: Some(table),
            index: name(&index),
            concurrently: false,
            if_exists: false,
        },
        Op::RenameColumn { old_column_name, new_column_name } => Change::RenameColumn {
            table,
            column: name(&old_column_name),
            to: name(&new_column_name),
        },
        Op::RenameTable {
            table_name: RenameTableNameKind::To(to) | RenameTableNameKind::As(to),
        } => Change::RenameTable { to: beside(part.object(&to), &table), table },
        Op::RenameConstraint { old_name, new_name } => {
            Change::RenameConstraint { table, constraint: name(&old_name), to: name(&new_name) }
        }
        Op::AlterColumn { column_name, op } => alter_column(table, name(&column_name), op, part),
        Op::ValidateConstraint { name: constraint } => {
            Change::ValidateConstraint { table, constraint: name(&constraint) }
        }
        Op::SetLogged | Op::SetUnlogged => Change::Rebuild { table, what: part.line() },
        Op::DisableRowLevelSecurity
        | Op::EnableRowLevelSecurity
        | Op::ForceRowLevelSecurity
        | Op::NoForceRowLevelSecurity
        | Op::DisableRule { .. }
        | Op::DisableTrigger { .. }
        | Op::EnableRule { .. }
        | Op::EnableTrigger { .. }
        | Op::EnableAlwaysRule { .. }
        | Op::EnableAlwaysTrigger { .. }
        | Op::EnableReplicaRule { .. }
        | Op::EnableReplicaTrigger { .. }
        | Op::ReplicaIdentity { .. }
        | Op::OwnerTo { .. }
        | Op::AutoIncrement { .. }
        | Op::SetOptionsParens { .. } => Change::TableSetting { table, what: part.line() },
        _ => return None,
    };
    Some(vec![one])
}

fn alter_column(
    table: TableName,
    column: String,
    op: AlterColumnOperation,
    part: Reader<'_>,
) -> Change {
    match op {
        AlterColumnOperation::SetNotNull => Change::SetNotNull { table, column },
        AlterColumnOperation::DropNotNull => Change::DropNotNull { table, column },
        AlterColumnOperation::SetDefault { value } => {
            Change::SetDefault { table, column, default: default(&value) }
        }
        AlterColumnOperation::DropDefault => Change::SetDefault { table, column, default: None },
        AlterColumnOperation::SetDataType { data_type, using, .. } => {
            let to = ColumnDef {
                name: column.clone(),
                data_type: data_type.to_string(),
                ..ColumnDef::default()
            };
            Change::ChangeType { table, column, to, using: using.map(|using| using.to_string()) }
        }
        AlterColumnOperation::AddGenerated { .. } => {
            Change::TableSetting { table, what: part.line() }
        }
    }
}

/// PostgreSQL: a table is renamed within its schema.
pub(super) fn beside(to: TableName, table: &TableName) -> TableName {
    TableName { schema: to.schema.or_else(|| table.schema.clone()), ..to }
}
