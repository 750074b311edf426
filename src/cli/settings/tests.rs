use std::collections::BTreeMap;

use clap::Parser;

use super::*;
use crate::cli::args::Cli;

struct Case {
    folder: tempfile::TempDir,
    variables: BTreeMap<&'static str, String>,
    arguments: Vec<&'static str>,
}

impl Case {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), config).unwrap();
        Self { folder, variables: BTreeMap::new(), arguments: vec!["zdm", "status"] }
    }

    fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.to_owned());
        self
    }

    fn arguments(mut self, arguments: &[&'static str]) -> Self {
        self.arguments.extend(arguments);
        self
    }

    fn resolve(&self) -> Result<Settings, Error> {
        let variables = |name: &str| self.variables.get(name).cloned();
        let around =
            Surroundings { variables: &variables, directory: self.folder.path().to_owned() };
        let cli = Cli::try_parse_from(&self.arguments);
        Settings::resolve(&cli.map_err(|error| Error::usage(error.to_string()))?.globals, &around)
    }

    fn url(&self, way: Way) -> String {
        self.resolve().unwrap().target(way).unwrap().url.to_string()
    }
}

#[test]
fn a_flag_goes_before_variables_and_they_before_the_file() {
    let file = "[database]\nurl = \"postgres://file/d\"";
    let case = Case::new(file);
    assert_eq!(case.url(Way::Any), "postgres://file/d");
    let case = case.variable("DATABASE_URL", "postgres://common/d");
    assert_eq!(case.url(Way::Any), "postgres://common/d");
    let case = case.variable("ZDM_DATABASE_URL", "postgres://own/d");
    assert_eq!(case.url(Way::Any), "postgres://own/d");
    let case = case.arguments(&["--database-url", "postgres://flag/d"]);
    assert_eq!(case.url(Way::Any), "postgres://flag/d");
}

#[test]
fn an_address_can_stand_in_a_file() {
    let case = Case::new("[database]\nurl_file = \"secret\"").variable("IGNORED", "");
    std::fs::write(case.folder.path().join("secret"), "postgres://from-file/d\n").unwrap();
    assert_eq!(case.url(Way::Any), "postgres://from-file/d");

    let case = Case::new("").variable("DATABASE_URL_FILE", "secret");
    assert!(case.resolve().unwrap_err().to_string().contains("could not read file \"secret\""));
    let case = case.variable("DATABASE_URL", "postgres://h/d");
    let message = "DATABASE_URL and DATABASE_URL_FILE exclude each other";
    assert_eq!(case.resolve().unwrap_err().to_string(), message);
}

#[test]
fn the_direct_address_is_used_beside_its_own_address_alone() {
    let file = "[database]\nurl = \"${DATABASE_URL}\"\ndirect_url = \"postgres://direct/d\"";
    let case = Case::new(file).variable("DATABASE_URL", "postgres://pooler/d");
    assert_eq!(case.url(Way::Direct), "postgres://direct/d");
    assert_eq!(case.url(Way::Any), "postgres://pooler/d");
    let case = case.arguments(&["--database-url", "postgres://elsewhere/d"]);
    assert_eq!(case.url(Way::Direct), "postgres://elsewhere/d");
}

#[test]
fn a_file_above_is_found_and_its_folder_named_from_here() {
    let case = Case::new("migrations = \"db\"");
    let below = case.folder.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let around = Surroundings { variables: &|_| None, directory: below };
    let cli = Cli::try_parse_from(["zdm", "status"]).unwrap();
    let settings = Settings::resolve(&cli.globals, &around).unwrap();
    assert_eq!(settings.config.migrations, "../../db");
    assert_eq!(settings.file.as_deref(), Some("../../zdm.toml"));
}

#[test]
fn an_address_that_is_none_is_refused_without_being_shown() {
    let case = Case::new("").variable("DATABASE_URL", "postgre://u:s3cret@h/d");
    let message = case.resolve().unwrap_err().to_string();
    assert_eq!(message, "database address postgre://u@h/d is not one that zdm knows");
}
