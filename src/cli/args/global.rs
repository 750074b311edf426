//! Flags of every command.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{ArgAction, Args, ValueEnum};

use crate::database::target::DatabaseUrl;
use crate::report::formats::{self, ReportFormat};

/// Flags of every command.
#[derive(Args, Debug, Clone)]
pub(crate) struct GlobalArgs {
    /// The configuration file [default: zdm.toml in this folder or the nearest one above]
    #[arg(long, global = true, value_name = "FILE", env = "ZDM_CONFIG", help_heading = "Global")]
    pub(crate) config: Option<PathBuf>,
    /// The folder of migrations; with it, no zdm.toml is needed
    #[arg(long, global = true, value_name = "FOLDER", env = "ZDM_DIR", help_heading = "Global")]
    pub(crate) dir: Option<PathBuf>,
    /// The environment of zdm.toml whose values hold
    #[arg(long, global = true, value_name = "NAME", env = "ZDM_ENV", help_heading = "Global")]
    pub(crate) env: Option<String>,
    /// The database's address, for example `postgres://user@host/name`
    #[arg(long, global = true, value_name = "URL", value_parser = database_url(), help_heading = "Global")]
    pub(crate) database_url: Option<DatabaseUrl>,
    /// How results are written to stdout; the last five are for `zdm plan` and `zdm lint`
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "human",
        env = "ZDM_FORMAT",
        help_heading = "Global"
    )]
    pub(crate) format: Format,
    /// When to use colours (`NO_COLOR` is respected)
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        env = "ZDM_COLOR",
        help_heading = "Global"
    )]
    pub(crate) color: Color,
    /// Log more to stderr (-vv: everything)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global")]
    pub(crate) verbose: u8,
    /// Write nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global")]
    pub(crate) quiet: bool,
    /// How the log is written
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        env = "ZDM_LOG_FORMAT",
        help_heading = "Global"
    )]
    pub(crate) log_format: LogFormat,
}

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// One object, as docs/zdm.schema.json describes it.
    Json,
    /// A report of `zdm plan` or `zdm lint` for another program.
    Report(&'static ReportFormat),
}

static FORMATS: LazyLock<Vec<Format>> = LazyLock::new(|| {
    let reports = formats::ALL.iter().map(Format::Report);
    [Format::Human, Format::Json].into_iter().chain(reports).collect()
});

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Human => PossibleValue::new("human").help("For people"),
            Self::Json => {
                PossibleValue::new("json").help("One object, as docs/zdm.schema.json describes it")
            }
            Self::Report(format) => PossibleValue::new(format.name).help(format.about),
        })
    }
}

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Into pipes, too.
    Always,
    /// Never.
    Never,
}

/// How the log is written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One object a line.
    Json,
}

pub(super) fn database_url() -> impl TypedValueParser<Value = DatabaseUrl> {
    clap::builder::NonEmptyStringValueParser::new().map(DatabaseUrl::new)
}
