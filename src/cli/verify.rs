//! `zdm plan --verify`: what is to be run, and where.

use std::path::Path;
use std::sync::Arc;

use super::args::PlanArgs;
use super::asked::Asked;
use super::settings::Settings;
use super::{Shell, files, signals};
use crate::engine::interrupt::Interrupt;
use crate::engine::verify::{SchemaFile, Wish, verify};
use crate::error::Error;
use crate::plan::project::Project;
use crate::plan::verified::Verified;
use crate::plan::view::Plan;

/// Runs the plan on a scratch server. Only a schema from somewhere else says what has run: without one, everything runs
/// from the beginning.
pub(crate) fn run(
    args: &PlanArgs,
    shell: &Shell<'_>,
    (settings, project): (&Settings, &Arc<Project>),
    asked: Option<&Asked>,
) -> Result<(Plan, Verified), Error> {
    let schema = args.schema.as_deref().map(schema_file).transpose()?;
    let history = asked.filter(|_| schema.is_some()).map(|asked| asked.history.clone());
    let known = args.server.or(asked.map(|asked| asked.server));
    let engine = match &args.scratch_url {
        Some(url) => super::settings::engine_of(url)?,
        None => settings.server(known).engine,
    };
    let wish = Wish {
        project: Arc::clone(project),
        history: history.unwrap_or_default(),
        schema,
        url: args.scratch_url.clone(),
        engine,
        interrupt: Interrupt::default(),
    };
    shell.block_on(async {
        let _listening = signals::listen(&wish.interrupt)?;
        verify(&wish).await
    })?
}

fn schema_file(path: &Path) -> Result<SchemaFile, Error> {
    let shown = path.display().to_string();
    let text = files::read(path, &shown)?;
    Ok(SchemaFile { path: shown, text })
}
