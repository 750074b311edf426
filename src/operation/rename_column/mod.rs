//! `rename_column`: a column gets another name, and both names work until no build uses the old one.
//!
//! Expand adds the new column and the sync triggers; migrate fills it and builds what the old one is bound by; contract
//! renames the old column out of sight and lets the triggers feed it; purge drops it.

mod mysql;
mod postgres;
mod refusals;
mod renaming;
mod simulate;

use super::declare::{DeclarationError, Fields};
use super::{Claim, Context, LateStatement, Operation, Refusal, Sync};
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::Step;
use crate::sql::catalog::Catalog;
use renaming::Renaming;

/// A column gets another name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RenameColumn {
    table: TableName,
    from: String,
    to: String,
}

impl RenameColumn {
    /// Reads it from its declaration.
    pub(crate) fn parse(mut fields: Fields<'_>) -> Result<Self, DeclarationError> {
        let span = fields.span();
        let (table, from, to) = (fields.table("table")?, fields.text("from")?, fields.text("to")?);
        if from == to {
            return Err(DeclarationError {
                message: format!("operation \"rename_column\" renames column \"{from}\" to itself"),
                help: Some("write the new name behind \"to\"".to_owned()),
                span,
            });
        }
        Ok(Self { table, from, to })
    }
}

impl Operation for RenameColumn {
    fn title(&self) -> String {
        format!("rename column {}.{} to {}", self.table, self.from, self.to)
    }

    fn declaration(&self) -> String {
        format!(
            "rename_column table={:?} from={:?} to={:?}",
            self.table.to_string(),
            self.from,
            self.to
        )
    }

    fn tables(&self) -> Vec<TableName> {
        vec![self.table.clone()]
    }

    fn claims(&self) -> Vec<Claim> {
        [&self.from, &self.to]
            .map(|column| Claim { table: self.table.clone(), column: Some(column.clone()) })
            .to_vec()
    }

    fn syncs(&self, cx: &Context<'_>, phase: Phase) -> Vec<Sync> {
        Renaming::new(self, cx).own_sync(phase).into_iter().collect()
    }

    fn late_statement(&self) -> LateStatement {
        LateStatement::Error
    }

    fn refusals(&self, cx: &Context<'_>) -> Vec<Refusal> {
        refusals::before_expand(&Renaming::new(self, cx))
    }

    fn contract_refusals(&self, cx: &Context<'_>) -> Vec<Refusal> {
        refusals::before_contract(&Renaming::new(self, cx))
    }

    fn notes(&self, cx: &Context<'_>) -> Vec<String> {
        refusals::notes(&Renaming::new(self, cx))
    }

    fn steps(&self, cx: &Context<'_>, phase: Phase) -> Result<Vec<Step>, Refusal> {
        let renaming = Renaming::new(self, cx);
        let parts = match cx.server.engine {
            Engine::Postgres => postgres::parts(&renaming, phase),
            Engine::MySql | Engine::MariaDb => mysql::parts(&renaming, phase),
        };
        Ok(parts.into_iter().map(|part| renaming.step(phase, part)).collect())
    }

    fn apply(&self, catalog: &mut Catalog, cx: &Context<'_>, phase: Phase) {
        simulate::apply(&Renaming::new(self, cx), catalog, phase);
    }
}
