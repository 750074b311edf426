//! The one owner of stdout and stderr.

use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use indicatif::{MultiProgress, ProgressDrawTarget};

use super::args::{Color, Format, GlobalArgs};
use crate::error::{Error, ErrorKind};
use crate::report::json;

/// Data goes to stdout, everything else to stderr. Texts come with colours; they are taken out where nobody wants them.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// How results are written.
    pub(crate) format: Format,
    quiet: bool,
    width: usize,
    bars: MultiProgress,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It failed.
    Failed(Box<Error>),
    /// Whoever read our output has gone: nothing is left to say, and nothing is wrong.
    PipeClosed,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::PipeClosed;
        }
        Error::new(ErrorKind::Failed, "could not write the output").caused_by(error).into()
    }
}

impl Output {
    /// Decides about colours, once for the process.
    pub(crate) fn new(globals: &GlobalArgs) -> Self {
        match globals.color {
            // anstream itself looks at the terminal, NO_COLOR and CLICOLOR_FORCE.
            Color::Auto => {}
            Color::Always => ColorChoice::Always.write_global(),
            Color::Never => ColorChoice::Never.write_global(),
        }
        let target = match globals.format {
            Format::Human if !globals.quiet => ProgressDrawTarget::stderr(),
            Format::Human | Format::Json | Format::Report(_) => ProgressDrawTarget::hidden(),
        };
        Self {
            format: globals.format,
            quiet: globals.quiet,
            width: terminal_size::terminal_size()
                .map_or(100, |(width, _)| usize::from(width.0).clamp(60, 160)),
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Writes a result to stdout.
    pub(crate) fn data(&self, text: &str) -> Result<(), Stop> {
        self.bars.suspend(|| {
            let mut stdout = io::stdout().lock();
            // In one piece: anstream's own stream writes line by line.
            if AutoStream::choice(&stdout) == ColorChoice::Never {
                stdout.write_all(strip_str(text).to_string().as_bytes())?;
            } else {
                stdout.write_all(text.as_bytes())?;
            }
            stdout.flush()
        })?;
        Ok(())
    }

    /// Writes a result to stdout as JSON, piece by piece.
    pub(crate) fn json<T: serde::Serialize>(&self, value: &T) -> Result<(), Stop> {
        self.bars.suspend(|| {
            // There is no colour to be taken out.
            let mut stdout = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
            json::write(value, &mut stdout)?;
            stdout.flush()
        })?;
        Ok(())
    }

    /// Writes what people should know to stderr, unless they asked for quiet.
    pub(crate) fn note(&self, text: &str) -> Result<(), Stop> {
        if self.quiet { Ok(()) } else { self.problem(text) }
    }

    /// Writes an error to stderr.
    pub(crate) fn problem(&self, text: &str) -> Result<(), Stop> {
        self.bars.suspend(|| {
            let mut stderr = anstream::stderr().lock();
            stderr.write_all(text.as_bytes())?;
            stderr.flush()
        })?;
        Ok(())
    }

    /// Where progress bars are drawn.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Whether progress may be drawn as a bar that moves.
    pub(crate) fn is_animated(&self) -> bool {
        !self.quiet && self.format == Format::Human && io::stderr().is_terminal()
    }

    /// How many characters a line of stdout has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }
}

/// Log lines, written so that they do not cut through a progress bar.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| anstream::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        anstream::stderr().lock().flush()
    }
}
