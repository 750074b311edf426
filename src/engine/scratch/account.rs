//! The account that a throwaway server runs as.

/// A user and its group, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Account {
    pub(super) user: u32,
    pub(super) group: u32,
}

/// The first of these users that the machine knows: servers refuse to run as root, or should not.
pub(super) fn unprivileged(preferred: &str) -> Option<Account> {
    // Without the file there is no such user, and the server says what it thinks of root.
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    [preferred, "nobody"].iter().find_map(|name| find(&passwd, name))
}

/// Reads one user's numbers from the text of /etc/passwd.
fn find(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let mut numbers = fields.skip(1);
        Some(Account { user: numbers.next()?.parse().ok()?, group: numbers.next()?.parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:7::/:/\npostgres:x:101:104:PostgreSQL:/:/bin/sh\n";
        assert_eq!(find(passwd, "postgres"), Some(Account { user: 101, group: 104 }));
        assert_eq!(find(passwd, "mysql"), None);
    }
}
