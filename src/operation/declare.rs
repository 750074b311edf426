//! Reading an operation from `migration.toml`, with the place of everything that is wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::name::TableName;

/// What is wrong in a declaration, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct DeclarationError {
    /// What is wrong, in a short sentence.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
    /// Where, in bytes of the file that was parsed.
    pub(crate) span: Range<usize>,
}

/// The keys of one `[[operation]]`, taken out one by one.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    kind: &'static str,
    known: &'static [&'static str],
    span: Range<usize>,
    left: BTreeMap<&'a str, (Range<usize>, &'a Spanned<DeValue<'a>>)>,
}

impl<'a> Fields<'a> {
    /// The keys of `table`, but for `kind`; every key must be one of `known`.
    pub(crate) fn new(
        kind: &'static str,
        known: &'static [&'static str],
        table: &'a Spanned<DeTable<'a>>,
    ) -> Result<Self, DeclarationError> {
        let mut left = BTreeMap::new();
        for (key, value) in table.get_ref() {
            let name: &str = key.get_ref();
            if name == "kind" {
                continue;
            }
            if !known.contains(&name) {
                return Err(unknown_key(name, kind, known, key.span()));
            }
            left.insert(name, (key.span(), value));
        }
        Ok(Self { kind, known, span: table.span(), left })
    }

    /// A text that must be there and not empty.
    pub(crate) fn text(&mut self, key: &'static str) -> Result<String, DeclarationError> {
        let Some((_, value)) = self.left.remove(key) else {
            return Err(DeclarationError {
                message: format!("operation \"{}\" needs the key \"{key}\"", self.kind),
                help: Some(format!("its keys are {}", list(self.known))),
                span: self.span.clone(),
            });
        };
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            Some(_) => Err(DeclarationError {
                message: format!("key \"{key}\" must not be empty"),
                help: None,
                span: value.span(),
            }),
            None => Err(DeclarationError {
                message: format!(
                    "key \"{key}\" must be a text, not {}",
                    article(value.get_ref().type_str())
                ),
                help: Some(format!("write {key} = \"...\"")),
                span: value.span(),
            }),
        }
    }

    /// A table's name: `users` or `schema.users`.
    pub(crate) fn table(&mut self, key: &'static str) -> Result<TableName, DeclarationError> {
        let text = self.text(key)?;
        Ok(match text.split_once('.') {
            Some((schema, name)) => TableName::in_schema(schema, name),
            None => TableName::bare(text),
        })
    }

    /// The place of the whole declaration.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

/// An unknown key, with the nearest known one.
fn unknown_key(
    name: &str,
    kind: &str,
    known: &[&'static str],
    span: Range<usize>,
) -> DeclarationError {
    let help = match nearest(name, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("its keys are {}", list(known)),
    };
    DeclarationError {
        message: format!("operation \"{kind}\" has no key \"{name}\""),
        help: Some(help),
        span,
    }
}

/// The known word that is most like `word`, if one is like it.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// `"a", "b" and "c"`.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}

fn article(word: &str) -> String {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {word}", if vowel { "an" } else { "a" })
}
