//! `zdm new`: the folder of the next migration.

use std::fmt::Write;
use std::process::ExitCode;

use crate::cli::args::NewArgs;
use crate::cli::output::Stop;
use crate::cli::{Shell, files};
use crate::config::migration_toml;
use crate::config::source::Source;
use crate::error::{Error, ErrorKind};
use crate::model::name::MigrationId;
use crate::report::json;

/// Digits of a number when no migration sets another width.
const WIDTH: usize = 4;

/// Makes it.
pub(crate) fn run(args: &NewArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let migrations = settings.folder()?;
    let id = next_id(&files::folder_names(migrations)?, &args.name)?;
    let files = contents(args);
    let folder = migrations.join(id.as_str());
    for (name, text) in &files {
        if *name == "migration.toml" {
            migration_toml::parse(Source { path: name, text })
                .map_err(|error| error.hint(OPERATION_HINT))?;
        }
    }
    std::fs::create_dir(&folder).map_err(|error| {
        let message = format!("could not make folder \"{}\"", folder.display());
        Error::new(ErrorKind::Failed, message).caused_by(error)
    })?;
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        files::create(&path, &text)?;
        written.push(path.display().to_string());
    }
    let lines = written.iter().fold(String::new(), |mut lines, path| {
        writeln!(lines, "wrote {path}").unwrap_or_default();
        lines
    });
    shell.result(|| lines, || json::made::made("new", Some(id.as_str()), written, "zdm plan"))?;
    shell.next(Some("zdm plan"))?;
    Ok(ExitCode::SUCCESS)
}

const OPERATION_HINT: &str = "Nothing was written. An operation needs all of its keys, for example: \
    zdm new users_display_name --operation rename_column --table users --from name --to display_name";

/// The number after the highest, in the width of the highest; 0001 at first.
fn next_id(names: &[String], name: &str) -> Result<MigrationId, Error> {
    let mut ids: Vec<MigrationId> =
        names.iter().filter_map(|name| MigrationId::parse(name).ok()).collect();
    ids.sort();
    let highest = ids.last().and_then(|id| id.as_str().split_once('_')).map(|(digits, _)| digits);
    let number = highest.map_or(Some(0), |digits| digits.parse::<u64>().ok());
    let number = number.and_then(|number| number.checked_add(1)).ok_or_else(|| {
        Error::usage("the highest number of a migration is too large to count on from")
    })?;
    let width = highest.map_or(WIDTH, str::len);
    let slug = name.trim().replace([' ', '-'], "_");
    MigrationId::parse(&format!("{number:0width$}_{slug}")).map_err(|_form| {
        Error::usage(format!("\"{name}\" cannot be the name of a migration"))
            .hint("Use letters, digits and _, for example users_display_name.")
    })
}

fn contents(args: &NewArgs) -> Vec<(&'static str, String)> {
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let description = quote(&args.name.trim().replace(['_', '-'], " "));
    let mut declaration = format!("description  = {description}\n");
    let Some(kind) = &args.operation else {
        declaration.push_str(DECLARATION_HINTS);
        return vec![("migration.toml", declaration), ("expand.sql", EXPAND.to_owned())];
    };
    declaration.push_str("\n[[operation]]\n");
    let keys = [
        ("kind", Some(kind)),
        ("table", args.table.as_ref()),
        ("from", args.from.as_ref()),
        ("to", args.to.as_ref()),
    ];
    for (key, value) in keys {
        if let Some(value) = value {
            writeln!(declaration, "{key:<5} = {}", quote(value)).unwrap_or_default();
        }
    }
    declaration.push_str(CONTRACT_HINT);
    vec![("migration.toml", declaration)]
}

const DECLARATION_HINTS: &str = "
# deploy_after = \"migrate\"          # \"expand\": new builds cope with rows not yet backfilled

# [[backfill]]                      # fills rows in batches, in the phase migrate
# table  = \"users\"
# set    = \"email_domain = lower(email)\"
# where  = \"email_domain IS NULL\"
# verify = \"email_domain IS NULL\"   # must match no row afterwards

# [contract]
# tolerated_by = [\"api\"]            # add it in the commit in which api stops using the old structure
";

const CONTRACT_HINT: &str = "
# [contract]
# tolerated_by = [\"api\"]            # add it in the commit in which api stops using the old structure
";

const EXPAND: &str =
    "-- Run before the new build is deployed: add what it needs, take nothing away.
-- contract.sql beside this file runs when no old instance is left; rollback.sql undoes this file.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], name: &str) -> Result<String, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let id = next_id(&names, name).map_err(|error| error.to_string())?;
        Ok(id.to_string())
    }

    #[test]
    fn numbers_go_on_from_the_highest_in_its_width() {
        assert_eq!(check(&[], "a"), Ok("0001_a".to_owned()));
        assert_eq!(check(&["0009_a", "README"], "b c"), Ok("0010_b_c".to_owned()));
        assert_eq!(check(&["20260101120000_a"], "b"), Ok("20260101120001_b".to_owned()));
        assert_eq!(check(&[], "é"), Err("\"é\" cannot be the name of a migration".to_owned()));
    }
}
