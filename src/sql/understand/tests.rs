use super::*;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::{ColumnDef, ConstraintDef, ConstraintDefKind};

/// The clauses of one statement, each with what it does.
pub(super) fn check(engine: Engine, sql: &str, expected: &[&str]) {
    let found: Vec<_> = understand(sql, Span::whole(sql), engine)
        .iter()
        .map(|located| brief(&located.change))
        .collect();
    assert_eq!(found, expected, "{engine:?}: {sql}");
}

pub(super) fn postgres(sql: &str, expected: &[&str]) {
    check(Engine::Postgres, sql, expected);
}

pub(super) fn mysql(sql: &str, expected: &[&str]) {
    check(Engine::MySql, sql, expected);
    check(Engine::MariaDb, sql, expected);
}

fn flag(set: bool, word: &str) -> String {
    if set { format!(" {word}") } else { String::new() }
}

fn def(column: &ColumnDef) -> String {
    let default =
        column.default.as_ref().map(|text| format!(" default={text}")).unwrap_or_default();
    let generated = column.generated.as_ref().map(|text| format!(" as={text}")).unwrap_or_default();
    format!(
        "{} {}{}{default}{generated}{}{}{}",
        column.name,
        column.data_type,
        flag(column.not_null, "not-null"),
        flag(column.counts, "counts"),
        flag(column.primary_key, "pk"),
        flag(column.unique, "unique"),
    )
}

fn constraint(constraint: &ConstraintDef) -> String {
    let kind = match &constraint.kind {
        ConstraintDefKind::PrimaryKey { using_index } => {
            format!("primary key{}", flag(*using_index, "using"))
        }
        ConstraintDefKind::Unique { using_index } => {
            format!("unique{}", flag(*using_index, "using"))
        }
        ConstraintDefKind::Check { expression } => format!("check {expression}"),
        ConstraintDefKind::ForeignKey { to } => format!("references {to}"),
        ConstraintDefKind::Exclusion => "exclude".into(),
    };
    let name = constraint.name.as_deref().unwrap_or("-");
    format!("{name} {kind} {:?}{}", constraint.columns, flag(constraint.not_valid, "not-valid"))
        .replace('"', "")
}

