//! Flags, environment variables and zdm.toml become settings: flag > `ZDM_*` > `DATABASE_URL` > zdm.toml.

use std::path::{Path, PathBuf};

use super::args::GlobalArgs;
use super::files;
use crate::config::folder;
use crate::config::source::Source;
use crate::config::template::Template;
use crate::config::{Config, zdm_toml};
use crate::database::target::{DatabaseUrl, Target};
use crate::engine::job::{Address, Elsewhere};
use crate::error::Error;
use crate::model::server::{Engine, Server};
use crate::plan::project::Project;

const FILE: &str = "zdm.toml";

/// What the process was given besides its arguments. Tests give their own.
pub(crate) struct Surroundings<'a> {
    /// Environment variables; those that are not Unicode count as absent.
    pub(crate) variables: &'a dyn Fn(&str) -> Option<String>,
    /// The current directory.
    pub(crate) directory: PathBuf,
}

/// Everything that was said about the project and its database.
#[derive(Debug)]
pub(crate) struct Settings {
    /// zdm.toml with the environment laid over it, or defaults.
    pub(crate) config: Config,
    /// The file that was read, as the user would type it.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at it"))]
    pub(crate) file: Option<String>,
    folder: Folder,
    url: Option<DatabaseUrl>,
    direct_url: Option<DatabaseUrl>,
    role: Option<String>,
    elsewhere: Elsewhere,
}

/// Whether somebody said where the migrations are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Folder {
    /// By --dir, or by a zdm.toml beside them.
    Named,
    /// Nobody did: commands that need no migrations work all the same.
    Unknown,
}

impl Settings {
    /// Resolves them.
    pub(crate) fn resolve(globals: &GlobalArgs, around: &Surroundings<'_>) -> Result<Self, Error> {
        let found = find(globals, &around.directory)?;
        let mut config = match &found {
            Some(file) => {
                let text = files::read(&file.path, &file.shown)?;
                let source = Source { path: &file.shown, text: &text };
                zdm_toml::parse(source, globals.env.as_deref(), around.variables)?
            }
            None => Config::default(),
        };
        if let (None, Some(environment)) = (&found, &globals.env) {
            let message =
                format!("environment \"{environment}\" needs a {FILE}, and there is none");
            return Err(Error::usage(message).hint(NO_FILE_HINT));
        }
        if let Some(folder) = &globals.dir {
            config.migrations = folder.display().to_string();
        } else if let Some(file) = &found {
            config.migrations = beside(&file.shown, &config.migrations);
        }
        if let (Some(file), Some(snapshot)) = (&found, &mut config.database.snapshot) {
            *snapshot = beside(&file.shown, snapshot);
        }
        if let (Some(file), Some(stop)) = (&found, &mut config.backfill.signals.file) {
            *stop = beside(&file.shown, stop);
        }
        let folder = match (&globals.dir, &found) {
            (None, None) => Folder::Unknown,
            _ => Folder::Named,
        };
        let addresses = Addresses::resolve(globals, around, &config, found.as_ref())?;
        let role = config.database.role.as_ref();
        // Without an address nobody connects, and the role is not used.
        let role = match (role, &addresses.url) {
            (Some(role), Some(_)) => Some(role.expand(around.variables)?),
            _ => None,
        };
        let Addresses { url, direct_url } = addresses;
        let file = found.map(|file| file.shown);
        let elsewhere = elsewhere(&config, around);
        Ok(Self { config, file, folder, url, direct_url, role, elsewhere })
    }

    /// The folder of migrations, as the user would type it.
    pub(crate) fn folder(&self) -> Result<&Path, Error> {
        match self.folder {
            Folder::Named => Ok(Path::new(&self.config.migrations)),
            Folder::Unknown => {
                let message = format!("no {FILE} in this folder or above it");
                Err(Error::usage(message).hint(NO_FILE_HINT))
            }
        }
    }

