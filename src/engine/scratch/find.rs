//! Where a server's programs are.

use std::env;
use std::path::{Path, PathBuf};

/// The directory of a program: the one that the environment variable names, or the first of `PATH` and of the usual places.
///
/// A variable that is set and wrong finds nothing: who asks for a certain server must not get another one in silence.
pub(super) fn directory_of(program: &str, variable: &str, usual: &[PathBuf]) -> Option<PathBuf> {
    let holds = |directory: &Path| directory.join(program).is_file();
    if let Some(named) = env::var_os(variable).filter(|value| !value.is_empty()) {
        return Some(PathBuf::from(named)).filter(|directory| holds(directory));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).chain(usual.iter().cloned());
    places.find(|directory| holds(directory))
}

/// The directories that match `base/*/end`, the highest version first: `/usr/lib/postgresql/17/bin` before `9.6`.
pub(super) fn versions(base: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<_> = entries
        .map(|entry| (number(&entry.file_name().to_string_lossy()), entry.path().join(end)))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// Every number of a name, in order: the way versions compare.
fn number(name: &str) -> Vec<u32> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// Where `scripts/servers.sh` puts servers that come from a package registry. Root's own home is closed to the account that
/// the server runs as, so there it is a place of the system.
pub(super) fn cache() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("ZDM_SERVERS")
        .or_else(|| {
            let home = set("HOME").filter(|home| home != Path::new("/root"));
            set("XDG_CACHE_HOME")
                .or_else(|| Some(home?.join(".cache")))
                .map(|cache| cache.join("zdm"))
        })
        .unwrap_or_else(|| PathBuf::from("/var/cache/zdm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "16", "8"] {
            std::fs::create_dir_all(folder.path().join(version).join("bin")).unwrap();
        }
        let found = versions(folder.path(), "bin");
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, ["16/bin", "15/bin", "9.6/bin", "8/bin"].map(Path::new));
    }
}