/// `kind marks about object on tables & others reads ...`.
fn brief_act(act: &Act) -> String {
    let list = |word: &str, names: Vec<String>| {
        if names.is_empty() { String::new() } else { format!(" {word} {}", names.join(" ")) }
    };
    let marks: Vec<_> = act.marks.iter().map(|mark| format!(" {mark}")).collect();
    let marks = marks.concat();
    let object = act.object.iter().map(ToString::to_string).collect();
    let reads = act.reads.iter().map(|read| {
        let by: Vec<_> = read.by.iter().map(|by| format!(" by {by}")).collect();
        format!("{}{}{}", read.table, by.concat(), flag(read.for_update, "locked"))
    });
    let reads = list("reads", reads.collect());
    let strings = |names: &[TableName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    format!(
        "{}{marks}{}{}{}{reads}",
        act.kind,
        list("about", object),
        list("on", strings(&act.tables)),
        list("&", strings(&act.others)),
    )
}

pub(in crate::sql::understand) fn brief(change: &Change) -> String {
    match change {
        Change::CreateTable { table, columns, key, if_not_exists, temporary, .. } => {
            let columns: Vec<_> = columns.iter().map(def).collect();
            let flags = flag(*if_not_exists, "if") + &flag(*temporary, "temporary");
            format!("create {table} [{}] key={key:?}{flags}", columns.join(", ")).replace('"', "")
        }
        Change::DropTable { table, if_exists, .. } => {
            format!("drop {table}{}", flag(*if_exists, "if"))
        }
        Change::RenameTable { table, to } => format!("rename {table} to {to}"),
        Change::AddColumn { table, column, if_not_exists } => {
            format!("{table} add {}{}", def(column), flag(*if_not_exists, "if"))
        }
        Change::DropColumn { table, column, if_exists } => {
            format!("{table} drop {column}{}", flag(*if_exists, "if"))
        }
        Change::RenameColumn { table, column, to } => format!("{table} rename {column} to {to}"),
        Change::ChangeType { table, column, to, using } => {
            let using = using.as_ref().map(|using| format!(" using {using}")).unwrap_or_default();
            format!("{table} type of {column}: {}{using}", def(to))
        }
        Change::SetNotNull { table, column } => format!("{table} set not null {column}"),
        Change::DropNotNull { table, column } => format!("{table} drop not null {column}"),
        Change::SetDefault { table, column, default } => {
            format!("{table} default of {column}: {}", default.as_deref().unwrap_or("-"))
        }
        Change::CreateIndex {
            table,
            index,
            columns,
            unique,
            concurrently,
            kind,
            if_not_exists,
            ..
        } => format!(
            "{table} index {} {columns:?}{}{}{}{}",
            index.as_deref().unwrap_or("-"),
            flag(*unique, "unique"),
            flag(*concurrently, "concurrently"),
            kind.as_ref().map(|kind| format!(" {kind}")).unwrap_or_default(),
            flag(*if_not_exists, "if"),
        )
        .replace('"', ""),
        Change::DropIndex { table, index, concurrently, if_exists } => format!(
            "{} drop index {index}{}{}",
            table.as_ref().map_or("-".into(), ToString::to_string),
            flag(*concurrently, "concurrently"),
            flag(*if_exists, "if"),
        ),
        Change::AddConstraint { table, constraint: added } => {
            format!("{table} add {}", constraint(added))
        }
        Change::ValidateConstraint { table, constraint } => {
            format!("{table} validate {constraint}")
        }
        Change::DropConstraint { table, constraint } => {
            format!("{table} drop constraint {constraint}")
        }
        Change::Update { table, filtered, .. } => {
            format!("update {table}{}", flag(*filtered, "filtered"))
        }
        Change::Delete { table, filtered } => {
            format!("delete {table}{}", flag(*filtered, "filtered"))
        }
        Change::Insert { table, shape, .. } => format!(
            "insert {table}{}{}",
            flag(shape.unnamed, "unnamed"),
            flag(shape.queried, "queried")
        ),
        Change::Truncate { table, .. } => format!("truncate {table}"),
        Change::RenameIndex { table, index, to } => {
            format!(
                "{} rename index {index} to {to}",
                table.as_ref().map_or("-".into(), ToString::to_string)
            )
        }
        Change::RenameConstraint { table, constraint, to } => {
            format!("{table} rename constraint {constraint} to {to}")
        }
        Change::Rebuild { table, what } => format!("rebuild {table}: {what}"),
        Change::TableSetting { table, what } => format!("setting {table}: {what}"),
        Change::Act(act) => brief_act(act),
        Change::TableOption { table, name, value } => {
            format!("{table} {name}{}", value.as_ref().map(|v| format!("={v}")).unwrap_or_default())
        }
        Change::Partitions { table, operation, method, columns, to, .. } => {
            let to = to.as_ref().map(|to| format!(" {to}")).unwrap_or_default();
            let method = method.as_ref().map(|method| format!(" {method}")).unwrap_or_default();
            format!("{table} {operation}{method} {columns:?}{to}").replace('"', "")
        }
        Change::Demand { algorithm, lock, .. } => format!("demand {algorithm:?} {lock:?}"),
        Change::Clauseless { .. } => "clauseless".into(),
        Change::Harmless => "harmless".into(),
        Change::Other { what } => format!("other: {what}"),
        Change::Opaque { why } => format!("opaque: {why}"),
    }
}

#[test]
fn tables_are_read_with_their_columns_and_what_stands_beside_them() {
    postgres(
        "CREATE TABLE IF NOT EXISTS S.\"T\" (ID bigserial PRIMARY KEY, a varchar(50) NOT NULL DEFAULT 'x''y', \
         b int REFERENCES other (id), UNIQUE (a), CONSTRAINT c CHECK (b > 0))",
        &[
            "create s.T [id bigserial not-null counts pk, a VARCHAR(50) not-null default='x''y', b INT] key=[id] if",
            "s.T add - references other [b]",
            "s.T add - unique [a]",
            "s.T add c check b > 0 []",
        ],
    );
    postgres("CREATE TEMP TABLE t AS SELECT 1", &["create t [] key=[] temporary"]);
    postgres("SELECT 1 AS a INTO x.t", &["create x.t [] key=[]"]);
    postgres(
        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b int GENERATED ALWAYS AS (a + 1) STORED)",
        &["create t [a INT not-null counts, b INT as=(a + 1) STORED] key=[]"],
    );
    mysql(
        "CREATE TABLE `T` (`Id` bigint unsigned NOT NULL AUTO_INCREMENT, n varchar(50) DEFAULT NULL, PRIMARY KEY (`Id`), \
         KEY k (n(10)), UNIQUE KEY u (n), FULLTEXT KEY f (n)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        &[
            "create T [Id bigint unsigned not-null counts, n varchar(50)] key=[Id]",
            "T index k [n]",
            "T index u [n] unique",
            "T index f [n] FULLTEXT",
            "T ENGINE=InnoDB",
            "T CHARSET=utf8mb4",
        ],
    );
    mysql(
        "CREATE TABLE t (a int(10) ZEROFILL, b int, KEY k (b)) PARTITION BY HASH (b) PARTITIONS 4",
        &[
            "create t [a int(10) zerofill, b int] key=[]",
            "t index k [b]",
            "t PARTITION BY HASH [b]",
        ],
    );
    mysql("DROP TABLE IF EXISTS a, b.c", &["drop a if", "drop b.c if"]);
    postgres("DROP TABLE a CASCADE", &["drop a"]);
    mysql("RENAME TABLE a TO b, c TO d", &["rename a to b", "rename c to d", "clauseless"]);
    postgres("ALTER TABLE s.a RENAME TO b", &["rename s.a to s.b"]);
    postgres("ALTER TABLE a SET SCHEMA s", &["rename a to s.a"]);
    mysql("ALTER TABLE a RENAME b", &["rename a to b"]);
}

