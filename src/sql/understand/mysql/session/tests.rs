use super::Session;
use crate::model::server::Engine;
use crate::sql::change::{Change, KEYS_UNCHECKED, Located};
use crate::sql::span::Span;
use crate::sql::understand::understand;

/// What the last statement of a file does, in short.
fn last(statements: &[&str]) -> Vec<String> {
    let mut session = Session::new(Engine::MariaDb);
    let mut changes = Vec::new();
    for sql in statements {
        let span = Span::whole(sql);
        changes = session.follow(sql, span, understand(sql, span, Engine::MariaDb));
        assert!(changes.iter().all(|located| located.span == span || !located.is_in_block()));
    }
    changes.iter().map(brief).collect()
}

fn brief(located: &Located) -> String {
    match &located.change {
        Change::AddColumn { table, column, .. } => format!("{table} + {}", column.name),
        Change::DropColumn { table, column, .. } => format!("{table} - {column}"),
        Change::Opaque { why } => format!("? {why}"),
        other => format!("{other:?}").chars().take_while(char::is_ascii_alphanumeric).collect(),
    }
}

const PUT_TOGETHER: &str = "? it runs SQL that is put together at run time";

#[test]
fn foreign_keys_are_unchecked_from_a_setting_on_until_another() {
    let add = "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id)";
    let unchecked = |statements: &[&str]| {
        let mut session = Session::new(Engine::MariaDb);
        let mut changes = Vec::new();
        for sql in statements {
            let span = Span::whole(sql);
            changes = session.follow(sql, span, understand(sql, span, Engine::MariaDb));
        }
        changes.iter().any(|located| located.has(KEYS_UNCHECKED))
    };
    for off in [
        "SET foreign_key_checks = 0",
        "SET SESSION foreign_key_checks = OFF",
        "set @@session.foreign_key_checks := 0",
        "/*!40014 SET @OLD=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */",
    ] {
        assert!(unchecked(&[off, add]), "{off}");
        assert!(!unchecked(&[off, "SET FOREIGN_KEY_CHECKS=@OLD", add]), "{off}");
    }
    assert!(!unchecked(&["SET GLOBAL foreign_key_checks = 0", add]));
    assert!(!unchecked(&["SET @foreign_key_checks = 0", add]));
    let alone = format!("SET STATEMENT foreign_key_checks=0 FOR {add}");
    assert!(unchecked(&[&alone]) && !unchecked(&[&alone, add]));
    assert_eq!(
        last(&["SET STATEMENT max_statement_time=1 FOR ALTER TABLE t ADD a int"]),
        ["t + a"]
    );
}

#[test]
fn a_prepared_text_is_what_execute_runs() {
    assert_eq!(last(&["PREPARE s FROM 'ALTER TABLE t ADD a int'", "EXECUTE s"]), ["t + a"]);
    let set =
        "SET @a = 1, @sql := CONCAT('ALTER TABLE ', \"t\", ' ADD ', 'a' 'b', ' varchar(', 9, ')')";
    assert_eq!(last(&[set, "PREPARE S FROM @SQL", "EXECUTE s USING @a"]), ["t + ab"]);
    assert_eq!(last(&["PREPARE s FROM 'ALTER TABLE t DROP a; '", "EXECUTE s"]), ["t - a"]);
    assert_eq!(last(&["DROP PREPARE s"]), ["Harmless"]);
    assert_eq!(last(&["EXECUTE IMMEDIATE 'ALTER TABLE t DROP COLUMN a'"]), ["t - a"]);
    let quoted = r"SET @s = 'ALTER TABLE t ADD a int COMMENT ''it\'\'s'''";
    assert_eq!(last(&[quoted, "PREPARE s FROM @s", "EXECUTE s"]), ["t + a"]);
}

#[test]
fn each_text_that_a_condition_chooses_from_counts() {
    for choice in [
        "SET @s = (SELECT IF((SELECT count(*) FROM x) > 0, 'SELECT 1', 'ALTER TABLE t ADD a int'))",
        "SET @s = IF(@n, 'DO 0', 'ALTER TABLE t ADD a int')",
        "SELECT CASE WHEN count(*) = 0 THEN 'ALTER TABLE t ADD a int' ELSE 'SELECT 1' END INTO @s FROM x",
        "SELECT @s := IFNULL(NULL, 'ALTER TABLE t ADD a int')",
    ] {
        let changes = last(&[choice, "PREPARE s FROM @s", "EXECUTE s"]);
        assert!(changes.contains(&"t + a".to_owned()), "{choice}: {changes:?}");
        assert!(changes.iter().all(|change| !change.starts_with('?')), "{choice}: {changes:?}");
    }
    let nothing = "SET @s = IF(@n, 'SELECT 1', 'DO 0')";
    assert_eq!(last(&[nothing, "PREPARE s FROM @s", "EXECUTE s"]).len(), 1);
}

