//! Every operation that there is.

use toml::Spanned;
use toml::de::DeTable;

use super::Operation;
use super::declare::{DeclarationError, Fields, list, nearest};
use super::rename_column::RenameColumn;

/// A kind of operation: the word behind `kind =`, its keys, and how it is read.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The word.
    pub(crate) name: &'static str,
    /// Its keys, without `kind`, in the order in which people write them.
    pub(crate) keys: &'static [&'static str],
    parse: fn(Fields<'_>) -> Result<Box<dyn Operation>, DeclarationError>,
}

/// Every kind, in alphabetical order.
pub(crate) const ALL: &[Kind] = &[Kind {
    name: "rename_column",
    keys: &["table", "from", "to"],
    parse: |fields| Ok(Box::new(RenameColumn::parse(fields)?)),
}];

/// Reads one `[[operation]]`. The spans of an error are those of the file that `table` was parsed from.
pub(crate) fn parse(table: &Spanned<DeTable<'_>>) -> Result<Box<dyn Operation>, DeclarationError> {
    let names: Vec<_> = ALL.iter().map(|kind| kind.name).collect();
    let Some((_, word)) = table.get_ref().iter().find(|(key, _)| key.get_ref() == "kind") else {
        return Err(DeclarationError {
            message: "an operation needs the key \"kind\"".to_owned(),
            help: Some(format!("known kinds: {}", list(&names))),
            span: table.span(),
        });
    };
    let wanted = word.get_ref().as_str().unwrap_or_default();
    let Some(kind) = ALL.iter().find(|kind| kind.name == wanted) else {
        let help = match nearest(wanted, &names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("known kinds: {}", list(&names)),
        };
        return Err(DeclarationError {
            message: format!("there is no operation \"{wanted}\""),
            help: Some(help),
            span: word.span(),
        });
    };
    (kind.parse)(Fields::new(kind.name, kind.keys, table)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<String, (String, Option<String>, String)> {
        let Ok(table) = DeTable::parse(text) else { panic!("the test's own TOML") };
        match parse(&table) {
            Ok(operation) => Ok(operation.title()),
            Err(error) => {
                let place = text.get(error.span).unwrap_or_default().to_owned();
                Err((error.message, error.help, place))
            }
        }
    }

    #[test]
    fn a_rename_is_read() {
        let text = "kind='rename_column'\ntable='users'\nfrom='name'\nto='display_name'\n";
        assert_eq!(check(text), Ok("rename column users.name to display_name".to_owned()));
    }

    #[test]
    fn an_unknown_kind_names_its_neighbour_and_its_place() {
        let (message, help, place) = check("kind='rename_colum'").unwrap_err();
        assert_eq!(message, "there is no operation \"rename_colum\"");
        assert_eq!(help.as_deref(), Some("did you mean \"rename_column\"?"));
        assert_eq!(place, "'rename_colum'");
    }

    #[test]
    fn an_unknown_key_names_its_neighbour_and_its_place() {
        let text = "kind='rename_column'\ntabel='users'\nfrom='name'\nto='display_name'\n";
        let (message, help, place) = check(text).unwrap_err();
        assert_eq!(message, "operation \"rename_column\" has no key \"tabel\"");
        assert_eq!(help.as_deref(), Some("did you mean \"table\"?"));
        assert_eq!(place, "tabel");
    }

    #[test]
    fn a_missing_or_wrong_value_is_located() {
        let (message, ..) =
            check("kind='rename_column'\ntable='users'\nfrom='name'\n").unwrap_err();
        assert_eq!(message, "operation \"rename_column\" needs the key \"to\"");
        let (message, _, place) =
            check("kind='rename_column'\ntable='users'\nfrom=3\nto='x'").unwrap_err();
        assert_eq!(
            (message.as_str(), place.as_str()),
            ("key \"from\" must be a text, not an integer", "3")
        );
        let (message, ..) =
            check("kind='rename_column'\ntable='users'\nfrom='x'\nto='x'").unwrap_err();
        assert_eq!(message, "operation \"rename_column\" renames column \"x\" to itself");
    }
}