#[test]
fn each_clause_of_alter_table_is_a_change() {
    postgres(
        "ALTER TABLE ONLY public.t ADD a int, ADD COLUMN IF NOT EXISTS b text NOT NULL DEFAULT now(), DROP COLUMN c, \
         ALTER d SET NOT NULL, ALTER COLUMN e DROP NOT NULL, ALTER f SET DEFAULT 1, ALTER g DROP DEFAULT, \
         ALTER h TYPE numeric(10, 2) USING h::numeric(10, 2)",
        &[
            "public.t add a INT",
            "public.t add b TEXT not-null default=now() if",
            "public.t drop c",
            "public.t set not null d",
            "public.t drop not null e",
            "public.t default of f: 1",
            "public.t default of g: -",
            "public.t type of h: h numeric(10, 2) using h::numeric(10, 2)",
        ],
    );
    postgres(
        "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id) NOT VALID, VALIDATE CONSTRAINT c, \
         ADD CONSTRAINT p PRIMARY KEY USING INDEX i, ADD CHECK (a > 0) NOT VALID, DROP CONSTRAINT IF EXISTS x, \
         RENAME CONSTRAINT y TO z, ADD CONSTRAINT n NOT NULL a NOT VALID",
        &[
            "t add c references u [a] not-valid",
            "t validate c",
            "t add p primary key using [i]",
            "t add - check a > 0 [] not-valid",
            "t drop constraint x",
            "t rename constraint y to z",
            "t add n check a IS NOT NULL [a] not-valid",
        ],
    );
    postgres(
        "ALTER TABLE t SET (fillfactor = 70), ALTER a SET STATISTICS 100, OWNER TO x, ENABLE ROW LEVEL SECURITY, \
         SET UNLOGGED, SET TABLESPACE s, MERGE PARTITIONS (p, q) INTO r, ATTACH PARTITION p DEFAULT",
        &[
            "setting t: SET (fillfactor = 70)",
            "setting t: ALTER a SET STATISTICS 100",
            "setting t: OWNER TO x",
            "setting t: ENABLE ROW LEVEL SECURITY",
            "rebuild t: SET UNLOGGED",
            "rebuild t: SET TABLESPACE s",
            "rebuild t: MERGE PARTITIONS (p, q) INTO r",
            "attach_partition default-partition on t & p",
        ],
    );
}

