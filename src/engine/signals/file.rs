//! A file that stops the backfill as long as it is there.

use std::io::ErrorKind;
use std::path::PathBuf;

use async_trait::async_trait;

use super::{Kind, Signal};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let path = PathBuf::from(wanted.config.file.as_ref()?);
        Some(Box::new(File { path }))
    },
};

const NAME: &str = "file";

struct File {
    path: PathBuf,
}

#[async_trait]
impl Signal for File {
    async fn read(&mut self, _conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        let shown = self.path.display();
        Ok(match std::fs::symlink_metadata(&self.path) {
            Ok(_) => Reading::stop(NAME, Some(format!("file {shown} is there"))),
            Err(error) if error.kind() == ErrorKind::NotFound => Reading::stop(NAME, None),
            Err(error) => Reading::unreadable(NAME, format!("could not look at {shown}: {error}")),
        })
    }
}
