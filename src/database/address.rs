//! A database URL taken apart, so that no driver's parser (and no driver's error) ever sees the password.

use super::error::{DbError, DbErrorKind};
use super::target::DatabaseUrl;

/// The family that a URL's scheme names. `mariadb://` and `mysql://` are one: the server says which it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    /// `postgres://`, `postgresql://`.
    Postgres,
    /// `mysql://`, `mariadb://`.
    MySql,
}

/// The parts of a URL, percent-decoded. Not printable: it holds the password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The family.
    pub(crate) scheme: Scheme,
    /// The user, when named.
    pub(crate) user: Option<String>,
    /// The password, when given.
    pub(crate) password: Option<String>,
    /// Host names, addresses or socket folders, each with its port when given. Empty: the driver's own default.
    pub(crate) hosts: Vec<(String, Option<u16>)>,
    /// The database, when named.
    pub(crate) database: Option<String>,
    /// What follows `?`, in order.
    pub(crate) options: Vec<(String, String)>,
}

/// A URL that cannot be used. The message never repeats what the user typed, which may be a password.
pub(crate) fn invalid(message: impl Into<String>) -> DbError {
    DbError::new(DbErrorKind::InvalidUrl, message)
}

/// An option that must be there in another form, or not at all.
pub(crate) fn invalid_option(key: &str, hint: &str) -> DbError {
    let mut error = invalid(format!("cannot use option \"{key}\" of the database URL"));
    error.hint = Some(hint.to_owned());
    error
}

impl Address {
    /// Takes a URL apart.
    pub(crate) fn parse(url: &DatabaseUrl) -> Result<Self, DbError> {
        let (scheme, rest) = url.expose().split_once("://").ok_or_else(not_a_url)?;
        let scheme = match scheme {
            "postgres" | "postgresql" => Scheme::Postgres,
            "mysql" | "mariadb" => Scheme::MySql,
            _ => return Err(not_a_url()),
        };
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
        let (authority, path) =
            rest.split_once('/').map_or((rest, ""), |(head, path)| (head, path));
        let (login, hosts) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(login, hosts)| (Some(login), hosts));
        if path.contains('@') {
            return Err(unescaped());
        }
        let (user, password) = login.map_or((None, None), |login| {
            login
                .split_once(':')
                .map_or((Some(login), None), |(user, word)| (Some(user), Some(word)))
        });
        let mut address = Self {
            scheme,
            user: user.filter(|user| !user.is_empty()).map(decode).transpose()?,
            password: password.map(decode).transpose()?,
            hosts: parse_hosts(hosts)?,
            database: Some(path).filter(|path| !path.is_empty()).map(decode).transpose()?,
            options: Vec::new(),
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            address.take(decode(key)?, decode(value)?)?;
        }
        Ok(address)
    }

    /// The address of each of its servers, one after the other; one without hosts is one server's.
    pub(crate) fn servers(&self) -> Vec<Self> {
        let only = |at: usize| {
            let mut address = self.clone();
            address.hosts = self.hosts.get(at).cloned().into_iter().collect();
            for (key, value) in &mut address.options {
                if key == "hostaddr"
                    && let Some(own) = value.split(',').nth(at)
                {
                    *value = own.to_owned();
                }
            }
            address
        };
        (0..self.hosts.len().max(1)).map(only).collect()
    }

    /// Whether any of several servers will do, and not only the one that takes writes.
    pub(crate) fn takes_any_server(&self) -> bool {
        self.hosts.len() < 2 || self.options.iter().any(|(key, _)| key == "target_session_attrs")
    }

    /// Options that say again what the URL has a place for go to that place, as with libpq.
    fn take(&mut self, key: String, value: String) -> Result<(), DbError> {
        match key.as_str() {
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "host" if !value.is_empty() => {
                let ports: Vec<_> = self.hosts.iter().map(|(_, port)| *port).collect();
                let port = |index: usize| ports.get(index).or(ports.first()).copied().flatten();
                let named = value.split(',').enumerate();
                self.hosts = named.map(|(index, host)| (host.to_owned(), port(index))).collect();
            }
            "port" => {
                let ports: Result<Vec<_>, _> = value.split(',').map(parse_port).collect();
                let ports = ports?;
                if self.hosts.is_empty() {
                    self.hosts.push(("localhost".to_owned(), None));
                }
                for (index, (_, port)) in self.hosts.iter_mut().enumerate() {
                    *port = ports.get(index).or(ports.first()).copied().flatten();
                }
            }
            _ => self.options.push((key, value)),
        }
        Ok(())
    }
}

fn not_a_url() -> DbError {
    let mut error = invalid("the database URL is not one that zdm knows");
    error.hint = Some(
        "Write postgres://user:password@host:5432/database, or mysql:// or mariadb:// likewise."
            .to_owned(),
    );
    error
}

