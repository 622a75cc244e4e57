//! One folder: its messages, and what can be done to them.

use crate::durable::sync_directory;
use crate::error::{failed, no_item, while_trying};
use crate::held::Hold;
use crate::index::{Alteration, Index, Item};
use crate::keywords::Keywords;
use crate::maildir::{self, Place};
use bytes::Bytes;
use dme_mailbox::{ChangeToken, Changes, Error, ErrorKind, ItemState, Result};
use dme_model::{FlagPatch, Flags, ItemId, ItemSet, Timestamp};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often a file is looked for that another program renames at the same time.
const ATTEMPTS: usize = 10;

/// One folder of one user.
pub(crate) struct Folder {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    index: Index,
    keywords: Keywords,
}

/// A message to be put into a folder as if it had long been there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMail {
    /// The message.
    pub message: Bytes,
    /// Its marks.
    pub flags: Flags,
    /// When it was received.
    pub received: Timestamp,
}

/// A message's bytes and what its file's name says.
pub(crate) struct Message {
    pub(crate) raw: Bytes,
    pub(crate) flags: Flags,
    pub(crate) received: Timestamp,
}

/// The number in an item's id; ids are decimal without leading zeros.
pub(crate) fn number(item: &ItemId) -> Option<u32> {
    item.as_str().parse().ok().filter(|number: &u32| number.to_string() == item.as_str())
}

pub(crate) fn item_id(number: u32) -> ItemId {
    ItemId::new(number.to_string())
}

impl Hold for Folder {
    /// About 200 bytes each.
    const MAX_ITEMS: usize = 100_000;

    fn items(&self) -> usize {
        self.state.try_lock().map_or(0, |state| state.index.items().len())
    }
}

impl Folder {
    /// A folder of which nothing is read yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        let (index, keywords) = (Index::new(path.clone()), Keywords::default());
        Self { path, state: Mutex::new(State { index, keywords }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state after looking what happened.
    fn synced(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.index.sync().map_err(while_trying("read the folder"))?;
        state.keywords.refresh(&self.path).map_err(while_trying("read the folder's keywords"))?;
        Ok(state)
    }

    /// The numbers of all items that pass, and the token.
    pub(crate) fn list(
        &self,
        passes: impl Fn(Timestamp) -> bool,
    ) -> Result<(ItemSet, ChangeToken)> {
        let state = self.synced()?;
        let mut items = ItemSet::new();
        for (number, item) in state.index.items() {
            if passes(item.received) {
                items.insert_run(*number, *number);
            }
        }
        Ok((items, state.index.token()))
    }

    pub(crate) fn changes(&self, since: &ChangeToken) -> Result<Changes> {
        let state = self.synced()?;
        let (changed, removed) = state.index.since(since).ok_or_else(|| {
            Error::new(ErrorKind::InvalidToken, "the folder's journal does not reach back so far")
        })?;
        let told = |number: u32| {
            let item = state.index.items().get(&number)?;
            let flags = state.keywords.flags(&item.letters);
            Some(ItemState::mail(item_id(number), item.received, flags))
        };
        let upserted = changed.into_iter().filter_map(told).collect();
        Ok(Changes { upserted, removed, present: None, token: state.index.token() })
    }

    pub(crate) fn token(&self) -> Result<ChangeToken> {
        Ok(self.synced()?.index.token())
    }

    /// The items received in this time, with when; newest last.
    pub(crate) fn received(
        &self,
        within: impl Fn(Timestamp) -> bool,
    ) -> Result<Vec<(Timestamp, u32)>> {
        let state = self.synced()?;
        let all = state.index.items().iter().map(|(number, item)| (item.received, *number));
        Ok(all.filter(|(received, _)| within(*received)).collect())
    }

    /// The message, with lines ended by CRLF; none where it is gone.
    ///
    /// # Errors
    /// `Unconvertible` where this message alone cannot be read.
    pub(crate) fn read(&self, item: u32) -> Result<Option<Message>> {
        for attempt in 0..ATTEMPTS {
            let mut state = self.state();
            if attempt > 0 || state.index.path(item).is_none() {
                state.index.sync().map_err(while_trying("read the folder"))?;
            }
            let refreshed = state.keywords.refresh(&self.path);
            refreshed.map_err(while_trying("read the folder's keywords"))?;
            let Some((known, path)) = state.index.items().get(&item).zip(state.index.path(item))
            else {
                return Ok(None);
            };
            let (flags, received) = (state.keywords.flags(&known.letters), known.received);
            drop(state);
            match read_file(&path) {
                Ok(raw) => return Ok(Some(Message { raw: with_crlf(raw), flags, received })),
                // Another program renamed or deleted it since the directories were read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if of_one_file(&error) => {
                    let context = format!("the message's file cannot be read: {error}");
                    return Err(Error::new(ErrorKind::Unconvertible, context));
                }
                Err(error) => return Err(failed("read a message", &error)),
            }
        }
        Err(restless())
    }

    /// Puts a message in as delivery would: unread, in `new`. With a base of one's own, a second
    /// time does nothing.
    pub(crate) fn deliver(&self, message: &[u8], base: Option<&str>) -> Result<ItemId> {
        let base = base.map_or_else(maildir::unique_base, str::to_owned) + &maildir::sizes(message);
        self.alter("store a message", |folder, _| {
            let item = self.put(folder, &base, Place::New, "", message, None)?;
            sync_directory(&self.path.join(Place::New.directory()))?;
            Ok(item)
        })
    }

    /// Puts messages in with these marks, as if received then.
    pub(crate) fn insert(&self, mails: &[NewMail]) -> Result<Vec<ItemId>> {
        self.alter("store messages", |folder, keywords| {
            let mut items = Vec::with_capacity(mails.len());
            for NewMail { message, flags, received } in mails {
                let info = maildir::info(&keywords.letters(&self.path, "", flags)?);
                let base = maildir::unique_base() + &maildir::sizes(message);
                items.push(self.put(folder, &base, Place::Cur, &info, message, Some(*received))?);
            }
            sync_directory(&self.path.join(Place::Cur.directory()))?;
            Ok(items)
        })
    }

    /// Puts a message in with these marks under a base of one's own: a second time does nothing.
    pub(crate) fn insert_as(&self, base: &str, message: &[u8], flags: &Flags) -> Result<ItemId> {
        let base = base.to_owned() + &maildir::sizes(message);
        self.alter("store a message", |folder, keywords| {
            let info = maildir::info(&keywords.letters(&self.path, "", flags)?);
            let item = self.put(folder, &base, Place::Cur, &info, message, None)?;
            sync_directory(&self.path.join(Place::Cur.directory()))?;
            Ok(item)
        })
    }

    fn put(
        &self,
        folder: &mut Alteration<'_>,
        base: &str,
        place: Place,
        info: &str,
        message: &[u8],
        received: Option<Timestamp>,
    ) -> io::Result<ItemId> {
        if let Some(number) = folder.number(base) {
            return Ok(item_id(number));
        }
        let name = format!("{base}{info}");
        match maildir::write(&self.path, place, &name, message, received) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => written?,
        }
        let metadata = fs::metadata(self.path.join(place.directory()).join(&name))?;
        folder.add(base, place, info, maildir::received(&metadata)).map(item_id)
    }

