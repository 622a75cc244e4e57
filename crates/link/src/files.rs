//! Files that must not be seen by others nor be found half written after a crash.

use crate::{Error, Result};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes the directory, for its owner alone, where it is missing.
pub(crate) fn make_dir(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| Error::file("made", dir, error))
}

/// Reads a file; none where it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path, error)),
    }
}

/// Writes a file for its owner alone, whole or not at all, and durable on return.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    let failed = |error| Error::file("written", &new, error);
    may_die().map_err(failed)?;
    // A leftover of a crash may have other permissions.
    remove(&new)?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    rename(&new, path)
}

/// Puts a file in another's place, durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    may_die().map_err(|error| Error::file("written", to, error))?;
    fs::rename(from, to).map_err(|error| Error::file("written", to, error))?;
    // Of a name without a directory the parent is empty, and means where the process is.
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| Error::file("written", dir, error))
}

/// Removes a file where it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    may_die().map_err(|error| Error::file("removed", path, error))?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::file("removed", path, error))
        }
        _ => Ok(()),
    }
}

/// Outside of tests every change is made.
#[cfg(not(test))]
fn may_die() -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
use fuse::may_die;
#[cfg(test)]
pub(crate) use fuse::with_fuse;

/// For tests: a process that dies before one of its changes on the disk.
#[cfg(test)]
mod fuse {
    use std::cell::RefCell;
    use std::io;

    type Fuse = Box<dyn Fn() -> bool>;

    thread_local! {
        static FUSE: RefCell<Option<Fuse>> = const { RefCell::new(None) };
    }

    /// Does something, and fails at the first change before which the fuse says so.
    pub(crate) fn with_fuse<T>(fuse: impl Fn() -> bool + 'static, act: impl FnOnce() -> T) -> T {
        FUSE.set(Some(Box::new(fuse)));
        let answer = act();
        FUSE.set(None);
        answer
    }

    pub(super) fn may_die() -> io::Result<()> {
        let dies = FUSE.with_borrow(|fuse| fuse.as_ref().is_some_and(|fuse| fuse()));
        if dies { Err(io::Error::other("the process died")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_file_that_was_tried() {
        let dir = tempfile::tempdir().unwrap();
        let error = write(&dir.path().join("gone/identity.pem"), "").unwrap_err().to_string();
        assert!(error.ends_with("gone/identity.new could not be written"), "{error}");
        let error = read(dir.path()).unwrap_err().to_string();
        assert_eq!(error, format!("{} could not be read", dir.path().display()));
    }
}
