//! What a collection holds, kept true to its directory.

use super::directory::Directory;
use super::items::{Items, Seen, Stamp};
use super::object::{self, Sort};
use crate::error::while_trying;
use crate::maildir::{content_mark, fingerprint};
use dme_mailbox::Result;
use std::collections::HashSet;
use std::fs::Metadata;
use std::time::SystemTime;

/// What a collection holds.
pub(super) struct View {
    pub(super) items: Items,
}

impl View {
    /// What the journal says, of which nothing was compared with the directory yet.
    pub(super) fn new(items: Items) -> Self {
        Self { items }
    }

    /// Finds out what happened in the directory, and notes it.
    pub(super) fn compare(&mut self, directory: &Directory) -> Result<()> {
        let reading = while_trying("read a collection");
        let now = SystemTime::now();
        let mut there = HashSet::new();
        for file in directory.files().map_err(&reading)? {
            let (name, metadata) = file.map_err(&reading)?;
            self.note(directory, &name, &metadata, now);
            there.insert(name);
        }
        let gone: Vec<String> =
            self.items.file_names().filter(|name| !there.contains(*name)).cloned().collect();
        gone.iter().for_each(|name| self.items.note_gone(name));
        Ok(())
    }

    /// Notes what a file holds now, which is read unless its stamp says that it is as before.
    fn note(&mut self, directory: &Directory, name: &str, metadata: &Metadata, now: SystemTime) {
        let stamp = Stamp::from(metadata);
        let known = self.items.entry(name);
        if known.is_some_and(|known| known.stamp == Some(stamp)) {
            return;
        }
        let settled = |stamp: Stamp| Some(stamp).filter(|it| it.is_settled(now));
        match directory.read(name) {
            Ok(Some((object, stamp))) => {
                let mark = content_mark(&object);
                let (sort, uid) = match known.filter(|known| known.mark == mark) {
                    Some(known) => (known.sort, known.uid.clone()),
                    None => {
                        let (sort, uid) = object::sort(directory.class, &object);
                        (sort, fingerprint(&[&uid]))
                    }
                };
                self.items.note(name, Seen { stamp: settled(stamp), mark, uid, sort });
            }
            Ok(None) => self.items.note_gone(name),
            Err(_) => {
                let mark = content_mark(format!("{stamp:?}").as_bytes());
                let uid = fingerprint(&[""]);
                let sort = Sort::Broken;
                self.items.note(name, Seen { stamp: settled(stamp), mark, uid, sort });
            }
        }
    }
}
