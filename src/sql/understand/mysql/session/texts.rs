//! Expressions whose value can be told without a server: the texts that they may be.

use std::collections::BTreeSet;

use sqlparser::tokenizer::Token;

use super::Session;
use crate::sql::understand::reader::Reader;

/// The texts that an expression may be. NULL is none: PREPARE refuses it.
pub(super) type Texts = BTreeSet<String>;

/// With more texts nothing is known.
const MOST: usize = 32;

/// How deep expressions may stand in one another.
const DEEPEST: usize = 16;

/// What a value is that is one of two.
pub(super) fn either(one: Option<Texts>, other: Option<Texts>) -> Option<Texts> {
    let (mut one, other) = (one?, other?);
    one.extend(other);
    (one.len() <= MOST).then_some(one)
}

impl Session {
    /// The texts that an expression may be; none: it cannot be told.
    pub(super) fn texts(&self, expression: Reader<'_>) -> Option<Texts> {
        self.at_depth(expression, 0)
    }

    fn at_depth(&self, mut expression: Reader<'_>, depth: usize) -> Option<Texts> {
        (depth < DEEPEST).then_some(())?;
        if expression.eat("SELECT") {
            expression = expression.split_at_word(&["FROM", "INTO", "WHERE", "LIMIT", "AS"]).0;
        }
        let texts = match expression.word().as_str() {
            "CASE" => {
                expression.skip();
                return self.case(expression, depth);
            }
            "NULL" => {
                expression.skip();
                Texts::new()
            }
            variable if variable.starts_with('@') => {
                let name = expression.name()?;
                if expression.eat_token(&Token::Assignment) {
                    return self.at_depth(expression, depth + 1);
                }
                self.variables.get(&name.to_lowercase())?.clone()?
            }
            "" => match &expression.rest.first()?.token {
                Token::LParen => {
                    let inner = expression.parenthesis()?;
                    self.at_depth(inner, depth + 1)?
                }
                _ => literal(&mut expression)?,
            },
            function => {
                let function = function.to_owned();
                expression.skip();
                let arguments = expression.parenthesis();
                match arguments {
                    Some(arguments) => self.called(&function, &arguments.parts(), depth + 1)?,
                    // A local variable of a procedure.
                    None => self.variables.get(&function.to_lowercase())?.clone()?,
                }
            }
        };
        (expression.is_empty() && texts.len() <= MOST).then_some(texts)
    }

    fn called(&self, function: &str, arguments: &[Reader<'_>], depth: usize) -> Option<Texts> {
        let value = |argument: &Reader<'_>| self.at_depth(*argument, depth);
        match (function, arguments) {
            ("IF", [_, yes, no]) => either(value(yes), value(no)),
            ("IFNULL" | "COALESCE", values) => values.iter().map(value).reduce(either).flatten(),
            ("CONCAT", values) => {
                let mut texts = Texts::from([String::new()]);
                for part in values {
                    let part = value(part)?;
                    texts = texts
                        .iter()
                        .flat_map(|text| part.iter().map(move |more| format!("{text}{more}")))
                        .collect();
                    (texts.len() <= MOST).then_some(())?;
                }
                Some(texts)
            }
            _ => None,
        }
    }

    /// `[value] WHEN ... THEN expression ... [ELSE expression] END`, behind CASE.
    fn case(&self, mut rest: Reader<'_>, depth: usize) -> Option<Texts> {
        let mut texts = Some(Texts::new());
        loop {
            let (_, from) = rest.split_at_word(&["THEN", "ELSE", "END"]);
            rest = from;
            if rest.eat_any(&["THEN", "ELSE"]) {
                let (value, behind) = rest.split_at_word(&["WHEN", "ELSE", "END"]);
                texts = either(texts, self.at_depth(value, depth + 1));
                rest = behind;
            } else {
                return if rest.eat("END") && rest.is_empty() { texts } else { None };
            }
        }
    }
}

/// Texts beside one another are one text; a number is its own.
fn literal(expression: &mut Reader<'_>) -> Option<Texts> {
    let mut whole = String::new();
    let mut is_there = false;
    while let Some(first) = expression.rest.first() {
        match &first.token {
            Token::SingleQuotedString(text) => whole.push_str(&unescaped(text, '\'')),
            Token::DoubleQuotedString(text) => whole.push_str(&unescaped(text, '"')),
            Token::Number(digits, _) if !is_there => whole.push_str(digits),
            _ => break,
        }
        is_there = true;
        expression.skip();
    }
    is_there.then(|| Texts::from([whole]))
}

/// A text as the server has it. Source: MySQL manual, String Literals.
fn unescaped(text: &str, quote: char) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            if character == quote && characters.peek() == Some(&quote) {
                characters.next();
            }
            result.push(character);
            continue;
        }
        result.extend(characters.next().map(|escaped| match escaped {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            other => other,
        }));
    }
    result
}
