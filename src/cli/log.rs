//! The log on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use super::args::{GlobalArgs, LogFormat};
use super::output::Output;

/// Starts the log: warnings at first, `-v` what zdm does, `-vv` everything. `ZDM_LOG` takes a filter of its own.
pub(crate) fn start(globals: &GlobalArgs, output: &Output) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,zdm=info",
        (false, _) => "info,zdm=trace",
    };
    let filter = std::env::var("ZDM_LOG").unwrap_or_else(|_unset| level.to_owned());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(filter))
        .with_writer(Writer(output.clone()));
    // The stream takes colours out where nobody wants them.
    let started = match globals.log_format {
        LogFormat::Text => builder.with_ansi(true).with_target(false).finish().try_init(),
        LogFormat::Json => builder.json().with_ansi(false).finish().try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "a log has been started before");
    }
}

struct Writer(Output);

impl MakeWriter<'_> for Writer {
    type Writer = Output;

    fn make_writer(&self) -> Output {
        self.0.clone()
    }
}
