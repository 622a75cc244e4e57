//! One collection: its items, and what can be done to them.
//!
//! All is done under a lock on the journal, so that several connectors on one tree do not disturb
//! each other. Other programs know nothing of the lock; that they changed a file between the
//! reading and the writing is noticed by its stamp, and the edit is carried out anew.

use super::items::{Items, Seen, Stamp};
use super::object::{self, Sort, ending, max_size};
use crate::error::{no_item, while_trying};
use crate::folder::{item_id, number};
use crate::maildir::{self, content_mark, fingerprint, sync_directory, unique_base};
use dme_mailbox::{
    Account, ChangeToken, Changes, ContentMark, Edit, Error, ErrorKind, FetchOutcome, Fetched,
    ItemFilter, ItemState, Listing, NewItem, Result, StateNow, Written,
};
use dme_model::{BodyView, Class, ItemEdit, ItemId, ItemSet, Timestamp, ZoneId};
use dme_pim::calendar;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// How often an edit is carried out anew because another program changed the file meanwhile.
const ATTEMPTS: usize = 5;
/// The largest journal that is read; a larger one is begun anew.
const MAX_JOURNAL: u64 = 256 << 20;

/// A collection that is there.
pub(crate) struct Collection {
    /// Where its files are.
    directory: PathBuf,
    /// Its journal.
    journal: PathBuf,
    /// Where files are that are not whole yet.
    temporary: PathBuf,
    pub(crate) class: Class,
    /// The journal as it was read last, and when that was.
    known: Mutex<Option<(Items, Option<Stamp>)>>,
}

/// An object to be put into a collection as if it had long been there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewObject {
    /// Names the act: a repeated one puts in nothing further.
    pub name: String,
    /// The iCalendar object or vCard.
    pub object: Vec<u8>,
}

impl Collection {
    /// The collection in this directory; what is ours about it is in the other.
    pub(crate) fn new(directory: PathBuf, ours: &Path, class: Class) -> Self {
        let name = directory.file_name().unwrap_or_default();
        let mut journal = ours.join(name).into_os_string();
        journal.push(".items");
        let (journal, temporary) = (journal.into(), ours.join("tmp"));
        Self { directory, journal, temporary, class, known: Mutex::new(None) }
    }

    pub(crate) fn list(&self, filter: &ItemFilter) -> Result<Listing> {
        self.synced(|items| {
            let mut found = ItemSet::new();
            for entry in items.shown().filter(|entry| passes(entry.sort, filter)) {
                found.insert_run(entry.number, entry.number);
            }
            Ok(Listing { items: found, token: items.token() })
        })
    }

    pub(crate) fn token(&self) -> Result<ChangeToken> {
        self.synced(|items| Ok(items.token()))
    }

    pub(crate) fn changes(&self, since: &ChangeToken) -> Result<Changes> {
        self.synced(|items| {
            let (changed, removed) = items.since(since).ok_or_else(|| {
                Error::new(ErrorKind::InvalidToken, "the change token is no longer valid")
            })?;
            let state = |number: u32, mark: &str| ItemState {
                id: item_id(number),
                now: StateNow::Other(Some(ContentMark(mark.to_owned()))),
            };
            let upserted = changed.iter().map(|entry| state(entry.number, &entry.mark)).collect();
            Ok(Changes { upserted, removed, present: None, token: items.token() })
        })
    }

    /// Items as the view asks, in the order asked.
    pub(crate) fn fetch(
        &self,
        ids: &[ItemId],
        account: &Account,
        view: &BodyView,
    ) -> Result<Vec<Fetched>> {
        let names: Vec<Option<String>> = self.altered(|items| {
            // What is known is read as it is now; a window of a large collection costs no look at
            // all of it.
            if ids.iter().any(|id| shown_name(items, id).is_none()) {
                self.scan(items)?;
            }
            Ok(ids.iter().map(|id| shown_name(items, id)).collect())
        })?;
        let read = |(id, name): (&ItemId, Option<String>)| {
            let object = name.map_or(Ok(None), |name| self.read(&name));
            let outcome = match object {
                Ok(None) => FetchOutcome::Gone,
                Ok(Some((object, _))) => match object::read(self.class, &object, account, view) {
                    Ok(item) => FetchOutcome::Item(item),
                    Err(error) => FetchOutcome::Unconvertible(error.to_string()),
                },
                Err(error) if error.kind == ErrorKind::Unconvertible => {
                    FetchOutcome::Unconvertible(error.context)
                }
                Err(error) => return Err(error),
            };
            Ok(Fetched { id: id.clone(), outcome })
        };
        ids.iter().zip(names).map(read).collect()
    }

