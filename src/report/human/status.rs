//! Where things stand, for people.

use std::fmt::Write;

use super::style::{Tone, paint};
use super::table::table;
use super::time::{grouped, instant};
use crate::engine::commands::{BackfillStatus, MigrationStatus, Status};
use crate::model::journal::Progress;
use crate::model::state::State;
use crate::plan::pacing::Steering;

/// The database, the run that is at work, and each migration.
pub(crate) fn status(status: &Status, width: usize) -> String {
    let mut text = String::new();
    let title = format!("{}, database {}", status.server, status.identity.database);
    writeln!(text, "{}", paint(Tone::Strong, title)).unwrap_or_default();
    if !status.installed {
        writeln!(text, "zdm has never written to it").unwrap_or_default();
    }
    if let Some(run) = &status.run {
        let since = instant(run.since);
        let words =
            format!("at work: `{}` by {}@{} since {since}", run.command, run.owner, run.host);
        writeln!(text, "{}", paint(Tone::Warn, words)).unwrap_or_default();
    }
    text.push('\n');
    let rows = status.migrations.iter().map(row).collect();
    text.push_str(&table(&["MIGRATION", "STATE", "SINCE", "WHAT"], rows, width));
    if !status.drift.is_empty() {
        let title = "The folder is not what has run; nothing runs before that is put right";
        writeln!(text, "\n{}", paint(Tone::Bad, title)).unwrap_or_default();
        for line in &status.drift {
            writeln!(text, "  {line}").unwrap_or_default();
        }
    }
    for migration in &status.migrations {
        let Some(days) = migration.left_open else { continue };
        let words = format!(
            "\n{} has been {} for {days} days: later changes of its tables wait (rule phase-left-open)",
            migration.id, migration.state
        );
        writeln!(text, "{}", paint(Tone::Warn, words)).unwrap_or_default();
    }
    for migration in &status.migrations {
        write_steering(&mut text, migration);
    }
    for migration in status.migrations.iter().filter(|migration| is_under_way(migration.state)) {
        write_under_way(&mut text, migration);
    }
    text
}

fn row(migration: &MigrationStatus) -> Vec<String> {
    let what = if migration.in_folder {
        migration.description.clone().unwrap_or_default()
    } else {
        "its folder is gone".to_owned()
    };
    vec![
        migration.id.to_string(),
        migration.state.to_string(),
        migration.since.map(instant).unwrap_or_default(),
        what,
    ]
}

fn tone(state: State) -> Tone {
    match state {
        State::Pending => Tone::Faint,
        State::Purged | State::Hidden | State::Migrated | State::Expanded => Tone::Good,
        State::Expanding
        | State::Migrating
        | State::Contracting
        | State::Purging
        | State::RollingBack
        | State::Revealing => Tone::Warn,
    }
}

fn write_steering(text: &mut String, migration: &MigrationStatus) {
    if migration.steering == Steering::default() || migration.state >= State::Migrated {
        return;
    }
    let words = match &migration.steering.paused_by {
        Some(who) => format!("the backfills of {} are paused by {who}", migration.id),
        None => format!("the pace of {} was set: {}", migration.id, migration.steering),
    };
    writeln!(text, "\n{}", paint(Tone::Warn, words)).unwrap_or_default();
}

fn is_under_way(state: State) -> bool {
    tone(state) == Tone::Warn
}

fn write_under_way(text: &mut String, migration: &MigrationStatus) {
    let title = format!("{} is {}", migration.id, migration.state);
    writeln!(text, "\n{}", paint(Tone::Strong, title)).unwrap_or_default();
    for step in &migration.steps {
        let word = match step.progress {
            Progress::Done => paint(Tone::Good, "done "),
            Progress::Begun => paint(Tone::Warn, "begun"),
        };
        let backfill = migration.backfills.iter().find(|backfill| backfill.step == step.name);
        let rows = backfill.map(rows).unwrap_or_default();
        writeln!(text, "  {word} {} {}{rows}", step.phase, step.title).unwrap_or_default();
        if let Some(reason) = backfill.and_then(|backfill| backfill.waits_for.as_ref()) {
            let words = format!("waits: {reason}");
            writeln!(text, "        {}", paint(Tone::Warn, words)).unwrap_or_default();
        }
        if let Some(parked) = backfill.map(|backfill| backfill.parked).filter(|rows| *rows > 0) {
            let words =
                format!("{} rows could not be filled: zdm backfill parked", grouped(parked));
            writeln!(text, "        {}", paint(Tone::Bad, words)).unwrap_or_default();
        }
    }
}

fn rows(backfill: &BackfillStatus) -> String {
    let done = grouped(backfill.rows_done);
    match backfill.rows_estimate {
        Some(all) => format!(" ({done} of about {} rows)", grouped(all.max(backfill.rows_done))),
        None => format!(" ({done} rows)"),
    }
}
