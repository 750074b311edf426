//! Who uses the database, as far as leases tell.

use std::time::Duration;

use super::table::table;
use super::time::rough;
use crate::model::lease::{Lease, Reached};

/// Leases as a table. `now` is milliseconds since 1970 on the database's clock.
pub(crate) fn instances(leases: &[Lease], now: i64, width: usize) -> String {
    if leases.is_empty() {
        return "no instance reports\n".to_owned();
    }
    let row = |lease: &Lease| {
        let tolerates: Vec<&str> =
            lease.tolerates.iter().map(crate::model::name::MigrationId::as_str).collect();
        let needs: Vec<String> =
            lease.needs.iter().map(|(id, reached)| need(id.as_str(), *reached)).collect();
        vec![
            lease.service.clone(),
            lease.version.clone(),
            lease.instance.clone(),
            standing(lease, now),
            tolerates.join("\n"),
            needs.join("\n"),
        ]
    };
    let headings = ["SERVICE", "VERSION", "INSTANCE", "SEEN", "TOLERATES", "NEEDS"];
    table(&headings, leases.iter().map(row).collect(), width)
}

fn need(id: &str, reached: Reached) -> String {
    let word = match reached {
        Reached::Expanded => "expanded",
        Reached::Migrated => "migrated",
    };
    format!("{id} {word}")
}

/// Whether it lives, and since when it was not seen.
fn standing(lease: &Lease, now: i64) -> String {
    if let Some(left) = lease.left_at {
        return format!("left {} ago", ago(now, left));
    }
    let seen = ago(now, lease.seen_at);
    let ttl = i64::try_from(lease.ttl.as_millis()).unwrap_or(i64::MAX);
    if lease.seen_at.saturating_add(ttl) > now {
        format!("{seen} ago")
    } else {
        format!("expired, last {seen} ago")
    }
}

fn ago(now: i64, then: i64) -> String {
    rough(Duration::from_millis(u64::try_from(now.saturating_sub(then)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::lease::Ending;
    use crate::model::name::MigrationId;

    #[test]
    fn instances_are_shown_with_what_they_tolerate() {
        let id = |name: &str| MigrationId::parse(name).unwrap();
        let live = Lease {
            id: 1,
            service: "api".to_owned(),
            version: "42".to_owned(),
            instance: "web-1".to_owned(),
            tolerates: BTreeSet::from([id("0002_x"), id("0003_y")]),
            needs: vec![(id("0002_x"), Reached::Migrated)],
            ending: Ending::Suspends,
            role: "api".to_owned(),
            ttl: Duration::from_mins(1),
            beat: 7,
            joined_at: 0,
            seen_at: 995_000,
            left_at: None,
            knocked_epoch: None,
        };
        let expired = Lease { instance: "web-2".to_owned(), seen_at: 800_000, ..live.clone() };
        let left = Lease { instance: "web-3".to_owned(), left_at: Some(0), ..live.clone() };
        let shown = instances(&[live, expired, left], 1_000_000, 100);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(
            lines[0],
            "SERVICE  VERSION  INSTANCE  SEEN                     TOLERATES  NEEDS"
        );
        assert_eq!(
            lines[1],
            "api      42       web-1     5 s ago                  0002_x     0002_x migrated"
        );
        assert_eq!(lines[2].trim(), "0003_y");
        assert!(
            lines[3].contains("expired, last 3 min ago") && lines[5].contains("left 16 min ago")
        );
    }
}
