//! Files of SQL, read on as many threads as the machine runs at once: to read them takes longer than what follows, and
//! needs no order.

use std::thread::{available_parallelism, scope};

use crate::error::{Error, ErrorKind};
use crate::lint::read::ReadFile;
use crate::model::server::Engine;
use crate::plan::migration::SqlFile;
use crate::plan::project::Project;

/// How many files a thread may be ahead of who takes them.
const AHEAD: usize = 16;

/// So many files are worth a thread.
const WORTH: usize = 8;

/// Reads files, and hands them over in their order.
pub(super) fn in_order<F: Copy + Send + Sync, R: Send>(
    files: &[F],
    read: impl Fn(F) -> Result<R, Error> + Copy + Send,
    mut take: impl FnMut(R, F),
) -> Result<(), Error> {
    let workers = workers(files.len());
    if workers < 2 {
        return files.iter().try_for_each(|file| {
            take(read(*file)?, *file);
            Ok(())
        });
    }
    scope(|scope| {
        let mut lines = Vec::with_capacity(workers);
        for worker in 0..workers {
            let (send, receive) = std::sync::mpsc::sync_channel(AHEAD);
            lines.push(receive);
            let mut mine = files.iter().skip(worker).step_by(workers);
            // When an error has ended the other side's work, nobody wants the rest.
            scope.spawn(move || mine.try_for_each(|file| send.send(read(*file))).is_ok());
        }
        for (file, line) in files.iter().zip(lines.iter().cycle()) {
            let Ok(read) = line.recv() else {
                return Err(Error::new(ErrorKind::Failed, "a thread that read files has died"));
            };
            take(read?, *file);
        }
        Ok(())
    })
}

/// Reads the files of a project, so that its plan finds them read.
pub(super) fn project(project: &Project, engine: Engine) {
    let files = project.migrations.iter().flat_map(|migration| migration.files.values());
    let files: Vec<&SqlFile> = files.collect();
    let read = |files: &[&SqlFile]| {
        for file in files {
            let _read: &ReadFile = file.read(engine);
        }
    };
    let Some(each) = files.len().checked_div(workers(files.len())) else { return };
    scope(|scope| {
        for part in files.chunks(each + 1) {
            scope.spawn(move || read(part));
        }
    });
}

/// How many threads read so many files.
fn workers(files: usize) -> usize {
    available_parallelism().map_or(1, usize::from).min(files / WORTH)
}
