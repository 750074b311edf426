//! The arguments: each flag is defined once and gives help, completions and docs/cli.md. Parses only.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::duration;
use crate::model::server::{Engine, Server};

mod backfill;
mod baseline;
mod check;
mod demo;
mod doctor;
mod global;
mod run;
mod snapshot;
mod up;
mod verify;
mod wait;

pub(crate) use backfill::{BackfillArgs, BackfillWish};
pub(crate) use baseline::BaselineArgs;
pub(crate) use check::{LintArgs, PhaseArg, PlanArgs};
pub(crate) use demo::{DemoAppArgs, DemoArgs};
pub(crate) use doctor::{Apply, DoctorArgs};
pub(crate) use global::{Color, Format, GlobalArgs, LogFormat};
pub(crate) use run::{GateArgs, IfBlocked, OverrideArgs, RunArgs};
pub(crate) use snapshot::SnapshotArgs;
pub(crate) use up::UpArgs;
pub(crate) use verify::VerifyArgs;
pub(crate) use wait::WaitArgs;

const AFTER_HELP: &str = "\
A first migration:
  zdm init                          write zdm.toml and migrations/
  zdm new users_display_name        make migrations/0001_users_display_name/
  zdm plan                          what would run, at what cost; needs no database
  zdm expand && zdm migrate         before the new build is deployed
  zdm contract                      after the last old instance has gone; refused until then
  zdm purge                         days later; the point of no return

The database's address comes from --database-url, ZDM_DATABASE_URL, ZDM_DATABASE_URL_FILE, DATABASE_URL,
DATABASE_URL_FILE or zdm.toml, in this order. Other users of the machine can read arguments: a password belongs into a
variable or a file. It is never printed.

Exit codes:
  0    done, or nothing to do
  1    failed: the database or the machine said no; the text says what was and was not done
  2    wrong usage, configuration or migration files; nothing was touched
  3    lint findings at or above the failing severity
  4    a gate is blocked: nothing changed, try again later
  5    a gate could not see, so it refuses: a retry cannot help
  6    busy: another run, or a lock could not be had in time
  7    drift: an applied step was edited, the schema is not what the journal says, or the database is a copy
  130  interrupted by SIGINT after a clean checkpoint: the same command resumes
  143  terminated by SIGTERM after a clean checkpoint: the same command resumes";

