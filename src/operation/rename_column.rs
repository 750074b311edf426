//! `rename_column`: a column gets another name, and both names work until no build uses the old one.

use super::declare::{DeclarationError, Fields};
use super::{Claim, Context, LateStatement, Operation, Refusal, Sync};
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::step::Step;
use crate::sql::catalog::Catalog;

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
    fn kind(&self) -> &'static str {
        "rename_column"
    }

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

    fn syncs(&self, _cx: &Context<'_>, _phase: Phase) -> Vec<Sync> {
        Vec::new()
    }

    fn late_statement(&self) -> LateStatement {
        LateStatement::Error
    }

    fn refusals(&self, _cx: &Context<'_>) -> Vec<Refusal> {
        Vec::new()
    }

    fn steps(&self, _cx: &Context<'_>, _phase: Phase) -> Result<Vec<Step>, Refusal> {
        Ok(Vec::new())
    }

    fn apply(&self, _catalog: &mut Catalog, _cx: &Context<'_>, _phase: Phase) {}
}
