//! The builds of the service: what each reads and writes, and what it says of itself.

use zdm::Instance;

/// One release of the service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Build {
    /// Knows `users.name` only, and tolerates nothing.
    One,
    /// The same, and says `SELECT *`: it breaks when a column comes.
    OneSelectStar,
    /// Knows `users.display_name` only, and tolerates that `users.name` goes.
    Two,
    /// May start before the rows are filled: reads `users.name` until the migration's phase switch says otherwise.
    TwoPhaseSwitch,
    /// Answers every second request that it will not begin it.
    TwoWithErrors,
    /// Is right, and late.
    TwoSlow,
}

impl Build {
    const ALL: [(Self, &str); 6] = [
        (Self::One, "build-1"),
        (Self::OneSelectStar, "build-1-select-star"),
        (Self::Two, "build-2"),
        (Self::TwoPhaseSwitch, "build-2-phase-switch"),
        (Self::TwoWithErrors, "build-2-with-errors"),
        (Self::TwoSlow, "build-2-slow"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(build, _)| *build == self).map_or("", |(_, name)| name)
    }

    pub fn called(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(build, _)| *build)
    }

    /// Whether a contract of migration 0002 would break it.
    pub fn is_old(self) -> bool {
        matches!(self, Self::One | Self::OneSelectStar)
    }

    /// What it tolerates and needs: what `zdm manifest --service api` wrote in the commit of the build.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::One | Self::OneSelectStar => include_str!("manifests/build-1"),
            Self::TwoPhaseSwitch => include_str!("manifests/build-2-phase-switch"),
            Self::Two | Self::TwoWithErrors | Self::TwoSlow => include_str!("manifests/build-2"),
        }
    }

    /// The column that holds a user's name for who reads it now.
    pub fn reads(self, instance: &Instance) -> crate::Result<&'static str> {
        Ok(match self {
            Self::One | Self::OneSelectStar => "name",
            // Asked for each request: the answer changes while the process runs.
            Self::TwoPhaseSwitch if !instance.phase("0002")?.reads_new() => "name",
            Self::TwoPhaseSwitch | Self::Two | Self::TwoWithErrors | Self::TwoSlow => {
                "display_name"
            }
        })
    }

    /// The column that it writes. From expand on a trigger keeps the other one alike.
    pub fn writes(self) -> &'static str {
        if self.is_old() { "name" } else { "display_name" }
    }
}