    /// The project: these settings and every migration of the folder.
    pub(crate) fn project(&self) -> Result<Project, Error> {
        let entries = files::entries(self.folder()?)?;
        let migrations = folder::migrations(&self.config.migrations, entries)?;
        folder::project(self.config.clone(), migrations)
    }

    /// The database, when one is known. `direct`: not through the pooler.
    pub(crate) fn target(&self, way: Way) -> Option<Target> {
        let url = match way {
            Way::Direct => self.direct_url.as_ref().or(self.url.as_ref()),
            Way::Any => self.url.as_ref(),
        };
        url.map(|url| self.at(url.clone()))
    }

    fn at(&self, url: DatabaseUrl) -> Target {
        Target {
            url,
            role: self.role.clone(),
            schemas: self.config.database.schemas.clone(),
            application_name: "zdm".to_owned(),
        }
    }

    /// The database, which this command cannot do without.
    pub(crate) fn required_target(&self, way: Way) -> Result<Target, Error> {
        self.target(way).ok_or_else(|| {
            Error::usage("no database is named").hint(
                "Set DATABASE_URL, or `url` in [database] of zdm.toml, or give --database-url postgres://user@host/name.",
            )
        })
    }

    /// Who else can tell who uses the database.
    pub(crate) fn elsewhere(&self) -> Elsewhere {
        self.elsewhere.clone()
    }

    /// The server for plans without a database: a flag, zdm.toml, the address's scheme, or a common version.
    pub(crate) fn server(&self, flag: Option<Server>) -> Server {
        if let Some(server) = flag {
            return server;
        }
        let scheme = self.url.as_ref().and_then(|url| engine_of(url).ok());
        let engine = scheme.or(self.config.database.engine).unwrap_or(Engine::Postgres);
        let usual = match engine {
            Engine::Postgres => (15, 0),
            Engine::MySql => (8, 4),
            Engine::MariaDb => (10, 11),
        };
        Server { engine, version: self.config.database.version.unwrap_or(usual) }
    }
}

/// Which of two addresses a command uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// `direct_url` when there is one: a run needs a session of its own.
    Direct,
    /// `url`: it only reads.
    Any,
}

const NO_FILE_HINT: &str = "`zdm init` writes one; or name the file with --config, or the folder of migrations with --dir.";

struct Found {
    path: PathBuf,
    shown: String,
}

/// Where zdm.toml is; the current directory when there is none.
pub(crate) fn project_directory(globals: &GlobalArgs, directory: &Path) -> PathBuf {
    let found = find(globals, directory).ok().flatten();
    let folder = found.and_then(|found| found.path.parent().map(Path::to_path_buf));
    folder.unwrap_or_else(|| directory.to_path_buf())
}

fn find(globals: &GlobalArgs, directory: &Path) -> Result<Option<Found>, Error> {
    if let Some(path) = &globals.config {
        let shown = path.display().to_string();
        return Ok(Some(Found { path: directory.join(path), shown }));
    }
    let mut shown = FILE.to_owned();
    for folder in directory.ancestors() {
        let path = folder.join(FILE);
        let there = path.try_exists().map_err(|error| {
            Error::usage(format!("could not look for {shown}")).caused_by(error)
        })?;
        if there {
            return Ok(Some(Found { path, shown }));
        }
        shown = format!("../{shown}");
    }
    Ok(None)
}

/// A path that zdm.toml names, as seen from the current directory.
fn beside(file: &str, path: &str) -> String {
    match Path::new(file).parent() {
        Some(folder) if folder != Path::new("") => folder.join(path).display().to_string(),
        _ => path.to_owned(),
    }
}

/// Most commands need none of them: a variable that is not set is told to whoever asks for the address.
fn elsewhere(config: &Config, around: &Surroundings<'_>) -> Elsewhere {
    let address = |template: &Template| {
        let url = template.expand(around.variables).map_err(|error| error.to_string());
        Address(url.map(|url| Target {
            url: DatabaseUrl::new(url),
            role: None,
            schemas: Vec::new(),
            application_name: "zdm".to_owned(),
        }))
    };
    Elsewhere {
        replicas: config.database.replica_urls.iter().map(address).collect(),
        pooler: config.database.pooler_admin_url.as_ref().map(address),
    }
}

