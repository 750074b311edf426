//! One table of a TOML file, read key by key: every error says where.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::freeze::Freeze;
use super::source::{Source, did_you_mean, nearest};
use super::{duration, template::Template};
use crate::error::Error;

/// One table of a file, whose keys are all known.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    source: Source<'a>,
    name: String,
    span: Range<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// Takes a table called `name` (`[database]`; empty for the file itself), which may hold the keys of `known` alone.
    pub(crate) fn open(
        source: Source<'a>,
        name: impl Into<String>,
        value: &'a Spanned<DeValue<'a>>,
        known: &[&str],
    ) -> Result<Self, Error> {
        let name = name.into();
        let Some(table) = value.get_ref().as_table() else {
            let found = value.get_ref().type_str();
            return Err(source.error(
                &value.span(),
                format!("{name} must be a table, but it is of type {found}"),
            ));
        };
        Self::open_table(source, name, (value.span(), table), known)
    }

    /// As [`Self::open`], for a table that stands by itself.
    pub(crate) fn open_table(
        source: Source<'a>,
        name: impl Into<String>,
        (span, table): (Range<usize>, &'a DeTable<'a>),
        known: &[&str],
    ) -> Result<Self, Error> {
        let section = Self { source, name: name.into(), span, table };
        for key in table.keys() {
            let word: &str = key.get_ref();
            if !known.contains(&word) {
                return Err(section.unknown(word, &key.span(), known));
            }
        }
        Ok(section)
    }

    fn unknown(&self, word: &str, span: &Range<usize>, known: &[&str]) -> Error {
        let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
        let error = self.source.error(span, format!("unknown key \"{word}\"{place}"));
        error.hint(did_you_mean(word, known))
    }

    /// The file that it stands in.
    pub(crate) fn source(&self) -> Source<'a> {
        self.source
    }

    /// An error at a key's value, or at the table when the key is absent.
    pub(crate) fn error_at(&self, key: &str, message: impl AsRef<str>) -> Error {
        let span = self.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        self.source.error(&span, message)
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// A string.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(self.wrong_type(key, value, "a string")),
        }
    }

    /// A string that must be there and must not be empty.
    pub(crate) fn required(&self, key: &str) -> Result<&'a str, Error> {
        match self.text(key)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            Some(_) => Err(self.error_at(key, format!("key \"{key}\" must not be empty"))),
            None => {
                let message = format!("key \"{key}\" is missing in {}", self.name);
                Err(self.source.error(&self.span, message))
            }
        }
    }

    /// A list of strings.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let Some(items) = value.get_ref().as_array() else {
            return Err(self.wrong_type(key, value, "a list of strings"));
        };
        let read = |item: &'a Spanned<DeValue<'a>>| match item.get_ref().as_str() {
            Some(text) => Ok(text),
            None => Err(self.wrong_type(key, item, "a list of strings")),
        };
        items.iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// `true` or `false`.
    pub(crate) fn truth(&self, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_bool() {
            Some(truth) => Ok(Some(truth)),
            None => Err(self.wrong_type(key, value, "true or false")),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn whole(
        &self,
        key: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let Some(written) = value.get_ref().as_integer() else {
            return Err(self.wrong_type(key, value, "a whole number"));
        };
        let number = u64::from_str_radix(written.as_str(), written.radix()).ok();
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            return Ok(Some(number));
        }
        let (least, most) = bounds.into_inner();
        Err(self.error_at(key, format!("key \"{key}\" must be from {least} to {most}")))
    }

    /// A duration, `"90s"`.
    pub(crate) fn duration(&self, key: &str) -> Result<Option<Duration>, Error> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let read = duration::parse(text);
        read.map(Some).map_err(|error| self.error_at(key, format!("key \"{key}\": {error}")))
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(Some(*meaning));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let list = known.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let message = format!("key \"{key}\" is \"{text}\", which is none of {list}");
        let error = self.error_at(key, message);
        Err(match nearest(text, known) {
            Some(word) => error.hint(format!("Did you mean \"{word}\"?")),
            None => error,
        })
    }

    /// A list of strings in which `${VAR}` may stand.
    pub(crate) fn templates(&self, key: &str) -> Result<Vec<Template>, Error> {
        let texts = self.texts(key)?.unwrap_or_default();
        texts.into_iter().map(|text| self.as_template(key, text)).collect()
    }

    /// A list of windows.
    pub(crate) fn freezes(&self, key: &str) -> Result<Vec<Freeze>, Error> {
        let texts = self.texts(key)?.unwrap_or_default();
        let window = |text: &str| {
            Freeze::parse(text)
                .map_err(|invalid| self.error_at(key, format!("key \"{key}\": {invalid}")))
        };
        texts.into_iter().map(window).collect()
    }

    /// A string in which `${VAR}` may stand.
    pub(crate) fn template(&self, key: &str) -> Result<Option<Template>, Error> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        self.as_template(key, text).map(Some)
    }

    fn as_template(&self, key: &str, text: &str) -> Result<Template, Error> {
        let (line, column) = self.source.place(self.get(key).map_or(0, |value| value.span().start));
        let place = format!("{}:{line}:{column}", self.source.path);
        let template = Template::new(text, place);
        template.map_err(|error| self.error_at(key, format!("key \"{key}\": {error}")))
    }

    /// A table inside.
    pub(crate) fn section(&self, key: &str, known: &[&str]) -> Result<Option<Self>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let own = self.name.trim_start_matches('[').trim_end_matches(']');
        let name = if own.is_empty() { format!("[{key}]") } else { format!("[{own}.{key}]") };
        Self::open(self.source, name, value, known).map(Some)
    }

    /// A table inside whose keys are names: each with its key's place and its value.
    pub(crate) fn named(&self, key: &str) -> Result<Vec<Named<'a>>, Error> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.wrong_type(key, value, "a table"));
        };
        let entries = table.iter();
        Ok(entries
            .map(|(key, value)| Named { name: key.get_ref(), span: key.span(), value })
            .collect())
    }

    /// A list of tables, `[[key]]`.
    pub(crate) fn list(&self, key: &str) -> Result<Vec<&'a Spanned<DeValue<'a>>>, Error> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        match value.get_ref().as_array() {
            Some(items) => Ok(items.iter().collect()),
            None => Err(self.wrong_type(key, value, &format!("a list: write [[{key}]]"))),
        }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Error {
        let found = value.get_ref().type_str();
        self.source.error(
            &value.span(),
            format!("key \"{key}\" must be {wanted}, but it is of type {found}"),
        )
    }
}

/// An entry of a table whose keys are names.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    /// The key.
    pub(crate) name: &'a str,
    /// Where it stands.
    pub(crate) span: Range<usize>,
    /// Its value.
    pub(crate) value: &'a Spanned<DeValue<'a>>,
}
