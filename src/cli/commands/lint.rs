//! `zdm lint`: the rules over SQL files of any tool, or over those of the project.

use std::mem::ManuallyDrop;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use super::sources;
use crate::cli::args::{Format, LintArgs};
use crate::cli::asked::{self, Asked};
use crate::cli::encoding::NotText;
use crate::cli::file_names::{is_down, is_of_zdm, phase_of};
use crate::cli::git::Changed;
use crate::cli::output::Stop;
use crate::cli::settings::Settings;
use crate::cli::{Shell, ahead, check, exit, files};
use crate::error::{Error, ErrorKind};
use crate::lint::fix::fixed;
use crate::lint::read::{BegunFile, begin_file};
use crate::lint::{FileContext, judge_briefly};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::plan::build::plan;
use crate::plan::history::History;
use crate::plan::view::PlannedStatement;
use crate::report::check::{About, Check};
use crate::report::json::change::Change;
use crate::report::json::lint::LintResult;
use crate::report::linted::{LintedFile, LintedStatement, Shared};
use crate::report::{human, json};
use crate::sql::catalog::Catalog;
use crate::sql::change::Located;
use crate::sql::replay::Names;
use crate::sql::span::Span;
use crate::sql::split::RunBy;

/// Judges them; exit code 3 when a finding is as bad as `--fail-on` says.
pub(crate) fn run(args: &LintArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let asked = match &args.snapshot {
        Some(path) => Some(asked::of_snapshot(path, &path.display().to_string())?),
        None if args.schema.is_none() => asked::configured(shell, &settings)?,
        None => None,
    };
    let server = args.server.or(asked.as_ref().map(|asked| asked.server));
    let server = settings.server(server);
    let judge = || -> Result<Vec<LintedFile>, Error> {
        let linted = if args.files.is_empty() {
            of_project(server, &settings, asked.as_ref())?
        } else {
            of_files((args, server), &settings, asked.as_ref())?
        };
        match &args.since {
            Some(revision) => changed(linted, revision, (args, &settings, shell)),
            None => Ok(linted),
        }
    };
    let mut linted = judge()?;
    if args.fix {
        // One edit can make room for another, or for a finding that is answered in turn.
        for _ in 0..ROUNDS {
            let edits = fix(&linted)?;
            if edits.is_empty() {
                break;
            }
            edits.iter().try_for_each(|edit| shell.output.note(edit))?;
            linted = judge()?;
        }
    }
    // The process ends when they are written: nobody needs their memory back.
    let linted = ManuallyDrop::new(linted);
    let worst = linted.iter().flat_map(LintedFile::findings).map(|finding| finding.severity).max();
    let fails = args.fail_on.severity();
    let (result, code) = if linted.iter().any(LintedFile::is_unread) {
        (LintResult::Unread, exit::code(ErrorKind::Usage))
    } else if fails.is_some_and(|least| worst >= Some(least)) {
        (LintResult::Findings, exit::code(ErrorKind::Findings))
    } else {
        (LintResult::Done, 0)
    };
    if let Format::Report(format) = shell.output.format {
        let root = check::root(&shell.directory, shell.globals);
        let at = chrono::Utc::now();
        let about = About { command: "lint", server, root: &root, at, code, fails };
        check::write(shell.output, format, &Check::lint(about, &linted))?;
    } else {
        shell.result(|| human::lint::lint(&linted), || json::lint::lint(&linted, result))?;
    }
    Ok(ExitCode::from(code))
}

/// So often files are edited and judged again.
const ROUNDS: usize = 10;

/// Puts the edits of findings into their files; says each.
fn fix(linted: &[LintedFile]) -> Result<Vec<String>, Error> {
    let mut said = Vec::new();
    for file in linted {
        let Some((text, taken)) = fixed(&file.text, file.findings()) else { continue };
        files::replace(Path::new(&file.path), &file.text, &text)?;
        said.extend(taken.iter().map(|finding| {
            let (line, column) = (finding.span.line, finding.span.column);
            format!("fixed {}:{line}:{column}: {}: {}", file.path, finding.rule, finding.help)
        }));
    }
    Ok(said)
}

