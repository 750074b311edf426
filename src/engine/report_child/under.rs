//! A child that does not outlive its parent, even one that is killed: nobody would renew its lease.
//!
//! Linux ends a process with its parent if the process itself asks for it. So zdm runs itself as the child, which asks,
//! and then becomes the command. The wish survives that, except for programs that run as another user (set-user-ID).

use std::ffi::{OsStr, OsString};
use std::io;

use tokio::process::Command;

/// The argument that makes zdm the child: `zdm __under PID COMMAND ...`.
const UNDER: &str = "__under";

/// The command, ready to be started. It must be started from the main thread: the end of the thread that starts a
/// process counts as the end of its parent.
pub(super) fn command(program: &OsStr, arguments: &[OsString]) -> io::Result<Command> {
    let mut command = if cfg!(target_os = "linux") {
        let mut zdm = Command::new(std::env::current_exe()?);
        zdm.arg(UNDER).arg(std::process::id().to_string()).arg(program);
        zdm
    } else {
        Command::new(program)
    };
    command.args(arguments).kill_on_drop(true);
    Ok(command)
}

/// Becomes the command when the arguments of this process say so; comes back only if that is not possible.
#[cfg(target_os = "linux")]
pub(crate) fn become_command(arguments: &[OsString]) -> Option<io::Error> {
    use std::os::unix::process::CommandExt;

    let [_zdm, under, parent, program, rest @ ..] = arguments else { return None };
    if under != UNDER {
        return None;
    }
    let parent =
        parent.to_str().and_then(|pid| pid.parse().ok()).and_then(rustix::process::Pid::from_raw);
    let kill = Some(rustix::process::Signal::KILL);
    if let Err(error) = rustix::process::set_parent_process_death_signal(kill) {
        return Some(error.into());
    }
    // The parent may have ended before that was asked.
    if rustix::process::getppid() != parent {
        return Some(io::Error::other("zdm report has ended"));
    }
    let failed = std::process::Command::new(program).args(rest).exec();
    let shown = program.display();
    Some(io::Error::new(failed.kind(), format!("could not start command \"{shown}\": {failed}")))
}

/// Elsewhere the command is the child itself.
#[cfg(not(target_os = "linux"))]
pub(crate) fn become_command(_arguments: &[OsString]) -> Option<io::Error> {
    None
}