/// Zero-downtime schema migrations for PostgreSQL, MySQL and MariaDB.
///
/// zdm changes a schema while two builds of an application run against it, and refuses the step that would break the
/// older one. Each migration is a folder; its phases (expand, migrate, contract) are separate steps of a deployment.
#[derive(Parser, Debug)]
#[command(name = "zdm", version, after_help = AFTER_HELP, propagate_version = false)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub(crate) globals: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Write zdm.toml, with every key explained, and an empty folder of migrations
    #[command(after_help = "Examples:\n  zdm init\n  zdm init --engine mariadb")]
    Init(InitArgs),
    /// Make the folder of the next migration
    #[command(
        after_help = "Examples:\n  zdm new add_email_index\n  zdm new users_display_name --operation rename_column --table users --from name --to display_name"
    )]
    New(NewArgs),
    /// Show what would run, in which phase, at what cost, and what stands in the way
    #[command(
        after_help = "Examples:\n  zdm plan\n  zdm plan --offline --server mariadb:10.11\n  zdm plan --format json | jq '.migrations[].id'"
    )]
    Plan(PlanArgs),
    /// Check SQL files, of any tool, for what breaks running builds or blocks other clients
    #[command(
        after_help = "Examples:\n  zdm lint\n  zdm lint db/changes/*.sql --server postgres:15\n  zdm lint drop.sql --phase contract"
    )]
    Lint(LintArgs),
    /// Add the new structure, before the new build is deployed; old builds run on as before
    #[command(
        after_help = "Examples:\n  zdm expand --dry-run\n  zdm expand\n  zdm expand --only 0002_users_display_name --lock-wait 1h"
    )]
    Expand(ExpandArgs),
    /// Fill, verify and constrain the new structure
    #[command(after_help = "Examples:\n  zdm migrate\n  zdm migrate --full-speed --to 7")]
    Migrate(MigrateArgs),
    /// Pause, resume or slow down the backfills of a migration from another terminal; list rows they left out
    #[command(
        after_help = "Examples:\n  zdm backfill pause 2\n  zdm backfill resume 0002_users_display_name\n  zdm backfill set 2 --share 20 --batch-time 50ms\n  zdm backfill parked"
    )]
    Backfill(BackfillArgs),
    /// Take the old structure out of sight, when no instance that needs it is left; can be undone
    #[command(
        after_help = "Examples:\n  zdm contract\n  zdm contract --wait 2h\n  zdm contract --if-blocked skip\n  zdm contract --only 2 --override soak --reason \"incident 4711\""
    )]
    Contract(ContractArgs),
    /// Drop what contract took out of sight: the point of no return
    #[command(
        after_help = "Examples:\n  zdm purge --dry-run\n  zdm purge --only 0002_users_display_name"
    )]
    Purge(PurgeArgs),
    /// Go back: to before expand, or from hidden to migrated
    #[command(
        after_help = "Examples:\n  zdm rollback 0002_users_display_name\n  zdm rollback 2 --to migrated"
    )]
    Rollback(RollbackArgs),
    /// Bring a new or disposable database through all phases of all migrations at once; refuses any other
    #[command(
        after_help = "Examples:\n  zdm up\n  zdm up --env test\n  zdm up --env test --fresh\n\nNo gate, no lint rule and no waiting time holds it up: nobody may rely on the database. That is so where\n[environments.NAME] says `disposable = true`, and where the database was empty when zdm first wrote to it, no\ninstance has ever reported, and no migration was run phase by phase."
    )]
    Up(UpArgs),
    /// Record that the schema already holds the migrations up to one, without running them
    #[command(
        after_help = "Examples:\n  zdm baseline 0042_orders --reason \"the schema of 2026\" --dry-run\n  zdm baseline 42 --reason \"the schema of 2026\""
    )]
    Baseline(BaselineArgs),
    /// Write sizes, versions, catalog and state into a file, for plans without access to the database
    #[command(
        after_help = "Examples:\n  zdm snapshot -o zdm-snapshot.json\n  zdm plan --snapshot zdm-snapshot.json\n\nIt holds no rows and no passwords. Texts inside defaults are hidden, comments and rights of roles left out; names,\ntypes, conditions of CHECKs and of partial indexes stay. A role that may read the catalog can take it."
    )]
    Snapshot(SnapshotArgs),
    /// Show where every migration stands
    #[command(
        after_help = "Examples:\n  zdm status\n  zdm status --accept 0002_users_display_name --reason \"comment moved into the string\""
    )]
    Status(StatusArgs),
    /// Compare what the journal says with catalog, rows, triggers and rights; exit code 7 when they differ
    #[command(
        after_help = "Examples:\n  zdm verify\n  zdm verify --within 10m --format json\n\nIt changes nothing: rows are read in batches; triggers and the rights of roles are tried in transactions that are\nrolled back. `zdm doctor` says more about what people left behind, and can do something about it."
    )]
    Verify(VerifyArgs),
    /// Explain what people or accidents left behind, and say the way out; changes nothing without --apply
    #[command(
        after_help = "Examples:\n  zdm doctor\n  zdm doctor --apply triggers\n  zdm doctor --apply adopt\n  zdm doctor --privileges\n\nIt looks at the catalog and at zdm's own state, also where other commands refuse to begin; `zdm verify` looks at the\nrows, too. Exit code 7: something is wrong."
    )]
    Doctor(DoctorArgs),
    /// Show who reports, what they tolerate and need, and when they were last seen
    #[command(after_help = "Examples:\n  zdm instances\n  zdm instances --all")]
    Instances(InstancesArgs),
    /// Show what happened: who, when, from where, with what result
    #[command(after_help = "Examples:\n  zdm events\n  zdm events --last 100 --format json")]
    Events(EventsArgs),
    /// Show whether contract (or rollback) of a migration may act now; or run another tool's contract behind the gate
    #[command(
        after_help = "Examples:\n  zdm gate 0002_users_display_name\n  zdm gate 2 --rollback\n  zdm gate 2 --wait 2h -- flyway migrate -target=2\n  zdm gate --start-with zdm-manifest\n\nWithout a command it is advice: nothing is held. With one, old builds are kept out while the command runs, and for\ngood when it ends with 0; [contract] of the migration says by = \"other\". The exit code is the command's."
    )]
    Gate(GateCommandArgs),
    /// Wait until migrations are expanded or migrated, for what must come before an application starts
    #[command(
        after_help = "Examples:\n  zdm wait --expanded 0002_users_display_name --migrated 0001_accounts\n  zdm wait --migrated 2 --timeout 1h\n\nIt changes nothing, and asks as an application does: a role that may call zdm's functions is enough. Full names need\nno folder of migrations. While the database cannot be reached, or holds no state yet, it waits, too. Exit code 6 when\nthe time is over."
    )]
    Wait(WaitArgs),
    /// Report for an application that cannot embed the library: join, renew, leave; runs it as a child
    #[command(
        after_help = "Examples:\n  zdm report --service worker --version 42 --manifest zdm-manifest -- ./worker --queue mail\n  zdm report --service worker --listen 127.0.0.1:8089      # /ready and /live, for an orchestrator"
    )]
    Report(ReportArgs),
    /// Write what a build of a service tolerates and needs, for its image
    #[command(after_help = "Examples:\n  zdm manifest --service api > zdm-manifest")]
    Manifest(ManifestArgs),
    /// Explain the lint rules
    #[command(after_help = "Examples:\n  zdm rules\n  zdm rules index-not-concurrent")]
    Rules(RulesArgs),
    /// Show the whole life of a migration on a throwaway server
    #[command(after_help = "Examples:\n  zdm demo\n  zdm demo --engine mariadb")]
    Demo(DemoArgs),
    /// A process of the demo's application
    #[command(hide = true)]
    DemoApp(DemoAppArgs),
    /// Write a completion script for a shell
    #[command(
        after_help = "Examples:\n  zdm completions bash > /etc/bash_completion.d/zdm\n  zdm completions zsh > ~/.zfunc/_zdm"
    )]
    Completions(CompletionsArgs),
}