/// Those files that differ: the others were only read for the schema.
fn changed(
    mut linted: Vec<LintedFile>,
    revision: &str,
    (args, settings, shell): (&LintArgs, &Settings, &Shell<'_>),
) -> Result<Vec<LintedFile>, Error> {
    let folder = match args.files.first() {
        Some(file) => file.parent().filter(|folder| *folder != Path::new("")),
        None => Some(settings.folder()?),
    };
    let folder = folder.unwrap_or(&shell.directory);
    let changed = Changed::since(revision, folder, &shell.directory)?;
    linted.retain(|file| changed.is_file_changed(Path::new(&file.path)));
    Ok(linted)
}

fn of_files(
    (args, server): (&LintArgs, Server),
    settings: &Settings,
    asked: Option<&Asked>,
) -> Result<Vec<LintedFile>, Error> {
    let names = Names::new(server.engine, &settings.config.database.schemas);
    let mut catalog = asked.map(|asked| asked.catalog.clone()).unwrap_or_default();
    let schema = args.schema.iter().map(|path| (path.as_path(), None));
    let phases = args.files.iter().map(|path| (path.as_path(), phase_of(args.phase, path)));
    let files: Vec<_> = schema.chain(phases).collect();
    let mut linted = Vec::with_capacity(files.len());
    let (mut changes, mut effects) = (Shared::default(), Shared::default());
    let read = |(path, _): (&Path, _)| {
        let is_schema = args.schema.as_deref() == Some(path);
        read(path, server, if is_schema { Need::All } else { Need::WhatIsThere })
    };
    // Only who judges a file needs the schema that the file before has left.
    ahead::in_order(&files, read, |Read { shown, text, file }, (path, phase)| {
        let judged = settings.config.lint.judges(path);
        let file = match file {
            Ok(file) => file,
            Err(not) => {
                // It can have done anything: what follows meets a schema of which nothing is known.
                if !is_down(path) {
                    catalog = Catalog::default();
                }
                let phase = phase.unwrap_or(Phase::Expand);
                let mut unread = LintedFile::unread(shown, (text, &not.why), phase, server);
                if !judged {
                    unread.statements.iter_mut().for_each(|one| one.findings.clear());
                }
                linted.push(unread);
                return;
            }
        };
        // What undoes a migration has not run when the next file does.
        let before = is_down(path).then(|| catalog.mark());
        let mut cx = FileContext {
            phase,
            server,
            names: &names,
            catalog: &mut catalog,
            rules: &settings.config.lint.rules,
            backfilled: &[],
        };
        let found = judge_briefly((file, &text), &mut cx, |statement| {
            let Span { start, end, .. } = statement.source.span;
            let sql = statement.source.sql.as_str();
            let stands_there = text.get(start..end) == Some(sql);
            LintedStatement {
                span: statement.source.span,
                sql: (!stands_there).then(|| sql.into()),
                changes: changes.keep(in_short(&statement.changes)),
                effect: effects.keep(statement.effect.clone()),
                estimate: statement.estimate.map(Box::new),
                findings: Vec::new(),
            }
        });
        let found = found.into_iter().map(|(statement, findings)| LintedStatement {
            findings: if judged { findings } else { Vec::new() },
            ..statement
        });
        let statements = found.collect();
        match before {
            Some(before) => catalog.back_to(before),
            // What another file makes was deployed before this one: somebody uses it.
            None => catalog.settle(),
        }
        let phase = phase.unwrap_or(Phase::Expand);
        linted.push(LintedFile { path: shown, text, phase, statements });
    })?;
    // The schema was only read for what it makes.
    linted.drain(..usize::from(args.schema.is_some()));
    Ok(linted)
}

/// A file that was read.
struct Read {
    shown: String,
    /// Of one that is no text, what stands before its first byte that is none.
    text: String,
    file: Result<BegunFile, NotText>,
}

/// What a file is wanted for.
enum Need {
    /// The rest makes no sense without it.
    All,
    /// The rest can be judged without it.
    WhatIsThere,
}

fn read(path: &Path, server: Server, need: Need) -> Result<Read, Error> {
    let shown = path.display().to_string();
    let run_by = if is_of_zdm(path) { RunBy::Zdm } else { RunBy::AnyTool };
    match (files::read_any(path, &shown)?, need) {
        (Ok(text), _) => {
            let file = Ok(begin_file(&text, server.engine, run_by));
            Ok(Read { shown, text, file })
        }
        (Err(not), Need::All) => Err(files::not_text(&not, &shown)),
        (Err(mut not), Need::WhatIsThere) => {
            let text = std::mem::take(&mut not.before);
            Ok(Read { shown, text, file: Err(not) })
        }
    }
}

/// Every file of the project, judged as the plan of an empty database judges it; with a snapshot, those that it has not
/// seen run, as the plan of that database judges them.
fn of_project(
    server: Server,
    settings: &Settings,
    asked: Option<&Asked>,
) -> Result<Vec<LintedFile>, Error> {
    let project = settings.project()?;
    ahead::project(&project, server.engine);
    let plan = match asked {
        Some(asked) => plan(&project, server, Some(&asked.catalog), &asked.history),
        None => plan(&project, server, None, &History::default()),
    };
    let mut linted: Vec<LintedFile> = Vec::new();
    let texts = sources(&project);
    let steps = plan.migrations.iter().flat_map(|migration| &migration.phases).flat_map(|phase| {
        let statements = phase.steps.iter().flat_map(|step| &step.statements);
        statements.map(|statement| (phase.phase, statement))
    });
    let beside = plan.migrations.iter().flat_map(|migration| &migration.beside);
    let beside = beside.map(|statement| (json::plan::phase_of(statement), statement));
    for (phase, statement) in steps.chain(beside) {
        let Some((path, _)) = &statement.place else { continue };
        let statement = linted_statement(statement);
        match linted.iter_mut().find(|file| file.path == *path) {
            Some(file) => file.statements.push(statement),
            None => linted.push(LintedFile {
                path: path.clone(),
                text: texts.get(path).cloned().unwrap_or_default(),
                phase,
                statements: vec![statement],
            }),
        }
    }
    linted.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(linted)
}

fn linted_statement(statement: &PlannedStatement) -> LintedStatement {
    LintedStatement {
        span: statement.place.as_ref().map_or_else(|| Span::whole(""), |(_, span)| *span),
        sql: Some(statement.sql.as_str().into()),
        changes: in_short(&statement.changes).into(),
        effect: Rc::new(statement.effect.clone()),
        estimate: statement.estimate.map(Box::new),
        findings: statement.findings.clone(),
    }
}

fn in_short(changes: &[Located]) -> Vec<Change> {
    changes.iter().map(|located| (&located.change).into()).collect()
}
