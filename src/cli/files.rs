//! Files as they are read, with errors that name them as the user would.

use std::path::Path;

use super::encoding::{self, NotText};
use crate::config::folder::{self, Entry};
use crate::error::{Error, ErrorKind};

/// A file's text. `shown` is its path as the user would type it.
pub(crate) fn read(path: &Path, shown: &str) -> Result<String, Error> {
    utf8(bytes(path, shown)?, shown)
}

/// The text of a file that is only looked at, in any encoding that says what it is; or why it has none.
pub(crate) fn read_any(path: &Path, shown: &str) -> Result<Result<String, NotText>, Error> {
    Ok(encoding::any(bytes(path, shown)?))
}

fn bytes(path: &Path, shown: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|error| Error::usage(format!("could not read file \"{shown}\"")).caused_by(error))
}

fn utf8(bytes: Vec<u8>, shown: &str) -> Result<String, Error> {
    encoding::utf8(bytes).map_err(|not| not_text(&not, shown))
}

/// The refusal of a file that nothing can go on without.
pub(crate) fn not_text(not: &NotText, shown: &str) -> Error {
    let line = not.before.matches('\n').count() + 1;
    let message = format!("file \"{shown}\" is not UTF-8 text: {}, in line {line}", not.why);
    Error::usage(message).hint("Save it as UTF-8.")
}

/// Writes a new file; one that is there already is left as it is.
pub(crate) fn create(path: &Path, text: &str) -> Result<(), Error> {
    use std::io::Write;
    let shown = path.display();
    let file = std::fs::File::create_new(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return Error::usage(format!("file \"{shown}\" is there already"))
                .hint("It was left as it is. Move it away first if you want a new one.");
        }
        Error::new(ErrorKind::Failed, format!("could not write file \"{shown}\"")).caused_by(error)
    })
}

/// Puts another text in the place of the one that a file has, in one step: whoever reads it meanwhile sees one or the
/// other. A byte order mark stays, and so do the file's permissions. A file that does not hold the old text, in UTF-8, is
/// left as it is.
pub(crate) fn replace(path: &Path, old: &str, new: &str) -> Result<(), Error> {
    use std::io::{Error as IoError, Write};
    let mark = "\u{feff}".as_bytes();
    let write = || -> std::io::Result<()> {
        // A link stays a link: what it leads to is replaced.
        let path = path.canonicalize()?;
        let bytes = std::fs::read(&path)?;
        let rest = bytes.strip_prefix(mark);
        if rest.unwrap_or(&bytes) != old.as_bytes() {
            return Err(IoError::other("it is not UTF-8, or has changed meanwhile"));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        if rest.is_some() {
            file.write_all(mark)?;
        }
        file.write_all(new.as_bytes())?;
        file.as_file().set_permissions(std::fs::metadata(&path)?.permissions())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(|error| {
        let message = format!("could not write file \"{}\"", path.display());
        Error::new(ErrorKind::Failed, message).caused_by(error)
    })
}

/// What stands in the folder of migrations, in the order of names.
pub(crate) fn entries(folder: &Path) -> Result<Vec<Entry>, Error> {
    let mut read = Vec::new();
    for (name, kind) in list(folder, "of migrations")? {
        if kind == Kind::Folder && !name.starts_with('.') {
            let files = migration_files(&folder.join(&name))?;
            read.push(Entry::Folder { name, files });
        } else if kind == Kind::File && !folder::is_ignored(&name) {
            read.push(Entry::File { name });
        }
    }
    if read.is_empty() {
        return Err(Error::usage(format!("folder \"{}\" holds no migrations", folder.display()))
            .hint("`zdm new NAME` makes the first one."));
    }
    Ok(read)
}

/// The names of the folders in the folder of migrations.
pub(crate) fn folder_names(folder: &Path) -> Result<Vec<String>, Error> {
    let all = list(folder, "of migrations")?;
    Ok(all.into_iter().filter(|(_, kind)| *kind == Kind::Folder).map(|(name, _)| name).collect())
}

fn migration_files(folder: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut files = Vec::new();
    for (name, kind) in list(folder, "of a migration")? {
        if folder::is_ignored(&name) {
            continue;
        }
        let path = folder.join(&name);
        let shown = path.display().to_string();
        if kind == Kind::Folder {
            let message = format!("folder \"{shown}\" stands inside a migration");
            return Err(Error::usage(message).hint("A migration holds files alone: move it out."));
        }
        files.push((name, read(&path, &shown)?));
    }
    Ok(files)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
}

fn list(folder: &Path, what: &str) -> Result<Vec<(String, Kind)>, Error> {
    let shown = folder.display();
    let unreadable = |error: std::io::Error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let words = if missing { "there is no folder" } else { "could not read folder" };
        let failure = Error::usage(format!("{words} \"{shown}\" {what}")).caused_by(error);
        if missing {
            failure.hint("`zdm init` makes it; --dir names another one.")
        } else {
            failure
        }
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            Error::usage(format!("the name of file \"{}\" is not UTF-8", path.display()))
        })?;
        let mut kind = entry.file_type().map_err(unreadable)?;
        if kind.is_symlink() {
            // Links are followed, so that a folder may be shared between projects.
            kind = std::fs::metadata(&path).map_err(unreadable)?.file_type();
        }
        let is_folder = kind.is_dir();
        names.push((name.to_owned(), if is_folder { Kind::Folder } else { Kind::File }));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(names)
}