    /// An item as its file has it.
    pub(crate) fn object(&self, id: &ItemId) -> Result<Vec<u8>> {
        let name = self.name_of(id)?.ok_or_else(|| no_item(id))?;
        Ok(self.read(&name)?.ok_or_else(|| no_item(id))?.0)
    }

    pub(crate) fn create(&self, new: &NewItem, account: &Account) -> Result<Written> {
        let name = format!("{}{}", fingerprint(&["item", &new.key.0]), ending(self.class));
        let edit = ItemEdit::Patch(new.patch.clone());
        self.altered(|items| {
            let there = self.read(&name)?.map(|(object, _)| object);
            let apply =
                |object| object::apply(self.class, object, &edit, &new.key.0, account, now());
            // Whoever asks again may not have sent the notices the first time.
            let made = apply(there.as_deref())?;
            if there.is_none() {
                self.put_new(&name, &made.object)?;
            }
            self.scan(items)?;
            self.written(items, &name, made)
        })
    }

    pub(crate) fn change(&self, id: &ItemId, edit: &Edit, account: &Account) -> Result<Written> {
        self.rewrite(id, |object| {
            object::apply(self.class, Some(object), &edit.edit, &edit.key.0, account, now())
        })
    }

    /// Makes something else of an item's object.
    pub(super) fn rewrite(
        &self,
        id: &ItemId,
        change: impl Fn(&[u8]) -> Result<object::Made>,
    ) -> Result<Written> {
        self.altered(|items| {
            let found = number(id).and_then(|number| items.name(number));
            let name = found.ok_or_else(|| no_item(id))?.to_owned();
            for _ in 0..ATTEMPTS {
                let (object, stamp) = self.read(&name)?.ok_or_else(|| no_item(id))?;
                let made = change(&object)?;
                if made.object == object || self.replace(&name, stamp, &made.object)? {
                    self.scan(items)?;
                    return self.written(items, &name, made);
                }
            }
            let after = std::time::Duration::from_secs(5);
            Err(Error::new(ErrorKind::Busy { after }, "another program keeps changing the file"))
        })
    }

    fn written(&self, items: &Items, name: &str, made: object::Made) -> Result<Written> {
        let (item, mark) = self.place_of(items, name)?;
        let attached = made.attached.into_iter().map(Some).collect();
        Ok(Written { item, mark: Some(mark), notices: made.notices, attached })
    }

    fn place_of(&self, items: &Items, name: &str) -> Result<(ItemId, ContentMark)> {
        let gone = || Error::new(ErrorKind::NotFound, "another program took the file away");
        let entry = items.entry(name).ok_or_else(gone)?;
        Ok((item_id(entry.number), ContentMark(entry.mark.clone())))
    }

