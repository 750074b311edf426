//! A command of the user's: exit code 0 lets the backfill run, 1 stops it, anything else means that it could not tell.

use std::process::Stdio;

use async_trait::async_trait;
use tokio::process::Command;

use super::{Kind, LOOK_LIMIT, Signal};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let line = wanted.config.command.clone()?;
        Some(Box::new(Asked { line }))
    },
};

const NAME: &str = "command";

struct Asked {
    line: String,
}

#[async_trait]
impl Signal for Asked {
    async fn read(&mut self, _conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        let mut command = Command::new("sh");
        command.args(["-c", &self.line]).stdin(Stdio::null()).kill_on_drop(true);
        let ended = match tokio::time::timeout(LOOK_LIMIT, command.output()).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => return Ok(Reading::unreadable(NAME, error.to_string())),
            Err(_elapsed) => {
                let why = format!("it did not end within {} s", LOOK_LIMIT.as_secs());
                return Ok(Reading::unreadable(NAME, why));
            }
        };
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let first = said.lines().next().unwrap_or_default().trim();
        Ok(match ended.status.code() {
            Some(0) => Reading::stop(NAME, None),
            Some(1) if first.is_empty() => {
                Reading::stop(NAME, Some(format!("command `{}` says stop", self.line)))
            }
            Some(1) => Reading::stop(NAME, Some(format!("command `{}` says: {first}", self.line))),
            _ => Reading::unreadable(NAME, format!("`{}` ended with {}", self.line, ended.status)),
        })
    }
}
