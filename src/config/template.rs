//! `${VAR}` in the strings of zdm.toml.

use crate::error::Error;

/// A string that may hold `${VAR}`. It is expanded when it is used, so that a variable that only production has does
/// not stop a plan on a laptop.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Template {
    text: String,
    place: String,
}

/// The value of an environment variable, when it is set.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Template {
    /// Takes the text of a key at `place` (`zdm.toml:3:7`), and checks its form.
    pub(crate) fn new(
        text: impl Into<String>,
        place: impl Into<String>,
    ) -> Result<Self, InvalidTemplate> {
        let template = Self { text: text.into(), place: place.into() };
        template.walk(&mut |_| Ok(String::new())).map_err(|failure| match failure {
            WalkError::Form(form) => form,
            WalkError::Missing(_) => InvalidTemplate::Unclosed,
        })?;
        Ok(template)
    }

    /// The text with every variable's value in its place.
    pub(crate) fn expand(&self, variables: Variables<'_>) -> Result<String, Error> {
        let mut look_up =
            |name: &str| variables(name).ok_or_else(|| WalkError::Missing(name.to_owned()));
        self.walk(&mut look_up).map_err(|failure| match failure {
            WalkError::Form(form) => Error::usage(format!("{}: {form}", self.place)),
            WalkError::Missing(name) => {
                Error::usage(format!("{}: environment variable {name} is not set", self.place))
                    .hint(format!("Set {name}, or write the value in its place."))
            }
        })
    }

    fn walk(
        &self,
        look_up: &mut dyn FnMut(&str) -> Result<String, WalkError>,
    ) -> Result<String, WalkError> {
        let mut done = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            // `$${` stands for `${`.
            if let Some(escaped) = before.strip_suffix('$') {
                done.push_str(escaped);
                done.push_str("${");
                rest = after;
                continue;
            }
            done.push_str(before);
            let (name, behind) =
                after.split_once('}').ok_or(WalkError::Form(InvalidTemplate::Unclosed))?;
            if !is_name(name) {
                return Err(WalkError::Form(InvalidTemplate::Name));
            }
            done.push_str(&look_up(name)?);
            rest = behind;
        }
        done.push_str(rest);
        Ok(done)
    }
}

/// The text may hold a password.
impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Template").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What is wrong with a template's form. Never quotes the text: it may hold a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum InvalidTemplate {
    /// No closing brace.
    #[error("\"${{\" without \"}}\" (write $${{ for the characters themselves)")]
    Unclosed,
    /// Not a variable's name.
    #[error(
        "between \"${{\" and \"}}\" stands the name of an environment variable (write $${{ for the characters themselves)"
    )]
    Name,
}

enum WalkError {
    Form(InvalidTemplate),
    Missing(String),
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<String, String> {
        let variables = |name: &str| (name == "HOST").then(|| "db1".to_owned());
        let template = Template::new(text, "zdm.toml:1:1").map_err(|error| error.to_string())?;
        template.expand(&variables).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_are_put_in_their_place() {
        assert_eq!(expand("postgres://${HOST}/d"), Ok("postgres://db1/d".to_owned()));
        assert_eq!(expand("pa$$word $HOST"), Ok("pa$$word $HOST".to_owned()));
        assert_eq!(expand("$${HOST}"), Ok("${HOST}".to_owned()));
    }

    #[test]
    fn a_missing_variable_is_named_with_the_place() {
        let message = "zdm.toml:1:1: environment variable PASSWORD is not set";
        assert_eq!(expand("x:${PASSWORD}@y"), Err(message.to_owned()));
    }

    #[test]
    fn a_broken_template_is_refused_without_quoting_it() {
        assert!(expand("s3cret${HOST").is_err_and(|m| !m.contains("s3cret")));
        assert!(expand("s3cret${HO ST}").is_err_and(|m| !m.contains("s3cret")));
    }
}
