//! Which database to connect to, and as what.

use std::fmt;

/// A database's address, with its password. Prints itself without it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Takes a URL as the user gave it: `postgres://`, `postgresql://`, `mysql://` or `mariadb://`.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The same server's address with another database in it. None when an option names the database, too.
    #[cfg(feature = "engine")]
    pub(crate) fn at_database(&self, name: &str) -> Option<Self> {
        let (scheme, rest) = self.0.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end)?;
        let options = tail.find('?').and_then(|at| tail.get(at..)).unwrap_or_default();
        let named_twice = options.contains("dbname=");
        (!named_twice).then(|| Self(format!("{scheme}://{authority}/{name}{options}")))
    }

    /// The URL with its password: for the driver alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Up to the last @ of the authority stand user and password; options may hold one, too. Where an @ comes later,
        // or what should be a port is not a number, a password was typed without %-codes: then nothing is shown.
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str("(a text that is not a URL)");
        };
        let (authority, tail) = rest
            .find(['/', '?', '#'])
            .and_then(|at| rest.split_at_checked(at))
            .unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let ports_are_plain = host.split(',').all(|host| {
            let port = host.rsplit_once(']').map_or(host, |(_, port)| port);
            port.split_once(':').is_none_or(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        });
        if tail.contains('@') || !ports_are_plain {
            return write!(f, "{scheme}://...");
        }
        let path = tail.strip_prefix('/').and_then(|path| path.split(['?', '#']).next());
        let path = path.unwrap_or("");
        let user = user.split(':').next().unwrap_or("");
        let at = if user.is_empty() { "" } else { "@" };
        write!(f, "{scheme}://{user}{at}{host}/{path}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Which database to connect to, and as what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    /// The address.
    pub(crate) url: DatabaseUrl,
    /// SET ROLE on every connection.
    pub(crate) role: Option<String>,
    /// The `search_path` of every connection (PostgreSQL); empty: `public`.
    pub(crate) schemas: Vec<String>,
    /// How connections name themselves to the server.
    pub(crate) application_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server_has_the_same_address_but_for_its_name() {
        let other = |url: &str| DatabaseUrl::new(url).at_database("x").map(|url| url.0);
        let named = |url: &str| Some(url.to_owned());
        assert_eq!(
            other("postgres://u:p@h:1/d?sslmode=require"),
            named("postgres://u:p@h:1/x?sslmode=require")
        );
        assert_eq!(other("mysql://u:p@h"), named("mysql://u:p@h/x"));
        assert_eq!(other("postgres://h?sslmode=disable"), named("postgres://h/x?sslmode=disable"));
        assert_eq!(other("postgres:///d?dbname=e"), None);
    }

    #[test]
    fn a_url_is_printed_without_its_password() {
        for (url, shown) in [
            (
                "postgres://u:s3cret@h:5432/d?sslmode=require&password=s3cret",
                "postgres://u@h:5432/d",
            ),
            ("mysql://u:s3@cret@h/d", "mysql://u@h/d"),
            ("postgres://h/d", "postgres://h/d"),
            ("postgres://h?password=s3cret", "postgres://h/"),
            ("postgres://u:s3/cret@h/d", "postgres://..."),
            ("postgres://u:s3?cret@h/d", "postgres://..."),
            ("postgres://h/d?password=s3@cret", "postgres://..."),
            ("postgres://u:s3cret", "postgres://..."),
            ("postgres://u:s3cret@[::1]:5432/d", "postgres://u@[::1]:5432/d"),
            ("s3cret", "(a text that is not a URL)"),
        ] {
            assert_eq!(DatabaseUrl::new(url).to_string(), shown);
            assert_eq!(format!("{:?}", DatabaseUrl::new(url)), shown);
        }
    }
}