#[test]
fn clauses_of_mysql_are_read_that_sqlparser_does_not_know() {
    mysql(
        "ALTER TABLE t ADD COLUMN (a int, b text), ADD COLUMN IF NOT EXISTS c int AFTER x, MODIFY d bigint NOT NULL, \
         CHANGE e f varchar(10), CHANGE COLUMN g g int, RENAME COLUMN h TO i, DROP KEY k, DROP CHECK j, \
         RENAME INDEX l TO m, ADD UNIQUE KEY n (a), ADD FULLTEXT INDEX o (b) WITH PARSER ngram, DROP PRIMARY KEY, \
         DROP FOREIGN KEY p, ALGORITHM=INPLACE, LOCK=NONE",
        &[
            "t add a int",
            "t add b text",
            "t add c int if",
            "t type of d: d bigint not-null",
            "t type of e: e varchar(10)",
            "t rename e to f",
            "t type of g: g int",
            "t rename h to i",
            "t drop index k",
            "t drop constraint j",
            "t rename index l to m",
            "t index n [a] unique",
            "t index o [b] FULLTEXT",
            "t drop constraint PRIMARY",
            "t drop constraint p",
            "demand Some(\"INPLACE\") None",
            "demand None Some(\"NONE\")",
        ],
    );
    mysql(
        "ALTER TABLE t ENGINE=InnoDB, CONVERT TO CHARACTER SET utf8mb4, FORCE, COMMENT='x', DEFAULT CHARSET latin1, \
         ALTER INDEX i INVISIBLE, ADD COLUMN a int UNSIGNED ZEROFILL",
        &[
            "t ENGINE=InnoDB",
            "t CONVERT=utf8mb4",
            "t FORCE",
            "t COMMENT=x",
            "t CHARSET=latin1",
            "setting t: ALTER INDEX i INVISIBLE",
            "t add a int unsigned zerofill",
        ],
    );
    mysql("ALTER TABLE t DROP PARTITION p0, p1", &["t DROP PARTITION []"]);
    check(
        Engine::MariaDb,
        "ALTER ONLINE TABLE t WAIT 5 DROP COLUMN IF EXISTS a",
        &["t drop a if", "demand None Some(\"NONE\")"],
    );
    mysql("ALTER TABLE t /*!50100 ADD COLUMN a int */", &["t add a int"]);
    mysql(
        "ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a, b), ADD CONSTRAINT FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE, \
         ADD CHECK (a > 0), ALTER CHECK c NOT ENFORCED, ALTER d SET DEFAULT 5, ORDER BY a, b DESC",
        &[
            "t add p primary key [a, b]",
            "t add - references u [a]",
            "t add - check a > 0 []",
            "t CONSTRAINT c=NOT ENFORCED",
            "t default of d: 5",
            "t ORDER BY=a, b DESC",
        ],
    );
    mysql(
        "ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) STORED COMMENT 'x' FIRST, ADD b varchar(9) CHARSET latin1 COLLATE \
         latin1_bin DEFAULT 'x' UNIQUE KEY AFTER c, ADD d timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE NOW(3)",
        &[
            "t add a int as=(b + 1) STORED",
            "t add b varchar(9) CHARACTER SET latin1 COLLATE latin1_bin default='x' unique",
            "t index b [b] unique",
            "t add d timestamp(3) not-null default=CURRENT_TIMESTAMP(3)",
        ],
    );
    mysql(
        "ALTER TABLE t ALGORITHM=INPLACE, ADD PARTITION (PARTITION p VALUES LESS THAN (1), PARTITION q VALUES LESS THAN (2))",
        &["demand Some(\"INPLACE\") None", "t ADD PARTITION []"],
    );
    mysql(
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u WITHOUT VALIDATION",
        &["t EXCHANGE PARTITION WITHOUT VALIDATION [] u"],
    );
    mysql("ALTER TABLE t ADD SYSTEM VERSIONING", &["t SYSTEM VERSIONING=ADD"]);
    mysql("ALTER TABLE t FROBNICATE", &["opaque: `FROBNICATE` is not read"]);
}

