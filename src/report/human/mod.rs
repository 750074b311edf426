//! Text for people. Comes with colours, which the output takes out where nobody wants them.

pub(crate) mod failure;
pub(crate) mod style;

use style::{Tone, paint};

/// The next command to type.
pub(crate) fn next(command: &str) -> String {
    format!("\n{} {}\n", paint(Tone::Faint, "next:"), paint(Tone::Code, command))
}
