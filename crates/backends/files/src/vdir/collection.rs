//! One collection: its items, and what can be done to them.
//!
//! All is done under a lock on the journal. Other programs know nothing of the lock; that they
//! changed a file between the reading and the writing is noticed by its stamp, and the edit is
//! carried out anew.

use super::directory::Directory;
use super::items::Items;
use super::journal::{Journal, Version};
use super::object::{self, Sort, User};
use super::view::View;
use crate::clock::now;
use crate::durable::sync_directory;
use crate::error::{no_item, while_trying};
use crate::folder::{item_id, number};
use crate::held::Hold;
use crate::lookout::Lookout;
use crate::maildir::fingerprint;
use dme_mailbox::{
    ChangeToken, Changes, ContentMark, Edit, Error, ErrorKind, FetchOutcome, Fetched, ItemFilter,
    ItemResult, ItemState, Listing, NewItem, Result, StateNow, Written,
};
use dme_model::{BodyView, Class, ItemEdit, ItemId, ItemSet, Timestamp, ZoneId};
use dme_pim::calendar;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How often an edit is carried out anew because another program changed the file meanwhile.
const ATTEMPTS: usize = 5;

/// A collection that is there.
pub(crate) struct Collection {
    directory: Directory,
    journal: Journal,
    lookout: Lookout,
    /// What it held when the journal was read or written last.
    known: Mutex<Option<(View, Version)>>,
}

/// An object to be put into a collection as if it had long been there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewObject {
    /// Names the act: a repeated one puts in nothing further.
    pub name: String,
    /// The iCalendar object or vCard.
    pub object: Vec<u8>,
}

impl Hold for Collection {
    /// About 400 bytes each.
    const MAX_ITEMS: usize = 200_000;

    fn items(&self) -> usize {
        let known = self.known.try_lock();
        known.ok().and_then(|known| Some(known.as_ref()?.0.items.len())).unwrap_or(0)
    }
}

impl Collection {
    /// The collection in this directory; what is ours about it is in the other.
    pub(crate) fn new(path: PathBuf, ours: &Path, class: Class, lookout: Lookout) -> Self {
        let journal = Journal::new(ours, &path);
        let directory = Directory { path, aside: ours.join("tmp"), class };
        Self { directory, journal, lookout, known: Mutex::new(None) }
    }

    pub(crate) fn class(&self) -> Class {
        self.directory.class
    }

