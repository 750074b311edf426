//! Whether `zdm up` may take a database through all phases at once: that is for one on which nobody relies yet.

use crate::model::name::MigrationId;
use crate::operation::Refusal;

/// What is known of a database, before anything is changed in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Facts {
    /// The environment, when it is `disposable`.
    pub(crate) disposable: Option<String>,
    /// What stood in the database when zdm first wrote to it, or stands in it now if it never has.
    pub(crate) first_seen: FirstSeen,
    /// Services whose instances have reported.
    pub(crate) reported: Vec<String>,
    /// Open or done migrations that another command than `zdm up` has begun.
    pub(crate) by_phases: Vec<MigrationId>,
    /// The environment that the state was made for; none: there is no state, or it was made without one.
    pub(crate) made_for: Option<String>,
    /// Whether there is a state.
    pub(crate) installed: bool,
}

/// What stood in a database when zdm first wrote to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FirstSeen {
    /// So many tables, views and sequences.
    Objects(u64),
    /// Nobody wrote it down, or it is a copy of another database.
    Unknown,
}

/// Why `zdm up` must not run here; none: it may.
pub(crate) fn refusal(facts: &Facts) -> Option<Refusal> {
    if facts.disposable.is_some() {
        return None;
    }
    let message = match (facts.first_seen, facts.reported.first(), facts.by_phases.first()) {
        (FirstSeen::Unknown, ..) => {
            "this database is not known to be new, and not marked as disposable".to_owned()
        }
        (FirstSeen::Objects(count), ..) if count > 0 => format!(
            "this database is not new: it had {} when zdm first looked at it",
            counted(count)
        ),
        (_, Some(service), _) => {
            format!("this database is in use: instances of service \"{service}\" have reported")
        }
        (_, _, Some(id)) => {
            format!("this database is not new: migration {id} was run phase by phase")
        }
        (FirstSeen::Objects(_), None, None) => return None,
    };
    let help = "run the phases one by one (zdm expand, migrate, contract, purge); or, if its data may be lost at any time, \
                set `disposable = true` under [environments.NAME] in zdm.toml and give --env NAME";
    Some(Refusal { message, help: help.to_owned() })
}

/// Why `zdm up --fresh` must not drop everything here; none: it may.
///
/// A wrong address must not cost a database: only what zdm itself has made for this environment is dropped.
pub(crate) fn fresh_refusal(facts: &Facts) -> Option<Refusal> {
    let Some(environment) = &facts.disposable else {
        return Some(Refusal {
            message: "--fresh drops every table, and this environment is not disposable".to_owned(),
            help:
                "set `disposable = true` under [environments.NAME] in zdm.toml and give --env NAME"
                    .to_owned(),
        });
    };
    if !facts.installed {
        let FirstSeen::Objects(count) = facts.first_seen else { return None };
        return (count > 0).then(|| Refusal {
            message: format!(
                "zdm has never written to this database, which holds {}: --fresh does not drop what it does not know",
                counted(count)
            ),
            help: "check the address; if it is right, drop them by hand, or run zdm up without --fresh once"
                .to_owned(),
        });
    }
    (facts.made_for.as_deref() != Some(environment)).then(|| Refusal {
        message: format!(
            "the state in this database was not made for environment \"{environment}\": --fresh does not drop it"
        ),
        help: "check the address; if it is right, drop the database and make it again".to_owned(),
    })
}

fn counted(count: u64) -> String {
    match count {
        1 => "one table, view or sequence".to_owned(),
        count => format!("{count} tables, views or sequences"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Facts {
        Facts {
            disposable: None,
            first_seen: FirstSeen::Objects(0),
            reported: Vec::new(),
            by_phases: Vec::new(),
            made_for: None,
            installed: false,
        }
    }

    fn message(facts: &Facts) -> Option<String> {
        refusal(facts).map(|refusal| refusal.message)
    }

    #[test]
    fn a_database_is_new_until_somebody_relies_on_it() {
        assert_eq!(message(&new()), None);
        let full = Facts { first_seen: FirstSeen::Objects(3), ..new() };
        assert!(message(&full).is_some_and(|words| words.contains("3 tables")));
        let unknown = Facts { first_seen: FirstSeen::Unknown, ..new() };
        assert!(message(&unknown).is_some_and(|words| words.contains("not known to be new")));
        let used = Facts { reported: vec!["api".to_owned()], ..new() };
        assert!(message(&used).is_some_and(|words| words.contains("service \"api\"")));
        let careful = Facts {
            by_phases: vec![MigrationId::parse("0001_a").unwrap()],
            installed: true,
            ..new()
        };
        assert!(message(&careful).is_some_and(|words| words.contains("0001_a")));
        for facts in [full, unknown, used, careful] {
            assert_eq!(message(&Facts { disposable: Some("test".to_owned()), ..facts }), None);
        }
    }

    #[test]
    fn fresh_drops_only_what_zdm_made_for_this_very_environment() {
        let refused = |facts: &Facts| fresh_refusal(facts).is_some();
        assert!(refused(&new()));
        let test = Facts { disposable: Some("test".to_owned()), ..new() };
        assert!(!refused(&test));
        assert!(refused(&Facts { first_seen: FirstSeen::Objects(1), ..test.clone() }));
        let made = Facts { installed: true, first_seen: FirstSeen::Unknown, ..test };
        assert!(refused(&made));
        assert!(refused(&Facts { made_for: Some("production".to_owned()), ..made.clone() }));
        assert!(!refused(&Facts { made_for: Some("test".to_owned()), ..made }));
    }
}