/// `zdm init`.
#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The database for which zdm.toml is written
    #[arg(long, value_parser = engine, default_value = "postgres")]
    pub(crate) engine: Engine,
}

/// `zdm new`.
#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// What it is called: letters, digits and _
    pub(crate) name: String,
    /// Declare this operation instead of leaving expand.sql to be written
    #[arg(long, value_name = "KIND")]
    pub(crate) operation: Option<String>,
    /// The operation's table
    #[arg(long, requires = "operation")]
    pub(crate) table: Option<String>,
    /// The operation's old name
    #[arg(long, requires = "operation")]
    pub(crate) from: Option<String>,
    /// The operation's new name
    #[arg(long, requires = "operation")]
    pub(crate) to: Option<String>,
}

/// `zdm expand`.
#[derive(Args, Debug)]
pub(crate) struct ExpandArgs {
    /// Flags of every run.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// What is overridden.
    #[command(flatten)]
    pub(crate) overridden: OverrideArgs,
}

/// `zdm migrate`.
#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// Flags of every run.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// What is overridden.
    #[command(flatten)]
    pub(crate) overridden: OverrideArgs,
    /// Let the backfill run without pauses
    #[arg(long)]
    pub(crate) full_speed: bool,
}

/// `zdm contract`.
#[derive(Args, Debug)]
pub(crate) struct ContractArgs {
    /// Flags of every run.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Flags of the gate.
    #[command(flatten)]
    pub(crate) gate: GateArgs,
    /// What a blocked gate is: `skip` exits 0, for scheduled jobs
    #[arg(long, value_enum, default_value = "fail", value_name = "HOW")]
    pub(crate) if_blocked: IfBlocked,
}

/// `zdm purge`.
#[derive(Args, Debug)]
pub(crate) struct PurgeArgs {
    /// Flags of every run.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Flags of the gate.
    #[command(flatten)]
    pub(crate) gate: GateArgs,
}

/// `zdm rollback`.
#[derive(Args, Debug)]
pub(crate) struct RollbackArgs {
    /// The migration: its name or number
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// How far; without it one step: from hidden to migrated, from any state before to pending. With it the command can
    /// be repeated
    #[arg(long, value_name = "STATE")]
    pub(crate) to: Option<BackTo>,
    /// How long to wait for locks before giving up
    #[arg(long, value_parser = duration::parse, default_value = "10m", env = "ZDM_LOCK_WAIT", value_name = "TIME")]
    pub(crate) lock_wait: Duration,
    /// How long to wait for the end of another run
    #[arg(long, value_parser = duration::parse, default_value = "0s", env = "ZDM_RUN_WAIT", value_name = "TIME")]
    pub(crate) run_wait: Duration,
    /// Flags of the gate.
    #[command(flatten)]
    pub(crate) gate: GateArgs,
}

