//! The files of a collection: reading them, and writing them so that other programs never meet half
//! of one.

use super::items::Stamp;
use super::object::{ending, max_size};
use crate::durable::{sync_directory, write_aside};
use crate::error::{no_item, while_trying};
use crate::maildir::{fingerprint, unique_base};
use dme_mailbox::{Error, ErrorKind, Result};
use dme_model::{Class, ItemId};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The directory of a collection.
pub(super) struct Directory {
    /// Where the files are.
    pub(super) path: PathBuf,
    /// Where files are that are not whole yet.
    pub(super) aside: PathBuf,
    pub(super) class: Class,
}

/// Tells one directory from another of the same path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// A file's content, and its stamp at that time.
pub(super) type Content = (Vec<u8>, Stamp);

impl Directory {
    /// Which directory it is now.
    ///
    /// # Errors
    /// `NotFound` where there is none any more.
    pub(super) fn identity(&self) -> Result<Identity> {
        match fs::symlink_metadata(&self.path) {
            Ok(it) if it.is_dir() => Ok(Identity { device: it.dev(), inode: it.ino() }),
            _ => Err(Error::new(ErrorKind::NotFound, "the collection is gone")),
        }
    }

    /// Whether a file of this name can be an item.
    pub(super) fn is_item(&self, name: &str) -> bool {
        // A name with a line break could not stand in the journal.
        !name.starts_with('.')
            && name.ends_with(ending(self.class))
            && !name.contains(char::is_control)
    }

    /// The name that the file of this act has, however often it is repeated.
    pub(super) fn name_by(&self, act: &[&str]) -> String {
        format!("{}{}", fingerprint(act), ending(self.class))
    }

    /// Every file that can be an item.
    pub(super) fn files(&self) -> io::Result<impl Iterator<Item = io::Result<(String, Metadata)>>> {
        Ok(fs::read_dir(&self.path)?.filter_map(|entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let name = entry.file_name().into_string().ok().filter(|name| self.is_item(name))?;
            // Of the link itself, where it is one: those are no items.
            let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
            Some(Ok((name, metadata)))
        }))
    }

    /// The file of this name, if there is one that can be an item.
    pub(super) fn file(&self, name: &str) -> Option<Metadata> {
        fs::symlink_metadata(self.path.join(name)).ok().filter(Metadata::is_file)
    }

    /// A file's content. None where it is gone.
    ///
    /// # Errors
    /// `Unconvertible` where this file alone cannot be read.
    pub(super) fn read(&self, name: &str) -> Result<Option<Content>> {
        let reading = while_trying("read an item");
        let mut file = match File::open(self.path.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::new(ErrorKind::Unconvertible, reading(error).context));
            }
        };
        let metadata = file.metadata().map_err(&reading)?;
        let max = max_size(self.class);
        if metadata.len() > max as u64 {
            let context = format!("the file has {} bytes, {max} are read", metadata.len());
            return Err(Error::new(ErrorKind::Unconvertible, context));
        }
        let mut object = Vec::new();
        (&mut file).take(max as u64).read_to_end(&mut object).map_err(&reading)?;
        Ok(Some((object, Stamp::from(&metadata))))
    }

    /// Writes a new file, durably.
    pub(super) fn put_new(&self, name: &str, object: &[u8]) -> Result<()> {
        let writing = while_trying("write an item");
        self.put(name, object).map_err(&writing)?;
        sync_directory(&self.path).map_err(&writing)
    }

    /// Writes new files, durably; those that are there stay as they are.
    pub(super) fn put_all<'a>(
        &self,
        files: impl Iterator<Item = (String, &'a [u8])>,
    ) -> Result<()> {
        let writing = while_trying("write items");
        for (name, object) in files {
            match self.put(&name, object) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => done.map_err(&writing)?,
            }
        }
        sync_directory(&self.path).map_err(&writing)
    }

    /// Writes a new file; its name is durable once the directory is.
    fn put(&self, name: &str, object: &[u8]) -> io::Result<()> {
        let (written, _) = write_aside(&self.aside, object)?;
        let linked = fs::hard_link(&written, self.path.join(name));
        let _ = fs::remove_file(&written);
        linked
    }

    /// Writes a file anew if it still is as it was read; says whether it was.
    pub(super) fn replace(&self, name: &str, read: Stamp, object: &[u8]) -> Result<bool> {
        let writing = while_trying("write an item");
        let path = self.path.join(name);
        let (written, _) = write_aside(&self.aside, object).map_err(&writing)?;
        let same = stamp_of(&path).map_err(&writing)? == Some(read);
        if !same {
            let _ = fs::remove_file(&written);
            return Ok(false);
        }
        fs::rename(&written, &path).map_err(&writing)?;
        sync_directory(&self.path).map_err(&writing)?;
        Ok(true)
    }

    /// Deletes files, durably; those that are gone already count as deleted.
    pub(super) fn remove(&self, names: &[String]) -> Result<()> {
        let deleting = while_trying("delete an item");
        for name in names {
            match fs::remove_file(self.path.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(&deleting)?,
            }
        }
        sync_directory(&self.path).map_err(&deleting)
    }

    /// Has the item's file in the target too; answers its name there, which is durable once that
    /// directory is.
    pub(super) fn link(&self, name: &str, target: &Self, id: &ItemId) -> Result<String> {
        let moving = while_trying("move an item");
        let source = self.path.join(name);
        let linked = match fs::hard_link(&source, target.path.join(name)) {
            Ok(()) => Ok(name.to_owned()),
            // A move that was interrupted got so far.
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && self.shares(name, target) =>
            {
                Ok(name.to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let new = format!("{}{}", unique_base(), ending(self.class));
                fs::hard_link(&source, target.path.join(&new)).map(|()| new)
            }
            Err(error) => Err(error),
        };
        linked.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_item(id),
            _ => moving(error),
        })
    }

    /// Whether both have the very same file under this name.
    fn shares(&self, name: &str, other: &Self) -> bool {
        let inode = |it: &Self| it.file(name).map(|it| (it.dev(), it.ino()));
        inode(self).is_some_and(|ours| inode(other) == Some(ours))
    }
}

/// What tells whether this file is the same as before. None where there is none.
pub(super) fn stamp_of(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(Stamp::from(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