    /// Does something to the folder under its lock.
    fn alter<T>(
        &self,
        what: &str,
        work: impl FnOnce(&mut Alteration<'_>, &mut Keywords) -> io::Result<T>,
    ) -> Result<T> {
        let mut state = self.state();
        let State { index, keywords } = &mut *state;
        let done = keywords
            .refresh(&self.path)
            .and_then(|()| index.alter(|folder| work(folder, keywords)));
        done.map_err(while_trying(what))
    }

    /// The item whose base begins so; for messages that were put in with a base of one's own.
    pub(crate) fn find_base(&self, begin: &str) -> Result<Option<ItemId>> {
        let state = self.synced()?;
        let found = state.index.items().iter().find(|(_, item)| item.base.starts_with(begin));
        Ok(found.map(|(number, _)| item_id(*number)))
    }

    /// Changes marks of several items; answers for each whether it went well.
    pub(crate) fn set_flags(
        &self,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<(ItemId, Result<()>)>> {
        self.alter("mark messages", |folder, keywords| {
            folder.compare_once()?;
            let mut results = Vec::with_capacity(patches.len());
            for (id, patch) in patches {
                let result = each(folder, id, |folder, number, item| {
                    let flags = patch.apply(&keywords.flags(&item.letters));
                    let letters = keywords.letters(&self.path, &item.letters, &flags)?;
                    if *letters != *item.letters {
                        self.rename(folder, number, item, &letters)?;
                    }
                    Ok(())
                });
                results.push((id.clone(), result?));
            }
            self.make_durable()?;
            Ok(results)
        })
    }

    fn rename(
        &self,
        folder: &mut Alteration<'_>,
        number: u32,
        item: &Item,
        letters: &str,
    ) -> io::Result<()> {
        let from = folder.index().path(number).ok_or(io::ErrorKind::NotFound)?;
        let info = maildir::info(letters);
        let to = self.path.join(Place::Cur.directory()).join(format!("{}{info}", item.base));
        fs::rename(from, to)?;
        folder.mark(number, Place::Cur, &info);
        Ok(())
    }

    /// Moves items to another folder of the same file system; answers their new ids.
    pub(crate) fn move_to(
        &self,
        target: &Self,
        items: &[ItemId],
    ) -> Result<Vec<(ItemId, Result<Option<ItemId>>)>> {
        // First out of here, then noted there: the two locks are never held together, so that two
        // moves in opposite directions cannot wait for each other.
        let moved = self.move_files(target, items)?;
        target.alter("note moved messages", |folder, _| {
            let mut results = Vec::with_capacity(moved.len());
            for (id, moved) in &moved {
                let result = match moved {
                    Ok((base, info, received)) => {
                        Ok(Some(item_id(folder.add(base, Place::Cur, info, *received)?)))
                    }
                    Err(error) => Err(error.clone()),
                };
                results.push((id.clone(), result));
            }
            Ok(results)
        })
    }

    #[allow(clippy::type_complexity, reason = "it is spelt out where it is used")]
    fn move_files(
        &self,
        target: &Self,
        items: &[ItemId],
    ) -> Result<Vec<(ItemId, Result<(String, String, Timestamp)>)>> {
        // Not the target's own, which another move may hold while it waits for ours.
        let mut there = Keywords::default();
        self.alter("move messages", |folder, keywords| {
            folder.compare_once()?;
            let mut results = Vec::with_capacity(items.len());
            for id in items {
                let result = each(folder, id, |folder, number, item| {
                    // The same keyword may be another letter there.
                    let flags = keywords.flags(&item.letters);
                    let others: String =
                        item.letters.chars().filter(char::is_ascii_uppercase).collect();
                    let letters = there.letters(&target.path, &others, &flags)?;
                    let (base, info) = (maildir::moved_base(&item.base), maildir::info(&letters));
                    let from = folder.index().path(number).ok_or(io::ErrorKind::NotFound)?;
                    let directory = target.path.join(Place::Cur.directory());
                    fs::rename(from, directory.join(format!("{base}{info}")))?;
                    folder.remove(number);
                    Ok((base, info, item.received))
                });
                results.push((id.clone(), result?));
            }
            sync_directory(&target.path.join(Place::Cur.directory()))?;
            self.make_durable()?;
            Ok(results)
        })
    }

    /// Deletes items for good; those that are gone already count as deleted.
    pub(crate) fn delete(&self, items: &[ItemId]) -> Result<()> {
        let deleted = self.alter("delete messages", |folder, _| {
            folder.compare_once()?;
            let mut results = Vec::with_capacity(items.len());
            for id in items {
                results.push(each(folder, id, |folder, number, _| {
                    let path = folder.index().path(number).ok_or(io::ErrorKind::NotFound)?;
                    fs::remove_file(path)?;
                    folder.remove(number);
                    Ok(())
                })?);
            }
            self.make_durable()?;
            Ok(results)
        })?;
        // Not there is as good as deleted.
        let failures = deleted.into_iter().filter_map(Result::err);
        failures.filter(|error| error.kind != ErrorKind::NotFound).map(Err).next().unwrap_or(Ok(()))
    }

    /// Renamed and deleted files are so also after a power cut (rule S3).
    fn make_durable(&self) -> io::Result<()> {
        Place::ALL.iter().try_for_each(|place| sync_directory(&self.path.join(place.directory())))
    }

    pub(crate) fn empty(&self) -> Result<()> {
        let (all, _) = self.list(|_| true)?;
        self.delete(&all.iter().collect::<Vec<_>>())
    }
}

/// Does something to one item's file. Where the file is not where it was last seen, the
/// directories are read again and it is tried once more. The inner error is the item's own.
fn each<T>(
    folder: &mut Alteration<'_>,
    id: &ItemId,
    mut work: impl FnMut(&mut Alteration<'_>, u32, &Item) -> io::Result<T>,
) -> io::Result<Result<T>> {
    let Some(number) = number(id) else { return Ok(Err(no_item(id))) };
    for _ in 0..ATTEMPTS {
        let Some(item) = folder.index().items().get(&number).cloned() else {
            return Ok(Err(no_item(id)));
        };
        match work(folder, number, &item) {
            Ok(answer) => return Ok(Ok(answer)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => folder.compare()?,
            Err(error) => return Ok(Err(failed("change a message", &error))),
        }
    }
    Ok(Err(restless()))
}

fn restless() -> Error {
    let context = "the message is renamed by another program faster than it can be found";
    Error::new(ErrorKind::Unavailable, context)
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    if size > dme_mime::MAX_MESSAGE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} bytes")));
    }
    let mut raw = Vec::with_capacity(size);
    file.read_to_end(&mut raw)?;
    Ok(raw)
}

/// Whether the failure is that file's own, so that others can be read (rule S5).
fn of_one_file(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, IsADirectory, PermissionDenied};
    matches!(error.kind(), FileTooLarge | IsADirectory | PermissionDenied)
}

/// Many programs store messages with bare line feeds; mail has CRLF (RFC 5322 §2.1).
fn with_crlf(raw: Vec<u8>) -> Bytes {
    let first = raw.iter().position(|byte| *byte == b'\n');
    let bare = first.is_some_and(|at| at == 0 || raw.get(at - 1) != Some(&b'\r'));
    if !bare {
        return Bytes::from(raw);
    }
    let mut ended = Vec::with_capacity(raw.len() + raw.len() / 32);
    let mut before = 0;
    for byte in raw {
        if byte == b'\n' && before != b'\r' {
            ended.push(b'\r');
        }
        ended.push(byte);
        before = byte;
    }
    Bytes::from(ended)
}