    /// Puts objects in that are not there yet, by their names.
    pub(crate) fn insert(&self, objects: &[NewObject]) -> Result<()> {
        self.altered(|items| {
            for NewObject { name, object } in objects {
                let name = format!("{}{}", fingerprint(&[name]), ending(self.class));
                match self.put(&name, object) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    done => done.map_err(while_trying("write an item"))?,
                }
            }
            sync_directory(&self.directory).map_err(while_trying("write items"))?;
            self.scan(items)
        })
    }

    /// Deletes items; those that are gone already count as deleted.
    pub(crate) fn delete(&self, ids: &[ItemId]) -> Result<()> {
        self.altered(|items| {
            let names = ids.iter().filter_map(|id| items.name(number(id)?).map(str::to_owned));
            self.remove_files(&names.collect::<Vec<_>>())?;
            self.scan(items)
        })
    }

    /// Deletes every item.
    pub(crate) fn empty(&self) -> Result<()> {
        self.altered(|items| {
            let shown: Vec<u32> = items.shown().map(|entry| entry.number).collect();
            let names = shown.iter().filter_map(|number| items.name(*number).map(str::to_owned));
            self.remove_files(&names.collect::<Vec<_>>())?;
            self.scan(items)
        })
    }

    fn remove_files(&self, names: &[String]) -> Result<()> {
        let deleting = while_trying("delete an item");
        for name in names {
            match fs::remove_file(self.directory.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(&deleting)?,
            }
        }
        sync_directory(&self.directory).map_err(&deleting)
    }

    /// Moves an item; answers its id there. It is in both for a moment, never in none.
    pub(crate) fn move_to(&self, target: &Self, id: &ItemId) -> Result<ItemId> {
        if self.class != target.class {
            return Err(Error::new(ErrorKind::Invalid, "the items are of another class"));
        }
        let moving = while_trying("move an item");
        let name = self.name_of(id)?.ok_or_else(|| no_item(id))?;
        let source = self.directory.join(&name);
        let new = match fs::hard_link(&source, target.directory.join(&name)) {
            Ok(()) => name.clone(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let new = format!("{}{}", unique_base(), ending(self.class));
                fs::hard_link(&source, target.directory.join(&new)).map_err(&moving)?;
                new
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_item(id)),
            Err(error) => return Err(moving(error)),
        };
        sync_directory(&target.directory).map_err(&moving)?;
        self.delete(std::slice::from_ref(id))?;
        target.altered(|items| {
            target.scan(items)?;
            target.place_of(items, &new).map(|(item, _)| item)
        })
    }

    /// When the owner of the calendar is not free, in no order. What can't be read takes no time.
    pub(super) fn busy(
        &self,
        owner: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<calendar::Busy>> {
        let wanted: Vec<String> = self.synced(|items| {
            let reaches = |sort| match sort {
                Sort::Event(end) => end.is_none_or(|end| end > from),
                _ => false,
            };
            let found = items.shown().filter(|entry| reaches(entry.sort));
            Ok(found.filter_map(|entry| items.name(entry.number).map(str::to_owned)).collect())
        })?;
        let owner = [owner.to_owned()];
        let mut periods = Vec::new();
        for name in wanted {
            if let Ok(Some((object, _))) = self.read(&name) {
                let taken = calendar::busy_within(&object, &owner, &ZoneId::utc(), from, to);
                periods.extend(taken.unwrap_or_default());
            }
        }
        Ok(periods)
    }

    /// The item with this `UID`.
    pub(super) fn with_uid(&self, uid: &str) -> Result<Option<ItemId>> {
        let uid = fingerprint(&[uid]);
        self.synced(|items| Ok(items.with_uid(&uid).map(item_id)))
    }

    /// Puts an object in that another made; `name` names the file.
    pub(super) fn put_object(&self, name: &str, object: &[u8]) -> Result<ItemId> {
        let name = format!("{}{}", fingerprint(&[name]), ending(self.class));
        self.altered(|items| {
            if items.entry(&name).is_none() {
                self.put_new(&name, object)?;
            }
            self.scan(items)?;
            self.place_of(items, &name).map(|(item, _)| item)
        })
    }

    fn name_of(&self, id: &ItemId) -> Result<Option<String>> {
        self.synced(|items| Ok(shown_name(items, id)))
    }

    /// Finds out what happened, then looks at what is there.
    fn synced<T>(&self, look: impl FnOnce(&Items) -> Result<T>) -> Result<T> {
        self.altered(|items| {
            self.scan(items)?;
            look(items)
        })
    }

    /// Works on the journal under its lock, and makes durable what was noted.
    fn altered<T>(&self, work: impl FnOnce(&mut Items) -> Result<T>) -> Result<T> {
        let opening = while_trying("open a collection's journal");
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.directory.is_dir() {
            return Err(Error::new(ErrorKind::NotFound, "the collection is gone"));
        }
        fs::create_dir_all(&self.temporary).map_err(&opening)?;
        let mut lock = self.journal.clone().into_os_string();
        lock.push(".lock");
        let lock = File::options().create(true).truncate(false).write(true).open(lock);
        let lock = lock.map_err(&opening)?;
        lock.lock().map_err(&opening)?;
        let stamp = stamp_of(&self.journal).map_err(&opening)?;
        let (mut items, new) = match known.take() {
            Some((items, at)) if at == stamp && stamp.is_some() => (items, false),
            _ => match self.load().map_err(&opening)? {
                Some(items) => (items, false),
                None => (Items::begin(), true),
            },
        };
        let before = items.time();
        let answer = work(&mut items);
        if new || items.time() != before {
            self.save(&items).map_err(while_trying("write a collection's journal"))?;
        }
        *known = Some((items, stamp_of(&self.journal).map_err(&opening)?));
        answer
    }

    fn load(&self) -> io::Result<Option<Items>> {
        let file = match File::open(&self.journal) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        let read = file.take(MAX_JOURNAL).read_to_string(&mut text);
        let items = read.ok().and_then(|_| Items::parse(&text));
        if items.is_none() {
            let journal = self.journal.display();
            tracing::info!(%journal, "the collection's journal is begun anew");
        }
        maildir::clean(self.journal.parent().unwrap_or(&self.directory));
        Ok(items)
    }

    fn save(&self, items: &Items) -> io::Result<()> {
        write_whole(&self.temporary, &self.journal, items.to_text().as_bytes())
    }

    /// Compares the directory with the journal.
    fn scan(&self, items: &mut Items) -> Result<()> {
        let reading = while_trying("read a collection");
        let now = SystemTime::now();
        let mut there = std::collections::BTreeSet::new();
        for entry in fs::read_dir(&self.directory).map_err(&reading)? {
            let entry = entry.map_err(&reading)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_item(name, self.class)) else {
                continue;
            };
            // Of the link itself, where it is one: those are no items.
            let Ok(metadata) = entry.metadata() else { continue };
            if !metadata.is_file() {
                continue;
            }
            there.insert(name.to_owned());
            let stamp = Stamp::from(&metadata);
            if items.entry(name).is_some_and(|known| known.stamp == Some(stamp)) {
                continue;
            }
            match self.read(name) {
                Ok(Some((object, stamp))) => {
                    let mark = content_mark(&object);
                    let stamp = Some(stamp).filter(|it| it.is_settled(now));
                    let same = items.entry(name).filter(|known| known.mark == mark);
                    let (sort, uid) = match same {
                        Some(known) => (known.sort, known.uid.clone()),
                        None => {
                            let (sort, uid) = object::sort(self.class, &object);
                            (sort, fingerprint(&[&uid]))
                        }
                    };
                    items.note(name, Seen { stamp, mark, uid, sort });
                }
                Ok(None) => {
                    there.remove(name);
                }
                Err(_) => {
                    let mark = content_mark(format!("{stamp:?}").as_bytes());
                    let stamp = Some(stamp).filter(|it| it.is_settled(now));
                    let uid = fingerprint(&[""]);
                    items.note(name, Seen { stamp, mark, uid, sort: Sort::Broken });
                }
            }
        }
        let gone: Vec<String> =
            items.file_names().filter(|name| !there.contains(*name)).cloned().collect();
        gone.iter().for_each(|name| items.note_gone(name));
        Ok(())
    }

    /// A file's content, and its stamp at that time. None where it is gone.
    fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Stamp)>> {
        let reading = while_trying("read an item");
        let path = self.directory.join(name);
        let mut file = match File::open(path) {
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
    fn put_new(&self, name: &str, object: &[u8]) -> Result<()> {
        let writing = while_trying("write an item");
        self.put(name, object).map_err(&writing)?;
        sync_directory(&self.directory).map_err(&writing)
    }

    /// Writes a new file; its name is durable once the directory is.
    fn put(&self, name: &str, object: &[u8]) -> io::Result<()> {
        let temporary = write_temporary(&self.temporary, object)?;
        let linked = fs::hard_link(&temporary, self.directory.join(name));
        let _ = fs::remove_file(&temporary);
        linked
    }

    /// Writes a file anew if it still is as it was read; says whether it was.
    fn replace(&self, name: &str, read: Stamp, object: &[u8]) -> Result<bool> {
        let writing = while_trying("write an item");
        let path = self.directory.join(name);
        let temporary = write_temporary(&self.temporary, object).map_err(&writing)?;
        let same = stamp_of(&path).map_err(&writing)? == Some(read);
        if !same {
            let _ = fs::remove_file(&temporary);
            return Ok(false);
        }
        fs::rename(&temporary, &path).map_err(&writing)?;
        sync_directory(&self.directory).map_err(&writing)?;
        Ok(true)
    }
}

/// The name of an item's file.
fn shown_name(items: &Items, id: &ItemId) -> Option<String> {
    let name = items.name(number(id)?)?;
    let shown = items.entry(name).is_some_and(|entry| entry.sort != Sort::LeftOut);
    shown.then(|| name.to_owned())
}

/// Whether a file of this name can be an item of the class.
fn is_item(name: &str, class: Class) -> bool {
    // A name with a line break could not stand in the journal.
    !name.starts_with('.') && name.ends_with(ending(class)) && !name.contains(char::is_control)
}

/// Whether an item passes the filter, as [`ItemFilter::admits`] has it.
fn passes(sort: Sort, filter: &ItemFilter) -> bool {
    match sort {
        Sort::Event(Some(end)) => filter.since.is_none_or(|since| end.as_days() >= since.as_days()),
        Sort::Task(done) => !(done && filter.incomplete),
        _ => true,
    }
}

fn stamp_of(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(Stamp::from(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file out of the way of other programs, durably.
fn write_temporary(directory: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let temporary = directory.join(unique_base());
    let mut file = File::options().write(true).create_new(true).open(&temporary)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    match written {
        Ok(()) => Ok(temporary),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(error)
        }
    }
}

/// Writes a file whole, durably: it is never half there.
pub(super) fn write_whole(temporary: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let written = write_temporary(temporary, content)?;
    fs::rename(&written, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