#[test]
fn indexes_are_read_in_every_spelling() {
    postgres(
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t USING gin (a, lower(b)) WHERE c",
        &["s.t index i [a, lower(b)] unique concurrently GIN if"],
    );
    postgres("CREATE INDEX ON t (a)", &["t index - [a]"]);
    postgres(
        "DROP INDEX CONCURRENTLY IF EXISTS s.i, j",
        &["- drop index i concurrently if", "- drop index j concurrently if"],
    );
    postgres("ALTER INDEX IF EXISTS i RENAME TO j", &["- rename index i to j"]);
    mysql(
        "CREATE FULLTEXT INDEX i ON t (a) ALGORITHM=INPLACE",
        &["t index i [a] FULLTEXT", "demand Some(\"INPLACE\") None"],
    );
    mysql(
        "CREATE INDEX i ON t (a(10) DESC, (b + 1)) ALGORITHM=INPLACE LOCK=NONE",
        &["t index i [a, (b + 1)]", "demand Some(\"INPLACE\") None", "demand None Some(\"NONE\")"],
    );
    check(
        Engine::MySql,
        "DROP INDEX i ON t ALGORITHM=INPLACE",
        &["t drop index i", "demand Some(\"INPLACE\") None"],
    );
    check(Engine::MariaDb, "DROP INDEX IF EXISTS i ON t", &["t drop index i if", "clauseless"]);
}

#[test]
fn rows_that_change_are_seen_wherever_they_stand() {
    postgres("UPDATE ONLY s.t SET a = 1", &["update s.t", "read reads s.t"]);
    postgres(
        "UPDATE t SET a = 1 FROM u WHERE t.id = u.id",
        &["update t filtered", "read reads t u"],
    );
    postgres(
        "DELETE FROM t WHERE a = 1 AND 5 = t.b",
        &["delete t filtered", "read reads t by a by b"],
    );
    postgres(
        "WITH x AS (DELETE FROM t WHERE a RETURNING *) INSERT INTO u SELECT * FROM x",
        &["delete t filtered", "insert u unnamed queried", "read reads t"],
    );
    mysql("DELETE x FROM t AS x JOIN u ON u.id = x.id WHERE u.a", &["delete t filtered"]);
    mysql("UPDATE t JOIN u ON t.id = u.id SET t.a = 1", &["update t"]);
    mysql("INSERT IGNORE INTO t VALUES (1)", &["insert t unnamed"]);
    mysql("INSERT INTO t (a) VALUES (1)", &["insert t"]);
    mysql("INSERT INTO t SET a = 1", &["insert t"]);
    postgres("INSERT INTO t AS x (a) (SELECT 1)", &["insert t queried"]);
    postgres("INSERT INTO t DEFAULT VALUES", &["insert t"]);
    mysql("REPLACE INTO t SELECT * FROM u", &["insert t unnamed queried"]);
    postgres("TRUNCATE a, b", &["truncate a", "truncate b"]);
    postgres("COPY t (a) FROM '/x'", &["insert t"]);
    postgres("INSERT INTO t (a) SELECT b FROM u", &["insert t queried", "read reads u"]);
}