#[test]
fn what_cannot_be_told_stays_opaque() {
    let known = "SET @s = 'SELECT 1'";
    for before in [
        "SET @s = CONCAT('DROP TABLE ', DATABASE())",
        "SELECT GROUP_CONCAT('DROP TABLE ', table_name) INTO @s FROM information_schema.tables",
        "SET @s = IF(@n, 'SELECT 1', @unknown)",
        "CALL sets_it(@s)",
    ] {
        let changes = last(&[known, before, "PREPARE s FROM @s", "EXECUTE s"]);
        assert_eq!(changes, [PUT_TOGETHER], "{before}");
    }
    assert_eq!(last(&["PREPARE s FROM @s", "EXECUTE s"]), [PUT_TOGETHER]);
    assert_eq!(last(&["EXECUTE never_prepared"]), [PUT_TOGETHER]);
    assert!(last(&["CALL unknown()"])[0].starts_with("? CALL runs"));
    // What follows itself ends.
    let own = "CREATE PROCEDURE p() BEGIN CALL p(); CALL p(); CALL p(); CALL p(); END";
    assert!(last(&[own, "CALL p()"])[0].starts_with("? CALL runs"));
}

const GUARDED: &str =
    "CREATE DEFINER=`root`@`localhost` PROCEDURE IF NOT EXISTS db.Upgrade(IN n int, OUT m int)
    MODIFIES SQL DATA SQL SECURITY INVOKER COMMENT 'x'
again: BEGIN
    DECLARE done INT DEFAULT 0;
    DECLARE ddl, other varchar(99);
    DECLARE c CURSOR FOR SELECT 1;
    DECLARE CONTINUE HANDLER FOR SQLSTATE '42000', 1060, NOT FOUND SET done = 1;
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't') THEN
        ALTER TABLE t ADD a int;
    ELSEIF n > 1 THEN
        SET ddl = 'ALTER TABLE t ADD b int';
        EXECUTE IMMEDIATE ddl;
    ELSE
        CASE n WHEN 1 THEN ALTER TABLE t DROP COLUMN c; ELSE BEGIN END; END CASE;
    END IF;
    one: WHILE done = 0 DO
        PREPARE s FROM @later; EXECUTE s; DEALLOCATE PREPARE s;
        SET @later = 'ALTER TABLE t ADD d int';
        LEAVE one;
    END WHILE one;
    REPEAT FETCH c INTO other; UNTIL done END REPEAT;
    LOOP INSERT INTO t VALUES (1); LEAVE again; END LOOP;
END again";

#[test]
fn a_procedure_of_the_file_is_followed_where_it_is_called() {
    let changes = last(&["SET @later = NULL", GUARDED, "CALL upgrade(1, @m)"]);
    for known in ["t + a", "t + b", "t - c", "t + d", "Insert"] {
        assert!(changes.iter().any(|change| change == known), "{known}: {changes:?}");
    }
    assert!(changes.iter().all(|change| !change.starts_with('?')), "{changes:?}");
    let gone = last(&[GUARDED, "DROP PROCEDURE IF EXISTS db.upgrade", "CALL upgrade(1, @m)"]);
    assert!(gone[0].starts_with("? CALL runs"));
    assert_eq!(last(&["CREATE PROCEDURE p() ALTER TABLE t ADD a int", "CALL p"]), ["t + a"]);
    assert_eq!(last(&["BEGIN NOT ATOMIC ALTER TABLE t ADD a int; END"]), ["t + a"]);
}

#[test]
fn a_parameter_is_not_the_variable_of_another_procedure() {
    let sets = "CREATE PROCEDURE a() BEGIN DECLARE s varchar(9) DEFAULT 'SELECT 1'; SET s = s; END";
    let runs = "CREATE PROCEDURE b(s varchar(99)) EXECUTE IMMEDIATE s";
    assert_eq!(last(&[sets, runs, "CALL a()", "CALL b('DROP TABLE t')"]), [PUT_TOGETHER]);
    let fetched =
        "BEGIN NOT ATOMIC DECLARE s text DEFAULT 'SELECT 1'; DECLARE c CURSOR FOR SELECT x FROM y;
        OPEN c; FETCH c INTO s; EXECUTE IMMEDIATE s; END";
    assert!(last(&[fetched]).contains(&PUT_TOGETHER.to_owned()));
}
