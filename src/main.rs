//! The `zdm` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    zdm::cli::run(std::env::args_os())
}
