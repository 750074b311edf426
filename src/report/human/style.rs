//! The few colours that reports use.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// What a word means, and so which colour it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    /// A heading.
    Strong,
    /// Something beside the point.
    Faint,
    /// All is well.
    Good,
    /// Worth a look.
    Warn,
    /// In the way.
    Bad,
    /// A command to type, or a name.
    Code,
}

/// `text` in a tone.
pub(crate) fn paint(tone: Tone, text: impl Display) -> String {
    let style = match tone {
        Tone::Strong => Style::new().bold(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Warn => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Code => AnsiColor::Cyan.on_default(),
    };
    format!("{style}{text}{style:#}")
}