#[test]
fn what_stands_beside_tables_is_named() {
    postgres("CREATE OR REPLACE VIEW v AS SELECT 1", &["create_view replaces about v"]);
    postgres("CREATE VIEW IF NOT EXISTS v AS SELECT 1", &["create_view about v"]);
    postgres(
        "CREATE MATERIALIZED VIEW v AS WITH w AS (SELECT 1 FROM s.t) SELECT * FROM w, u WITH NO DATA",
        &["create_materialized_view no-data about v reads u s.t"],
    );
    postgres(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
        &["create_function sql about f"],
    );
    postgres(
        "CREATE TRIGGER g BEFORE UPDATE OF a ON s.t FOR EACH ROW EXECUTE FUNCTION f()",
        &["create_trigger for-each-row about g on s.t"],
    );
    mysql(
        "CREATE DEFINER=`a`@`b` TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
        &["setting t: CREATE TRIGGER g"],
    );
    postgres("ALTER TYPE x ADD VALUE 'y'", &["alter_type about x"]);
    postgres("GRANT SELECT ON t TO u", &["grant of-table on t"]);
    postgres("COMMENT ON TABLE t IS 'x'", &["comment of-table on t"]);
    postgres("COMMENT ON COLUMN s.t.a IS 'x'", &["comment of-table on s.t"]);
    postgres("COMMENT ON VIEW v IS 'x'", &["comment"]);
    postgres("SELECT a FROM t FOR UPDATE", &["read reads t locked"]);
    postgres("SELECT setval('s', 1)", &["harmless"]);
    postgres("VACUUM FULL t", &["vacuum_full on t"]);
    postgres("REINDEX (CONCURRENTLY) INDEX s.i", &["reindex_index concurrently about s.i"]);
    postgres(
        "DROP VIEW a, s.b CASCADE",
        &["drop_view cascade about a", "drop_view cascade about s.b"],
    );
    mysql("OPTIMIZE TABLE t", &["rebuild t: OPTIMIZE"]);
    mysql("SET NAMES utf8mb4", &["harmless"]);
}

#[test]
fn what_dumps_and_templates_write_is_read() {
    postgres(
        "ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s START WITH 1)",
        &[
            "setting t: ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s START WITH 1)",
        ],
    );
    postgres("DROP TABLE {p}a", &["drop {p}a"]);
    mysql("{{end}} {{- end }}", &["harmless"]);
}

#[test]
fn a_clause_has_its_place_in_the_file() {
    let file = "-- é\n  ALTER TABLE t\n    ADD é int,\r\n    DROP b";
    let statement = &crate::sql::split::statements(file, Engine::Postgres)[0];
    let found = understand(&statement.sql, statement.span, Engine::Postgres);
    let places: Vec<_> = found
        .iter()
        .map(|located| {
            let Span { start, end, line, column, end_line, end_column } = located.span;
            (file.get(start..end).unwrap(), line, column, end_line, end_column)
        })
        .collect();
    assert_eq!(places, [("ADD é int", 3, 5, 3, 14), ("DROP b", 4, 5, 4, 11)]);
}

#[test]
fn columns_that_sqlparser_does_not_know_are_read_option_by_option() {
    mysql(
        "CREATE TABLE t (a varchar(9) BINARY NOT NULL, b text COMMENT \"x\" DEFAULT 1, PRIMARY KEY (a) USING BTREE COMMENT 'x', VECTOR KEY (b) M=3, PERIOD FOR p(c, d))",
        &[
            "create t [a varchar(9) not-null, b text default=1] key=[a]",
            "t index b [b] VECTOR",
            "t PERIOD=p (c, d)",
        ],
    );
}
