//! The journal's file, on which one process at a time works, so that several connectors on one tree
//! do not disturb each other.

use super::directory::stamp_of;
use super::items::{Items, Stamp};
use crate::durable::write_whole;
use crate::maildir;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest journal that is read; a larger one is begun anew.
const MAX_JOURNAL: u64 = 256 << 20;

/// Where a collection's journal is.
pub(super) struct Journal {
    path: PathBuf,
    /// Where files are that are not whole yet.
    aside: PathBuf,
}

/// The journal's file as it was read or written last. It is held open, so that no file that
/// replaces it can be given its inode and be taken for it.
pub(super) struct Version {
    stamp: Stamp,
    _file: File,
}

impl Version {
    fn of(file: File) -> io::Result<Self> {
        Ok(Self { stamp: Stamp::from(&file.metadata()?), _file: file })
    }
}

impl Journal {
    /// The journal of the collection of this name; `ours` is where all journals are.
    pub(super) fn new(ours: &Path, collection: &Path) -> Self {
        let name = collection.file_name().unwrap_or_default();
        let mut path = ours.join(name).into_os_string();
        path.push(".items");
        Self { path: path.into(), aside: ours.join("tmp") }
    }

    /// Waits until nobody else works on it, and keeps others waiting until the file is dropped.
    pub(super) fn lock(&self) -> io::Result<File> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        fs::create_dir_all(&self.aside)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path)?;
        lock.lock()?;
        Ok(lock)
    }

    /// Whether it still is this version.
    pub(super) fn is(&self, version: &Version) -> io::Result<bool> {
        Ok(stamp_of(&self.path)? == Some(version.stamp))
    }

    /// Reads it. None where there is none, or none that makes sense.
    pub(super) fn load(&self) -> io::Result<Option<(Items, Version)>> {
        maildir::clean(self.path.parent().unwrap_or(&self.path));
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        let read = (&file).take(MAX_JOURNAL).read_to_string(&mut text);
        let Some(items) = read.ok().and_then(|_| Items::parse(&text)) else {
            let journal = self.path.display();
            tracing::info!(%journal, "the collection's journal is begun anew");
            return Ok(None);
        };
        Ok(Some((items, Version::of(file)?)))
    }

    /// Writes it, durably.
    pub(super) fn save(&self, items: &Items) -> io::Result<Version> {
        Version::of(write_whole(&self.aside, &self.path, items.to_text().as_bytes())?)
    }
}
