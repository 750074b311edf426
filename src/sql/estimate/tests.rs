use super::*;
use crate::model::server::Engine;
use crate::sql::catalog::Size;
use crate::sql::effects::effect;
use crate::sql::replay::Names;
use crate::sql::span::Span;
use crate::sql::understand;

const POSTGRES: Server = Server { engine: Engine::Postgres, version: (15, 0) };

/// A catalog with table `t` of that many gigabytes, and a tenth of it in indexes.
fn catalog(gigabytes: u64) -> Catalog {
    let size = Size {
        bytes: Some(gigabytes * 1_000_000_000),
        index_bytes: Some(gigabytes * 100_000_000),
        ..Size::default()
    };
    let table = Table { size, estimated_rows: Some(1_000), ..Table::default() };
    let tables = [(TableName::in_schema("public", "t"), table)].into_iter().collect();
    Catalog { tables, complete: true, ..Catalog::default() }
}

fn judged(sql: &str, catalog: &Catalog, server: Server) -> Option<Estimate> {
    let names = Names::new(server.engine, &[]);
    let changes = names.resolve(understand(sql, Span::whole(sql), server.engine), catalog);
    estimate(&changes, &effect(&changes, catalog, server), catalog, server)
}

fn on_postgres(sql: &str) -> Option<Estimate> {
    judged(sql, &catalog(12), POSTGRES)
}

#[test]
fn what_reads_or_writes_a_table_takes_as_long_as_the_table_is_big() {
    let sql = "ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()";
    let (small, big) = (judged(sql, &catalog(1), POSTGRES).unwrap(), on_postgres(sql).unwrap());
    assert_eq!(small.bytes, 1_100_000_000);
    assert!(big.typical >= small.typical * 11 && big.typical <= small.typical * 13);
    assert!(big.shortest < big.typical && big.typical < big.longest);
    assert_eq!(big.rows, Some(1_000));
}

#[test]
fn dear_work_takes_longer_than_cheap_work() {
    let seconds = |sql: &str| on_postgres(sql).unwrap().typical;
    let scan = seconds("ALTER TABLE t ADD CONSTRAINT k CHECK (d > 0)");
    let build = seconds("CREATE INDEX i ON t (a)");
    let concurrent = seconds("CREATE INDEX CONCURRENTLY i ON t (a)");
    let rewrite = seconds("ALTER TABLE t ALTER COLUMN d TYPE bigint");
    assert!(scan < build && build < concurrent && concurrent < rewrite);
    assert!(rewrite < seconds("UPDATE t SET a = 1"));
}

#[test]
fn what_does_not_depend_on_the_size_of_a_table_has_no_estimate() {
    for sql in ["ALTER TABLE t ADD COLUMN z int", "DROP TABLE t", "TRUNCATE t", "SELECT 1"] {
        assert_eq!(on_postgres(sql), None, "{sql}");
    }
}

#[test]
fn a_size_that_is_not_known_is_not_made_up() {
    let mut unknown = catalog(1);
    unknown.tables.change(|_| true, |table| table.size = Size::default());
    let sql = "CREATE INDEX i ON t (a)";
    assert_eq!(judged(sql, &unknown, POSTGRES), None);
    assert_eq!(judged(sql, &Catalog::default(), POSTGRES), None);
    assert_eq!(judged("DO $$ BEGIN END $$", &catalog(1), POSTGRES), None);
}

#[test]
fn estimates_are_shown_as_rough_as_they_are() {
    let shown = |seconds: f64, bytes| {
        let typical = Duration::from_secs_f64(seconds);
        let estimate = Estimate { typical, shortest: typical, longest: typical, bytes, rows: None };
        estimate.to_string()
    };
    assert_eq!(shown(0.3, 81_000_000), "under a second on 81 MB");
    assert_eq!(shown(43.0, 12_300_000_000), "about 40 s on 12 GB");
    assert_eq!(shown(200.0, 1_200_000_000), "about 3 min on 1.2 GB");
    assert_eq!(shown(9_000.0, 2_000_000_000_000), "about 3 h on 2 TB");
    assert_eq!(shown(0.0, 8_192), "under a second on 8.1 kB");
}
