//! The crash of a server: for tests of what survives it.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{START, Scratch, ScratchError, recipe, serve_on};

impl Scratch {
    /// Ends the server and every process of its own as `kill -9` does.
    pub fn crash(&mut self) {
        let pid = self.server.id();
        // Stopped first: it must not start another process while the others are looked for.
        signal("STOP", &[pid]);
        signal("KILL", &[children(pid), vec![pid]].concat());
        drop(self.server.wait());
        // What says that PostgreSQL is ready; of the server that is dead.
        drop(std::fs::remove_file(self.folder.data().join("postmaster.pid")));
    }

    /// Starts the server again after [`Self::crash`], on the same port, with the data that it finds.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<(), ScratchError> {
        let recipe = recipe(self.engine)?;
        let deadline = Instant::now() + START;
        loop {
            let folder = &mut self.folder;
            if let Some(server) = serve_on(recipe.as_ref(), folder, self.port, self.durability)? {
                self.server = server;
                return Ok(());
            }
            // The last of the old processes may still be going, and hold the port or the memory.
            if Instant::now() > deadline || !folder.log().contains("in use") {
                return Err(ScratchError::failed(recipe.title(), folder.log()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The processes that a process has started.
fn children(of: u32) -> Vec<u32> {
    let Ok(listed) = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output() else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let pair = |line: &str| {
        let mut words = line.split_whitespace().map(|word| word.parse::<u32>().ok());
        Some((words.next()??, words.next()??))
    };
    text.lines().filter_map(pair).filter(|(_, parent)| *parent == of).map(|(pid, _)| pid).collect()
}

fn signal(name: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    // One that has ended in between is not missed.
    drop(Command::new("kill").args(["-s", name]).args(pids).status());
}