struct Addresses {
    url: Option<DatabaseUrl>,
    direct_url: Option<DatabaseUrl>,
}

impl Addresses {
    fn resolve(
        globals: &GlobalArgs,
        around: &Surroundings<'_>,
        config: &Config,
        file: Option<&Found>,
    ) -> Result<Self, Error> {
        let database = &config.database;
        let expand = |template: Option<&Template>| {
            template.map(|template| template.expand(around.variables)).transpose()
        };
        let given = match &globals.database_url {
            Some(url) => Some(url.clone()),
            None => match from_variables(around, "ZDM_DATABASE_URL")? {
                Some(url) => Some(url),
                None => from_variables(around, "DATABASE_URL")?,
            },
        };
        if let Some(url) = given {
            // A direct address belongs to the file's own address: beside another one it would be another database.
            let own = database.url.as_ref().and_then(|url| url.expand(around.variables).ok());
            let is_own = own.as_deref() == Some(url.expose());
            let direct = if is_own { expand(database.direct_url.as_ref())? } else { None };
            return Self::checked(Some(url), direct.map(DatabaseUrl::new));
        }
        let url = match (expand(database.url.as_ref())?, expand(database.url_file.as_ref())?) {
            (Some(url), _) => Some(DatabaseUrl::new(url)),
            (None, Some(path)) => {
                let shown = file.map_or_else(|| path.clone(), |file| beside(&file.shown, &path));
                Some(from_file(&around.directory.join(&shown), &shown)?)
            }
            (None, None) => None,
        };
        let direct = expand(database.direct_url.as_ref())?.map(DatabaseUrl::new);
        Self::checked(url.or_else(|| direct.clone()), direct)
    }

    fn checked(url: Option<DatabaseUrl>, direct_url: Option<DatabaseUrl>) -> Result<Self, Error> {
        for url in url.iter().chain(&direct_url) {
            engine_of(url)?;
        }
        Ok(Self { url, direct_url })
    }
}

/// `NAME`, or the contents of the file that `NAME_FILE` names.
fn from_variables(around: &Surroundings<'_>, name: &str) -> Result<Option<DatabaseUrl>, Error> {
    let value = |name: &str| (around.variables)(name).filter(|value| !value.is_empty());
    let name_of_file = format!("{name}_FILE");
    match (value(name), value(&name_of_file)) {
        (Some(_), Some(_)) => {
            Err(Error::usage(format!("{name} and {name_of_file} exclude each other"))
                .hint(format!("Unset one of them: `unset {name}`.")))
        }
        (Some(url), None) => Ok(Some(DatabaseUrl::new(url))),
        (None, Some(path)) => from_file(&around.directory.join(&path), &path).map(Some),
        (None, None) => Ok(None),
    }
}

fn from_file(path: &Path, shown: &str) -> Result<DatabaseUrl, Error> {
    let text = files::read(path, shown)?;
    let url = text.trim();
    if url.is_empty() {
        return Err(Error::usage(format!(
            "file \"{shown}\" is empty, but should hold the database's address"
        )));
    }
    Ok(DatabaseUrl::new(url))
}

/// The engine that the scheme of an address means.
pub(crate) fn engine_of(url: &DatabaseUrl) -> Result<Engine, Error> {
    let scheme = url.expose().split_once("://").map(|(scheme, _)| scheme);
    scheme.and_then(Engine::parse).ok_or_else(|| {
        Error::usage(format!("database address {url} is not one that zdm knows")).hint(
            "Write postgres://user@host/name, mysql://user@host/name or mariadb://user@host/name.",
        )
    })
}

#[cfg(test)]
mod tests;
