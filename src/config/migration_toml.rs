//! migration.toml: what a migration declares beside its SQL files.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::section::Section;
use super::source::Source;
use crate::error::Error;
use crate::model::lease::Reached;
use crate::model::name::TableName;
use crate::model::step::Backfill;
use crate::operation::{self, Operation};
use crate::plan::migration::{ContractSettings, HandBackfill};

/// What migration.toml declares.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// `description`.
    pub(crate) description: Option<String>,
    /// `deploy_after`.
    pub(crate) deploy_after: Reached,
    /// `[[operation]]`.
    pub(crate) operations: Vec<Box<dyn Operation>>,
    /// `[[backfill]]`.
    pub(crate) backfills: Vec<HandBackfill>,
    /// `[contract]`.
    pub(crate) contract: ContractSettings,
}

impl Default for Declaration {
    fn default() -> Self {
        Self {
            description: None,
            deploy_after: Reached::Migrated,
            operations: Vec::new(),
            backfills: Vec::new(),
            contract: ContractSettings::default(),
        }
    }
}

/// Reads migration.toml.
pub(crate) fn parse(source: Source<'_>) -> Result<Declaration, Error> {
    let root = DeTable::parse(source.text).map_err(|error| source.toml_error(&error))?;
    let span = root.span();
    let root = root.into_inner();
    let known = ["description", "deploy_after", "operation", "backfill", "contract"];
    let top = Section::open_table(source, "", (span, &root), &known)?;
    let reached = [("expand", Reached::Expanded), ("migrate", Reached::Migrated)];
    let operations = top.list("operation")?.into_iter().map(|value| operation(source, value));
    let backfills = top.list("backfill")?.into_iter().map(|value| backfill(source, value));
    Ok(Declaration {
        description: top.text("description")?.map(str::to_owned),
        deploy_after: top.word("deploy_after", &reached)?.unwrap_or(Reached::Migrated),
        operations: operations.collect::<Result<_, _>>()?,
        backfills: backfills.collect::<Result<_, _>>()?,
        contract: contract(&top)?,
    })
}

fn operation(
    source: Source<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Box<dyn Operation>, Error> {
    let Some(table) = value.get_ref().as_table() else {
        return Err(
            source.error(&value.span(), "an operation must be a table: write [[operation]]")
        );
    };
    operation::parse(&Spanned::new(value.span(), table.clone())).map_err(|wrong| {
        let error = source.error(&wrong.span, &wrong.message);
        match wrong.help {
            Some(help) => error.hint(sentence(&help)),
            None => error,
        }
    })
}

/// Hints are sentences; the help of an operation is a part of one.
fn sentence(help: &str) -> String {
    let mut letters = help.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if help.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn backfill(source: Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<HandBackfill, Error> {
    let section =
        Section::open(source, "[[backfill]]", value, &["table", "set", "where", "verify"])?;
    Ok(HandBackfill {
        fill: Backfill {
            table: table_name(section.required("table")?),
            set: section.required("set")?.to_owned(),
            pending: section.text("where")?.map(str::to_owned),
        },
        verify: section.text("verify")?.map(str::to_owned),
    })
}

/// `users`, or `app.users` with its schema.
fn table_name(text: &str) -> TableName {
    match text.split_once('.') {
        Some((schema, name)) => TableName::in_schema(schema, name),
        None => TableName::bare(text),
    }
}

fn contract(top: &Section<'_>) -> Result<ContractSettings, Error> {
    let known = ["tolerated_by", "services", "soak", "keep_for", "purge", "by"];
    let Some(section) = top.section("contract", &known)? else {
        return Ok(ContractSettings::default());
    };
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let services = section.texts("services")?;
    if services.as_ref().is_some_and(Vec::is_empty) {
        let message = "key \"services\" names no service, so nobody would be asked";
        return Err(section.error_at("services", message).hint("Leave it out for every service."));
    }
    Ok(ContractSettings {
        tolerated_by: owned(section.texts("tolerated_by")?.unwrap_or_default()),
        services: services.map(owned),
        soak: section.duration("soak")?,
        keep_for: section.duration("keep_for")?,
        by_other: section.word("by", &[("other", true), ("zdm", false)])?.unwrap_or(false),
        purge_auto: section.word("purge", &[("auto", true), ("manual", false)])?.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(text: &str) -> Result<Declaration, String> {
        parse(Source { path: "m/migration.toml", text }).map_err(|error| error.to_string())
    }

    #[test]
    fn backfills_and_the_contract_are_read() {
        let read = check(
            r#"
            description = "emails have a domain"
            deploy_after = "expand"
            [[backfill]]
            table = "app.users"
            set = "domain = 'x'"
            where = "domain IS NULL"
            [contract]
            tolerated_by = ["api"]
            soak = "24h"
            keep_for = "7d"
            purge = "auto"
            "#,
        )
        .unwrap();
        assert_eq!(read.deploy_after, Reached::Expanded);
        assert_eq!(read.backfills[0].fill.table, TableName::in_schema("app", "users"));
        assert_eq!(read.contract.soak, Some(Duration::from_hours(24)));
        assert!(read.contract.purge_auto && read.contract.services.is_none());
    }

    #[test]
    fn mistakes_are_located() {
        for (text, message) in [
            (
                "[[backfill]]\ntabel = \"x\"",
                "m/migration.toml:2:1: unknown key \"tabel\" in [[backfill]]",
            ),
            (
                "[[backfill]]\ntable = \"x\"",
                "m/migration.toml:1:1: key \"set\" is missing in [[backfill]]",
            ),
            (
                "[backfill]\ntable = \"x\"",
                "m/migration.toml:1:1: key \"backfill\" must be a list: write [[backfill]], but it is of type table",
            ),
            (
                "deploy_after = \"contract\"",
                "m/migration.toml:1:16: key \"deploy_after\" is \"contract\", which is none of \"expand\", \"migrate\"",
            ),
        ] {
            assert_eq!(check(text).map(|_| ()), Err(message.to_owned()));
        }
    }
}