    /// What passes the filter, for a user of this clock.
    pub(crate) fn list(&self, filter: &ItemFilter, clock: &ZoneId) -> Result<Listing> {
        self.synced(|items| {
            let mut found = ItemSet::new();
            for entry in items.shown().filter(|entry| passes(entry.sort, filter, clock)) {
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
    pub(super) fn fetch(
        &self,
        ids: &[ItemId],
        user: &User,
        view: &BodyView,
    ) -> Result<Vec<Fetched>> {
        let names: Vec<Option<String>> = self.altered(|here| {
            // What is known is read as it is now; a window of a large collection costs no look at
            // all of it.
            if ids.iter().any(|id| shown_name(&here.items, id).is_none()) {
                self.compare(here)?;
            }
            Ok(ids.iter().map(|id| shown_name(&here.items, id)).collect())
        })?;
        let read = |(id, name): (&ItemId, Option<String>)| {
            let object = name.map_or(Ok(None), |name| self.directory.read(&name));
            let outcome = match object {
                Ok(None) => FetchOutcome::Gone,
                Ok(Some((object, _))) => match object::read(self.class(), &object, user, view) {
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
        let name = self.synced(|items| shown_name(items, id).ok_or_else(|| no_item(id)))?;
        Ok(self.directory.read(&name)?.ok_or_else(|| no_item(id))?.0)
    }

    pub(super) fn create(&self, new: &NewItem, user: &User) -> Result<Written> {
        let name = self.directory.name_by(&["item", &new.key.0]);
        let edit = ItemEdit::Patch(new.patch.clone());
        self.altered(|here| {
            let there = self.directory.read(&name)?.map(|(object, _)| object);
            let apply =
                |object| object::apply(self.class(), object, &edit, &new.key.0, user, now());
            // Whoever asks again may not have sent the notices the first time.
            let made = apply(there.as_deref())?;
            if there.is_none() {
                self.directory.put_new(&name, &made.object)?;
            }
            self.compare(here)?;
            written(&here.items, &name, made)
        })
    }

    pub(super) fn change(&self, id: &ItemId, edit: &Edit, user: &User) -> Result<Written> {
        self.rewrite(id, |object| {
            object::apply(self.class(), Some(object), &edit.edit, &edit.key.0, user, now())
        })
    }

    /// Makes something else of an item's object.
    pub(super) fn rewrite(
        &self,
        id: &ItemId,
        change: impl Fn(&[u8]) -> Result<object::Made>,
    ) -> Result<Written> {
        self.altered(|here| {
            let found = number(id).and_then(|number| here.items.name(number));
            let name = found.ok_or_else(|| no_item(id))?.to_owned();
            for _ in 0..ATTEMPTS {
                let (object, stamp) = self.directory.read(&name)?.ok_or_else(|| no_item(id))?;
                let made = change(&object)?;
                if made.object == object || self.directory.replace(&name, stamp, &made.object)? {
                    self.compare(here)?;
                    return written(&here.items, &name, made);
                }
            }
            let after = std::time::Duration::from_secs(5);
            Err(Error::new(ErrorKind::Busy { after }, "another program keeps changing the file"))
        })
    }

    /// Puts objects in that are not there yet, by their names.
    pub(crate) fn insert(&self, objects: &[NewObject]) -> Result<()> {
        self.altered(|here| {
            let named = |it: &NewObject| self.directory.name_by(&[&it.name]);
            self.directory.put_all(objects.iter().map(|it| (named(it), &it.object[..])))?;
            self.compare(here)
        })
    }

    /// Deletes items; those that are gone already count as deleted.
    pub(crate) fn delete(&self, ids: &[ItemId]) -> Result<()> {
        self.altered(|here| {
            let names = ids.iter().filter_map(|id| here.items.name(number(id)?));
            self.directory.remove(&names.map(str::to_owned).collect::<Vec<_>>())?;
            self.compare(here)
        })
    }

    /// Deletes every item.
    pub(crate) fn empty(&self) -> Result<()> {
        self.altered(|here| {
            let names = here.items.shown().filter_map(|entry| here.items.name(entry.number));
            self.directory.remove(&names.map(str::to_owned).collect::<Vec<_>>())?;
            self.compare(here)
        })
    }

    /// Moves items; answers their ids there. Each is in both for a moment, never in none.
    pub(crate) fn move_to(
        &self,
        target: &Self,
        ids: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        if self.class() != target.class() {
            return Err(Error::new(ErrorKind::Invalid, "the items are of another class"));
        }
        // First out of here, then noted there: the two locks are never held together, so that two
        // moves in opposite directions cannot wait for each other.
        let moved = self.altered(|here| {
            self.compare(here)?;
            let link = |id: &ItemId| {
                let name = shown_name(&here.items, id).ok_or_else(|| no_item(id))?;
                let there = self.directory.link(&name, &target.directory, id)?;
                Ok((name, there))
            };
            let moved: Vec<Result<(String, String)>> = ids.iter().map(link).collect();
            sync_directory(&target.directory.path).map_err(while_trying("move items"))?;
            let left = moved.iter().flatten().map(|(name, _)| name.clone());
            self.directory.remove(&left.collect::<Vec<_>>())?;
            self.compare(here)?;
            Ok(moved)
        })?;
        target.synced(|items| {
            let place = |moved: Result<(String, String)>| Ok(Some(place_of(items, &moved?.1)?.0));
            Ok(ids.iter().cloned().zip(moved.into_iter().map(place)).collect())
        })
    }

    /// When the owner of the calendar is not free, in no order; times without a time zone are on
    /// `clock`. What can't be read takes no time.
    pub(super) fn busy(
        &self,
        owner: &str,
        clock: &ZoneId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<calendar::Busy>> {
        let wanted: Vec<String> = self.synced(|items| {
            let reaches = |sort| match sort {
                Sort::Event(end) => end.is_none_or(|end| end.on(clock) > from),
                _ => false,
            };
            let found = items.shown().filter(|entry| reaches(entry.sort));
            Ok(found.filter_map(|entry| items.name(entry.number).map(str::to_owned)).collect())
        })?;
        let owner = [owner.to_owned()];
        let mut periods = Vec::new();
        for name in wanted {
            if let Ok(Some((object, _))) = self.directory.read(&name) {
                let taken = calendar::busy_within(&object, &owner, clock, from, to);
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
        let name = self.directory.name_by(&[name]);
        self.altered(|here| {
            if here.items.entry(&name).is_none() {
                self.directory.put_new(&name, object)?;
            }
            self.compare(here)?;
            place_of(&here.items, &name).map(|(item, _)| item)
        })
    }

    fn compare(&self, here: &mut View) -> Result<()> {
        here.compare(&self.directory, &self.lookout)
    }

    /// Finds out what happened, then looks at what is there.
    fn synced<T>(&self, look: impl FnOnce(&Items) -> Result<T>) -> Result<T> {
        self.altered(|here| {
            self.compare(here)?;
            look(&here.items)
        })
    }

    /// Works on the collection under its lock, and makes durable what was noted.
    fn altered<T>(&self, work: impl FnOnce(&mut View) -> Result<T>) -> Result<T> {
        let opening = while_trying("open a collection's journal");
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.directory.identity()?;
        let _lock = self.journal.lock().map_err(&opening)?;
        let (mut here, mut version) = match known.take() {
            Some((view, version)) if self.journal.is(&version).map_err(&opening)? => {
                (view, Some(version))
            }
            _ => match self.journal.load().map_err(&opening)? {
                Some((items, version)) => (View::new(items), Some(version)),
                None => (View::new(Items::begin()), None),
            },
        };
        let before = here.items.time();
        let answer = work(&mut here);
        if version.is_none() || here.items.time() != before {
            let saved = self.journal.save(&here.items);
            version = Some(saved.map_err(while_trying("write a collection's journal"))?);
        }
        *known = version.map(|version| (here, version));
        answer
    }
}

/// What was written into the file of this name.
fn written(items: &Items, name: &str, made: object::Made) -> Result<Written> {
    let (item, mark) = place_of(items, name)?;
    let attached = made.attached.into_iter().map(Some).collect();
    Ok(Written { item, mark: Some(mark), notices: made.notices, attached })
}

fn place_of(items: &Items, name: &str) -> Result<(ItemId, ContentMark)> {
    let gone = || Error::new(ErrorKind::NotFound, "another program took the file away");
    let entry = items.entry(name).ok_or_else(gone)?;
    Ok((item_id(entry.number), ContentMark(entry.mark.clone())))
}

/// The name of an item's file.
fn shown_name(items: &Items, id: &ItemId) -> Option<String> {
    let name = items.name(number(id)?)?;
    let shown = items.entry(name).is_some_and(|entry| entry.sort != Sort::LeftOut);
    shown.then(|| name.to_owned())
}

/// Whether an item passes the filter, as [`ItemFilter::admits`] has it, for a user of this clock.
fn passes(sort: Sort, filter: &ItemFilter, clock: &ZoneId) -> bool {
    match sort {
        Sort::Event(Some(end)) => {
            filter.since.is_none_or(|since| end.on(clock).as_days() >= since.as_days())
        }
        Sort::Task(done) => !(done && filter.incomplete),
        _ => true,
    }
}