/// A state to go back to.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BackTo {
    /// Undo contract, nothing else
    Migrated,
    /// Undo everything
    Pending,
}

/// `zdm status`.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// Take the files of this migration as they are now for what was applied
    #[arg(long, value_name = "ID", requires = "reason")]
    pub(crate) accept: Option<String>,
    /// Why, for the events
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub(crate) reason: Option<String>,
}

/// `zdm instances`.
#[derive(Args, Debug)]
pub(crate) struct InstancesArgs {
    /// Show those that have gone, too
    #[arg(long)]
    pub(crate) all: bool,
}

/// `zdm events`.
#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// How many, counted from the newest
    #[arg(long, default_value = "50", value_name = "N")]
    pub(crate) last: u32,
    /// Of this migration alone: its name or number
    #[arg(long, value_name = "ID")]
    pub(crate) migration: Option<String>,
}

/// `zdm gate`.
#[derive(Args, Debug)]
pub(crate) struct GateCommandArgs {
    /// The migration: its name or number
    #[arg(value_name = "ID", required_unless_present = "start_with")]
    pub(crate) id: Option<String>,
    /// The gate of rollback instead of contract's
    #[arg(long, conflicts_with = "child")]
    pub(crate) rollback: bool,
    /// May a build start now? A file that `zdm manifest` wrote for it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "rollback", "child"])]
    pub(crate) start_with: Option<PathBuf>,
    /// Flags of the gate.
    #[command(flatten)]
    pub(crate) gate: GateArgs,
    /// How long to wait for the end of another run
    #[arg(long, value_parser = duration::parse, default_value = "0s", env = "ZDM_RUN_WAIT", value_name = "TIME")]
    pub(crate) run_wait: Duration,
    /// Another tool's command, which takes the old structure away
    #[arg(last = true, value_name = "CMD")]
    pub(crate) child: Vec<std::ffi::OsString>,
}

/// `zdm report`.
#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// The service, as [services] calls it
    #[arg(long, value_name = "NAME")]
    pub(crate) service: String,
    /// What the build tolerates and needs: a file that `zdm manifest` wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// A migration whose contract this build survives, besides those of the manifest
    #[arg(long, value_name = "ID")]
    pub(crate) tolerates: Vec<String>,
    /// The build, for people
    #[arg(long, value_name = "V", default_value = "unknown")]
    pub(crate) version: String,
    /// The copy, for people [default: host name and process number]
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// How long to wait for what the build needs
    #[arg(long, value_parser = duration::parse, default_value = "60s", value_name = "TIME")]
    pub(crate) join_timeout: Duration,
    /// Answer probes over HTTP: GET /ready is 200 while the lease holds, else 503; GET /live
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// The application and its arguments [default: only report, until SIGTERM]
    #[arg(last = true, value_name = "CMD")]
    pub(crate) child: Vec<std::ffi::OsString>,
}

/// `zdm manifest`.
#[derive(Args, Debug)]
pub(crate) struct ManifestArgs {
    /// The service, as [services] calls it
    #[arg(long, value_name = "NAME")]
    pub(crate) service: String,
}

/// `zdm rules`.
#[derive(Args, Debug)]
pub(crate) struct RulesArgs {
    /// The rule to explain [default: list all]
    #[arg(value_name = "RULE")]
    pub(crate) id: Option<String>,
}

/// `zdm completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

fn engine(text: &str) -> Result<Engine, String> {
    Engine::parse(text).ok_or_else(|| "write postgres, mysql or mariadb".to_owned())
}

fn server(text: &str) -> Result<Server, String> {
    let (word, version) = text.split_once(':').unwrap_or((text, ""));
    let engine = Engine::parse(word);
    let version = crate::config::zdm_toml::parse_version(version);
    match (engine, version) {
        (Some(engine), Some(version)) => Ok(Server { engine, version }),
        _ => Err("write postgres:15, mysql:8.4 or mariadb:10.11".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                help.contains(&format!("zdm {}", command.get_name())),
                "{}",
                command.get_name()
            );
        }
    }

    #[test]
    fn a_url_in_the_arguments_is_not_shown_by_debug() {
        let cli =
            Cli::try_parse_from(["zdm", "status", "--database-url", "postgres://u:s3cret@h/d"]);
        assert!(!format!("{cli:?}").contains("s3cret"));
    }
}
