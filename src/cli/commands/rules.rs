//! `zdm rules`: the lint rules in words.

use std::process::ExitCode;

use crate::cli::Shell;
use crate::cli::args::RulesArgs;
use crate::cli::output::Stop;
use crate::config::source::did_you_mean;
use crate::error::Error;
use crate::lint::rules;
use crate::report::{human, json};

/// Lists them, or explains one.
pub(crate) fn run(args: &RulesArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let Some(id) = &args.id else {
        shell.result(
            || human::lint::rules(rules::ALL, shell.output.width()),
            || json::rules::rules(rules::ALL.iter()),
        )?;
        return Ok(ExitCode::SUCCESS);
    };
    let rule = rules::find(id).ok_or_else(|| {
        let known: Vec<&str> = rules::ALL.iter().map(|rule| rule.id).collect();
        Error::usage(format!("there is no rule \"{id}\"")).hint(did_you_mean(id, &known))
    })?;
    shell.result(|| human::lint::rule(rule), || json::rules::rules(std::iter::once(rule)))?;
    Ok(ExitCode::SUCCESS)
}
