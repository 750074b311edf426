//! A folder of migrations, from the names and texts of its files.

use std::collections::BTreeMap;

use super::Config;
use super::migration_toml::{self, Declaration};
use super::source::{Source, did_you_mean};
use crate::error::Error;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::plan::migration::{DeclarationFile, Migration, SqlFile};
use crate::plan::project::Project;

/// The file of declarations.
pub(crate) const DECLARATION: &str = "migration.toml";

/// The files of statements and the phases in which they run.
pub(crate) const SQL_FILES: [(&str, Phase); 4] = [
    ("expand.sql", Phase::Expand),
    ("migrate.sql", Phase::Migrate),
    ("contract.sql", Phase::Contract),
    ("rollback.sql", Phase::Rollback),
];

/// An entry of the folder of migrations, as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// A folder and the files in it: name and text.
    Folder {
        /// Its name.
        name: String,
        /// Name and text of each file in it.
        files: Vec<(String, String)>,
    },
    /// A file.
    File {
        /// Its name.
        name: String,
    },
}

/// Files that say nothing to zdm: hidden ones and notes for people.
pub(crate) fn is_ignored(name: &str) -> bool {
    let end = name.rsplit('.').next().unwrap_or_default();
    name.starts_with('.') || end.eq_ignore_ascii_case("md") || end.eq_ignore_ascii_case("txt")
}

/// The migrations of a folder, in order. `path` is the folder as the user would type it.
pub(crate) fn migrations(path: &str, entries: Vec<Entry>) -> Result<Vec<Migration>, Error> {
    let mut read: Vec<Migration> = Vec::new();
    for entry in entries {
        match entry {
            Entry::File { name } => return Err(stray(path, &name)),
            Entry::Folder { name, files } => read.push(migration(path, &name, files)?),
        }
    }
    read.sort_by(|a, b| a.id.cmp(&b.id));
    for (first, second) in read.iter().zip(read.iter().skip(1)) {
        if first.id.number() == second.id.number() {
            let message = format!("migrations {} and {} have the same number", first.id, second.id);
            let hint = "Give the one that no database has seen yet the next free number.";
            return Err(Error::usage(message).hint(hint));
        }
    }
    Ok(read)
}

fn stray(path: &str, name: &str) -> Error {
    let message = format!("file \"{path}/{name}\" is not a migration: a migration is a folder");
    Error::usage(message).hint(format!(
        "Put its statements into {path}/NNNN_slug/expand.sql, or move it out of {path}; `zdm new NAME` makes a folder."
    ))
}

fn migration(path: &str, name: &str, files: Vec<(String, String)>) -> Result<Migration, Error> {
    let id = MigrationId::parse(name).map_err(|invalid| {
        Error::usage(format!("folder \"{path}/{name}\" is not a migration"))
            .detail(invalid.to_string())
            .hint(format!("Rename it to NNNN_slug, or move it out of {path}."))
    })?;
    let (mut declaration, mut written) = (None, None);
    let mut sql = BTreeMap::new();
    for (file, text) in files {
        let file_path = format!("{path}/{name}/{file}");
        if file == DECLARATION {
            let source = Source { path: &file_path, text: &text };
            declaration = Some(migration_toml::parse(source)?);
            written = Some(DeclarationFile { path: file_path, text });
        } else if let Some((_, phase)) = SQL_FILES.iter().find(|(known, _)| *known == file) {
            sql.insert(*phase, SqlFile::new(file_path, text));
        } else {
            return Err(unknown_file(&file_path, &file));
        }
    }
    if declaration.is_none() && sql.is_empty() {
        return Err(Error::usage(format!("migration {id} is empty")).hint(format!(
            "Write {path}/{name}/expand.sql or {path}/{name}/migration.toml, or delete the folder."
        )));
    }
    let Declaration { description, deploy_after, operations, backfills, contract } =
        declaration.unwrap_or_default();
    let is_own = !operations.is_empty() || sql.contains_key(&Phase::Contract);
    if contract.by_other && is_own {
        let message =
            format!("migration {id} leaves its contract to another tool, and has one of its own");
        return Err(Error::usage(message).hint(
            "Take by = \"other\" out of [contract], or contract.sql and the operations out of the migration.",
        ));
    }
    Ok(Migration {
        id,
        description,
        deploy_after,
        operations,
        declaration: written,
        files: sql,
        backfills,
        contract,
    })
}

fn unknown_file(path: &str, file: &str) -> Error {
    let known: Vec<&str> = SQL_FILES.iter().map(|(name, _)| *name).chain([DECLARATION]).collect();
    Error::usage(format!("file \"{path}\" means nothing to zdm")).hint(did_you_mean(file, &known))
}

/// A project: the configuration, the migrations, and their agreement.
pub(crate) fn project(config: Config, migrations: Vec<Migration>) -> Result<Project, Error> {
    if !config.services.is_empty() {
        for migration in &migrations {
            let contract = &migration.contract;
            let named = contract.tolerated_by.iter().chain(contract.services.iter().flatten());
            let mut unknown = named.filter(|service| !config.services.contains_key(*service));
            if let Some(service) = unknown.next() {
                let known: Vec<&str> = config.services.keys().map(String::as_str).collect();
                let message = format!(
                    "migration {} names service \"{service}\", which is not in zdm.toml",
                    migration.id
                );
                return Err(Error::usage(message).hint(did_you_mean(service, &known)));
            }
        }
    }
    Ok(Project { config, migrations })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, files: &[(&str, &str)]) -> Entry {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Entry::Folder { name: name.to_owned(), files: files.collect() }
    }

    fn check(entries: Vec<Entry>) -> Result<Vec<String>, String> {
        let read = migrations("db", entries).map_err(|error| error.to_string())?;
        Ok(read.iter().map(|migration| migration.id.to_string()).collect())
    }

    #[test]
    fn migrations_come_in_order_of_their_numbers() {
        let sql = [("expand.sql", "SELECT 1")];
        assert_eq!(
            check(vec![folder("10_b", &sql), folder("9_a", &sql)]),
            Ok(vec!["9_a".to_owned(), "10_b".to_owned()])
        );
    }

    #[test]
    fn what_is_not_a_migration_is_refused_by_name() {
        let sql = [("expand.sql", "SELECT 1")];
        for (entries, message) in [
            (
                vec![folder("0001_a", &sql), folder("1_b", &sql)],
                "migrations 0001_a and 1_b have the same number",
            ),
            (
                vec![Entry::File { name: "0001_a.sql".to_owned() }],
                "file \"db/0001_a.sql\" is not a migration: a migration is a folder",
            ),
            (vec![folder("users", &sql)], "folder \"db/users\" is not a migration"),
            (vec![folder("0001_a", &[])], "migration 0001_a is empty"),
            (
                vec![folder("0001_a", &[("expnd.sql", "")])],
                "file \"db/0001_a/expnd.sql\" means nothing to zdm",
            ),
        ] {
            assert_eq!(check(entries), Err(message.to_owned()));
        }
    }
}