fn unescaped() -> DbError {
    let mut error = invalid("the database URL has no valid host and port");
    error.hint = Some(
        "Percent-encode the characters / ? # @ : in a user or password: / is %2F, @ is %40."
            .to_owned(),
    );
    error
}

/// `h1:1,h2`; an IPv6 address stands in brackets.
fn parse_hosts(text: &str) -> Result<Vec<(String, Option<u16>)>, DbError> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            if let Some((host, rest)) = part.strip_prefix('[').and_then(|part| part.split_once(']'))
            {
                let port = rest.strip_prefix(':').map_or(Ok(None), parse_port)?;
                return Ok((host.to_owned(), port));
            }
            let (host, port) = part.split_once(':').unwrap_or((part, ""));
            let host = if host.is_empty() { "localhost".to_owned() } else { decode(host)? };
            Ok((host, parse_port(port)?))
        })
        .collect()
}

fn parse_port(text: &str) -> Result<Option<u16>, DbError> {
    if text.is_empty() {
        return Ok(None);
    }
    // The cause would repeat nothing secret, but the text might be half a password.
    text.parse().map(Some).map_err(|_ignored| unescaped())
}

/// `%41` -> `A`. A plus sign stays one, as with libpq.
fn decode(text: &str) -> Result<String, DbError> {
    let broken = || invalid("the database URL has a % that does not begin a two-digit code");
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let code = digit().zip(digit()).map(|(high, low)| high * 16 + low);
        decoded.push(code.and_then(|code| u8::try_from(code).ok()).ok_or_else(broken)?);
    }
    String::from_utf8(decoded).map_err(|_secret| invalid("the database URL is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, DbError> {
        Address::parse(&DatabaseUrl::new(url))
    }

    #[test]
    fn a_url_is_taken_apart_and_decoded() {
        let address = parse("mariadb://a%40b:p%2F%3A%25@h1:1,[::1]:2,h3/my%20db?ssl-mode=REQUIRED")
            .ok()
            .unwrap();
        assert_eq!(address.scheme, Scheme::MySql);
        assert_eq!(address.user.as_deref(), Some("a@b"));
        assert_eq!(address.password.as_deref(), Some("p/:%"));
        let hosts = [("h1".into(), Some(1)), ("::1".into(), Some(2)), ("h3".into(), None)];
        assert_eq!(address.hosts, hosts);
        assert_eq!(address.database.as_deref(), Some("my db"));
        assert_eq!(address.options, [("ssl-mode".into(), "REQUIRED".into())]);
    }

    #[test]
    fn options_can_stand_for_the_parts_of_a_url() {
        let address =
            parse("postgresql:///d?host=/run/pg&port=5433&user=u&password=p").ok().unwrap();
        assert_eq!(address.hosts, [("/run/pg".into(), Some(5433))]);
        assert_eq!(address.user.as_deref(), Some("u"));
        assert_eq!(address.password.as_deref(), Some("p"));
        assert!(address.options.is_empty());
        let address = parse("postgres://%2Frun%2Fpg/d").ok().unwrap();
        assert_eq!(address.hosts, [("/run/pg".into(), None)]);
    }

    #[test]
    fn each_server_of_several_has_an_address_of_its_own() {
        let address = parse("postgres://u:p@a:1,b:2/d?hostaddr=127.0.0.1,127.0.0.2").ok().unwrap();
        let servers = address.servers();
        assert_eq!(servers.len(), 2);
        assert_eq!(servers[1].hosts, [("b".into(), Some(2))]);
        assert_eq!(servers[1].options, [("hostaddr".into(), "127.0.0.2".into())]);
        assert!(!address.takes_any_server());
        assert!(
            parse("postgres://a,b/d?target_session_attrs=any").ok().unwrap().takes_any_server()
        );
        let none = parse("mysql:///d").ok().unwrap();
        assert_eq!(none.servers().len(), 1);
        assert!(none.takes_any_server());
    }

    #[test]
    fn a_broken_url_is_refused_without_showing_its_password() {
        for url in [
            "s3cret",
            "oracle://u:s3cret@h/d",
            "postgres://u:s3cret/x@h/d",
            "postgres://u:s3cret",
            "postgres://u:s3%zzcret@h/d",
            "postgres://u:p@h:s3cret/d",
            "mysql://u:%ff s3cret@h/d",
        ] {
            let error = parse(url).err().unwrap();
            assert_eq!(error.kind, DbErrorKind::InvalidUrl, "{url}");
            assert!(!format!("{error} {error:?}").contains("s3"), "{url}: {error:?}");
        }
    }
}
