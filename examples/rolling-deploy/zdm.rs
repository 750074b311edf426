//! The commands that the pipeline types: the program `zdm`, in the folder of a project.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::{Result, wrong};

/// Where the commands are typed.
#[derive(Clone, Debug)]
pub struct Zdm {
    pub program: PathBuf,
    /// The configuration, below this example's folder.
    pub config: &'static str,
    pub environment: Option<&'static str>,
    /// The database, with its password.
    pub url: String,
}

/// What came of a command.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub text: String,
}

impl Zdm {
    /// Runs one command.
    pub async fn run(&self, arguments: &[&str]) -> Result<Said> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rolling-deploy");
        let mut command = Command::new(&self.program);
        if let Some(environment) = self.environment {
            command.args(["--env", environment]);
        }
        clean(&mut command).env("DATABASE_URL", &self.url).stdin(Stdio::null());
        command.arg("--config").arg(here.join(self.config)).args(arguments);
        let output = command.output().await?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let code = output.status.code().ok_or_else(|| wrong("zdm was killed"))?;
        Ok(Said { code, text })
    }

    /// Runs one command that must end with this exit code.
    pub async fn must(&self, arguments: &[&str], code: i32) -> Result<String> {
        let said = self.run(arguments).await?;
        if said.code == code {
            return Ok(said.text);
        }
        let typed = arguments.join(" ");
        let Said { code: found, text } = said;
        Err(wrong(&format!("zdm {typed}: exit code {found} instead of {code}\n{text}")))
    }
}

/// Without the settings of who runs the drill.
pub fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("ZDM_") || text.starts_with("DATABASE_URL") {
            command.env_remove(&name);
        }
    }
    command.kill_on_drop(true)
}
