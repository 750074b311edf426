//! `zdm plan`, and `--dry-run` of the phases.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::sources;
use crate::cli::args::{Format, PlanArgs};
use crate::cli::asked::{self, Asked};
use crate::cli::git::Changed;
use crate::cli::output::Stop;
use crate::cli::settings::{Settings, Way};
use crate::cli::{Shell, ahead, check, exit, verify};
use crate::engine::commands;
use crate::error::ErrorKind;
use crate::lint::finding::{Finding, Severity};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::plan::build;
use crate::plan::history::History;
use crate::plan::project::Project;
use crate::plan::verified::Verified;
use crate::plan::view::{Plan, PlannedMigration};
use crate::report::check::{About, Check};
use crate::report::human::plan::{Detail, View};
use crate::report::json::plan::PlanResult;
use crate::report::{human, json};

/// Shows the plan.
pub(crate) fn run(args: &PlanArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let mut asked = asked::any(shell, &settings, args.snapshot.as_deref(), args.offline)?;
    let project = Arc::new(project);
    let verified = if args.verify {
        let verified = verify::run(args, shell, (&settings, &project), asked.as_ref())?;
        // Without a schema to start from, nothing has run.
        asked = asked.filter(|_| args.schema.is_some());
        Some(verified)
    } else {
        None
    };
    let detail = if args.all { Detail::Full } else { Detail::Brief };
    let fails = args.fail_on.severity();
    let folder = settings.folder()?;
    let changed = args.since.as_deref();
    let changed = changed.map(|rev| Changed::since(rev, folder, &shell.directory)).transpose()?;
    let (server, only) = (args.server, None);
    let wish = Wish { asked, verified, server, detail, only, fails, changed };
    show(shell, (&settings, &project), &wish)
}

/// Shows the plan of one phase.
pub(crate) fn dry_run(phase: Phase, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    settings.required_target(Way::Any)?;
    let asked = asked::of_database(shell, &settings)?;
    let fails = Some(Severity::Error);
    let (detail, only, changed) = (Detail::Full, Some(phase), None);
    let (verified, server) = (None, None);
    let wish = Wish { asked, verified, server, detail, only, fails, changed };
    show(shell, (&settings, &project), &wish)
}

/// What is to be shown.
struct Wish {
    asked: Option<Asked>,
    verified: Option<(Plan, Verified)>,
    server: Option<Server>,
    detail: Detail,
    only: Option<Phase>,
    fails: Option<Severity>,
    changed: Option<Changed>,
}

fn show(
    shell: &Shell<'_>,
    (settings, project): (&Settings, &Project),
    wish: &Wish,
) -> Result<ExitCode, Stop> {
    let mut plan = match (&wish.verified, &wish.asked) {
        (Some((plan, _)), _) => plan.clone(),
        (None, Some(asked)) => {
            let server = wish.server.unwrap_or(asked.server);
            ahead::project(project, server.engine);
            build::plan(project, server, Some(&asked.catalog), &asked.history)
        }
        (None, None) => {
            let server = settings.server(wish.server);
            ahead::project(project, server.engine);
            build::plan(project, server, None, &History::default())
        }
    };
    let folder = Path::new(&settings.config.migrations);
    if let Some(changed) = &wish.changed {
        // What is refused holds back everything.
        plan.migrations.retain(|one| {
            !one.refusals.is_empty() || changed.is_folder_changed(&folder.join(one.id.as_str()))
        });
    }
    let since = wish.changed.as_ref().map(|changed| changed.report(folder));
    let texts = sources(project);
    let view = View {
        folder: &settings.config.migrations,
        database: wish.asked.as_ref().map(|asked| asked.source.clone()),
        catalog: wish.asked.as_ref().map(|asked| &asked.catalog),
        texts: &texts,
        width: shell.output.width(),
        detail: wish.detail,
        only: wish.only,
        since: since.as_ref(),
    };
    let drifted = wish
        .asked
        .as_ref()
        .map(|asked| commands::unless_drifted(project, &asked.history, asked.server));
    if let Some(Err(drifted)) = drifted {
        // For people both; for programs one object, and the error is the one that counts.
        if shell.output.format == Format::Human {
            shell.output.data(&human::plan::plan(&plan, &view))?;
        }
        return Err(drifted.into());
    }
    let verified = wish.verified.as_ref().map(|(_, verified)| verified);
    let differs = verified.is_some_and(|verified| verified.differences().next().is_some());
    let result = if differs { PlanResult::Differs } else { judge(&plan, wish.fails) };
    let code = match result {
        PlanResult::Differs => exit::code(ErrorKind::Failed),
        PlanResult::Done => 0,
        PlanResult::Findings => exit::code(ErrorKind::Findings),
        PlanResult::Refused => exit::code(ErrorKind::Usage),
    };
    if let Format::Report(format) = shell.output.format {
        let (root, at) = (check::root(&shell.directory, shell.globals), chrono::Utc::now());
        let (server, fails) = (plan.server, wish.fails);
        let about = About { command: "plan", server, root: &root, at, code, fails };
        let found = Check::plan(about, &plan, &view);
        let found = match verified {
            Some(verified) => found.verified(verified),
            None => found,
        };
        check::write(shell.output, format, &found)?;
    } else {
        let (next, since) = (next(&plan, result), since.as_ref());
        shell.result(
            || {
                let seen = verified.map(|verified| {
                    human::verified::verified(verified, view.detail, shell.output.width())
                });
                let plan = human::plan::plan(&plan, &view);
                [Some(plan), seen].into_iter().flatten().collect::<Vec<_>>().join("\n")
            },
            || json::plan::plan(&plan, result, (next, since, wish.only), verified),
        )?;
        shell.next(next)?;
    }
    Ok(ExitCode::from(code))
}

fn judge(plan: &Plan, fails: Option<Severity>) -> PlanResult {
    let worst = findings(plan).map(|finding| finding.severity).max();
    if plan.migrations.iter().any(|migration| !migration.refusals.is_empty()) {
        PlanResult::Refused
    } else if fails.is_some_and(|least| worst >= Some(least)) {
        PlanResult::Findings
    } else {
        PlanResult::Done
    }
}

fn findings(plan: &Plan) -> impl Iterator<Item = &Finding> {
    let phases = plan.migrations.iter().flat_map(|migration| &migration.phases);
    let steps = phases.flat_map(|phase| &phase.steps).filter(|step| !step.done);
    let of_steps =
        steps.flat_map(|step| &step.statements).flat_map(|statement| &statement.findings);
    let beside = plan.migrations.iter().flat_map(PlannedMigration::findings_beside);
    of_steps.chain(beside.map(|(_, finding)| finding))
}

/// The first phase that has something left to do.
fn next(plan: &Plan, result: PlanResult) -> Option<&'static str> {
    if result != PlanResult::Done {
        return None;
    }
    let phases = || plan.migrations.iter().flat_map(|migration| &migration.phases);
    let is_left = |phase: Phase| {
        phases()
            .any(|planned| planned.phase == phase && planned.steps.iter().any(|step| !step.done))
    };
    let commands = [
        (Phase::Expand, "zdm expand"),
        (Phase::Migrate, "zdm migrate"),
        (Phase::Contract, "zdm contract"),
        (Phase::Purge, "zdm purge"),
    ];
    commands.into_iter().find(|(phase, _)| is_left(*phase)).map(|(_, command)| command)
}
