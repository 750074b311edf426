//! `zdm init`: zdm.toml with every key explained, and a folder of migrations.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::args::InitArgs;
use crate::cli::output::Stop;
use crate::cli::{Shell, files};
use crate::error::{Error, ErrorKind};
use crate::model::server::Engine;
use crate::report::json;

/// Writes both; refuses to write over a file.
pub(crate) fn run(args: &InitArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    files::create(&shell.directory.join("zdm.toml"), &template(args.engine))?;
    let folder = Path::new("migrations");
    let path = shell.directory.join(folder);
    if !path.is_dir() {
        std::fs::create_dir(&path).map_err(|error| {
            Error::new(ErrorKind::Failed, "could not make folder \"migrations\"").caused_by(error)
        })?;
        // An empty folder would not be kept by git.
        files::create(&path.join(".gitkeep"), "")?;
    }
    let next = "zdm new NAME";
    shell.result(
        || "wrote zdm.toml and migrations/\n".to_owned(),
        || {
            let files = ["zdm.toml", "migrations"].map(str::to_owned).to_vec();
            json::made::made("init", None, files, next)
        },
    )?;
    shell.next(Some(next))?;
    Ok(ExitCode::SUCCESS)
}

fn template(engine: Engine) -> String {
    let (url, version) = match engine {
        Engine::Postgres => ("postgres://app_owner@localhost/app", "15"),
        Engine::MySql => ("mysql://app_owner@localhost/app", "8.4"),
        Engine::MariaDb => ("mariadb://app_owner@localhost/app", "10.11"),
    };
    let text = include_str!("init/zdm.toml");
    text.replace("ENGINE", engine.as_str()).replace("VERSION", version).replace("ADDRESS", url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Source;
    use crate::config::{Config, zdm_toml};

    fn check(text: &str) -> Config {
        zdm_toml::parse(Source { path: "zdm.toml", text }, None, &|_| Some("x".to_owned())).unwrap()
    }

    #[test]
    fn the_file_is_valid_as_it_is_written() {
        for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
            let config = check(&template(engine));
            assert_eq!(config.database.engine, Some(engine));
        }
    }

    #[test]
    fn every_key_is_there() {
        let text = template(Engine::Postgres);
        for key in zdm_toml::DATABASE {
            assert!(
                text.contains(&format!("\n#{key} = ")) || text.contains(&format!("\n{key} ")),
                "{key}"
            );
        }
        for key in crate::config::BACKFILL.iter().chain(&crate::config::SIGNALS) {
            let is_table = *key == "signals";
            assert!(is_table || text.contains(&format!("\n#{key} = ")), "{key}");
        }
        for key in zdm_toml::ROOT {
            assert!(
                text.contains(&format!("[{key}")) || text.contains(&format!("#{key} = ")),
                "{key}"
            );
        }
    }

    #[test]
    fn every_key_in_a_comment_is_valid_without_its_comment_sign() {
        let text = template(Engine::Postgres);
        let lines = text.lines().map(|line| match line.strip_prefix('#') {
            // `# words` is for people, `#key = value` and `#[table]` are keys.
            Some(key) if !key.starts_with(' ') => key,
            _ => line,
        });
        let all = lines.collect::<Vec<_>>().join("\n");
        // One address at a time is allowed.
        let all = all.replace("url_file = ", "# url_file = ");
        let config = check(&all);
        assert!(config.services.len() == 2 && config.database.role.is_some());
        assert!(config.database.direct_url.is_some() && !config.lint.rules.is_empty());
        let environments = ["production", "test"];
        for environment in environments {
            let source = Source { path: "zdm.toml", text: &all };
            let config = zdm_toml::parse(source, Some(environment), &|_| None);
            assert!(config.is_ok(), "{config:?}");
        }
    }
}
