//! One request under way: the generation it goes on from, and what the mail system says of it.

use super::state::Generation;
use super::{CollectionOptions, ConflictRule};
use crate::{Engine, Error, FolderNo, Result, Session, TraceEntry, TraceEvent};
use dme_mailbox::{Changes, ContentMark, ErrorKind, ItemFilter, ItemState, StateNow};
use dme_model::{Class, CollectionId, FlagPatch, Flags, ItemId};
use std::collections::HashMap;

/// What the phone itself made of an item in this request: it needs no word of it from us.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Echo {
    /// These marks were set.
    Marks(FlagPatch),
    /// This was written, where the mail system took it word for word.
    Content(Option<ContentMark>),
}

/// One request under way on one collection.
pub(super) struct Work<'a> {
    pub engine: &'a Engine,
    pub session: Session<'a>,
    pub folder: FolderNo,
    pub collection: &'a CollectionId,
    pub class: Class,
    pub conflict: ConflictRule,
    pub notify: bool,
    /// What the phone holds and is to be told, brought up to date as the request goes on.
    pub generation: Generation,
    /// Marks the mail system told of in this request.
    pub marks: HashMap<ItemId, Flags>,
    /// Whether the mail system was asked in this request what is there.
    pub asked: bool,
    /// What to write into the device's trace.
    pub trace: Vec<TraceEntry>,
}

impl Work<'_> {
    pub fn note(&mut self, event: TraceEvent) {
        self.trace.push(TraceEntry { at: self.session.now, folder: self.folder, event });
    }

    /// Asks the mail system what changed, and with another filter what is there.
    pub async fn refresh(&mut self, options: &CollectionOptions) -> Result<()> {
        let filter = options.filter.of(self.class, self.session.now);
        let since = self.generation.token.clone();
        if since.is_some() {
            self.take_changes(&HashMap::new()).await?;
        }
        if since.is_none() || filter != self.generation.filter {
            self.relist(filter).await?;
        }
        self.asked = true;
        Ok(())
    }

    /// Takes in what changed since the token. `echoes` are what the phone itself has just done:
    /// it is not told of that.
    pub async fn take_changes(&mut self, echoes: &HashMap<ItemId, Echo>) -> Result<()> {
        let Some(since) = self.generation.token.clone() else { return Ok(()) };
        let changes = self.session.mailbox.changes(self.collection, &since).await;
        let changes = changes.map_err(|error| self.collection_error(error))?;
        self.absorb(changes, echoes);
        Ok(())
    }

    fn absorb(&mut self, changes: Changes, echoes: &HashMap<ItemId, Echo>) {
        for item in changes.upserted {
            let g = &mut self.generation;
            if g.pending.contains(&item.id) {
                // It is to be fetched anyway.
            } else if g.gone.contains(&item.id) {
                // It is there again: what the phone has goes, then it comes as new.
                if may_pass(&g.filter, &item.now) {
                    g.pending.insert(&item.id);
                }
            } else if g.failed.remove(&item.id) {
                // Perhaps it can be read now: the placeholder goes, then it comes as new.
                g.dirty.remove(&item.id);
                g.fallen.remove(&item.id);
                g.gone.insert(&item.id);
                g.pending.insert(&item.id);
            } else if g.known.contains(&item.id) {
                self.absorb_known(item, echoes);
            } else if may_pass(&g.filter, &item.now) {
                g.pending.insert(&item.id);
            }
        }
        let g = &mut self.generation;
        let mut removed = changes.removed;
        if let Some(present) = changes.present {
            let mut held = g.known.clone();
            held.extend_from(&g.pending);
            removed.extend_from(&held.difference(&present));
        }
        g.gone.extend_from(&removed.intersection(&g.known));
        g.pending = g.pending.difference(&removed);
        g.dirty = g.dirty.difference(&removed);
        g.fallen = g.fallen.difference(&removed);
        g.untaken = g.untaken.difference(&removed);
        g.token = Some(changes.token);
    }

    /// Takes in the change of an item the phone has. Where the mail system had changed it too, the
    /// phone must see how it came out, whatever it did itself.
    fn absorb_known(&mut self, item: ItemState, echoes: &HashMap<ItemId, Echo>) {
        let echo = match (&item.now, echoes.get(&item.id)) {
            // What another client marks on the same item in the moment between our command and
            // this question passes for part of the echo: nothing the mail system says tells the
            // two apart.
            (StateNow::Mail { flags, .. }, Some(Echo::Marks(patch))) => {
                patch.apply(flags) == *flags
            }
            (StateNow::Other(Some(mark)), Some(Echo::Content(Some(written)))) => mark == written,
            _ => false,
        };
        // What fell out by what it said may be in again by what it says now: it is looked at.
        let fell =
            matches!(item.now, StateNow::Other(_)) && self.generation.fallen.remove(&item.id);
        if echo && !fell && !self.generation.dirty.contains(&item.id) {
            return;
        }
        self.generation.dirty.insert(&item.id);
        if let StateNow::Mail { flags, .. } = item.now {
            self.marks.insert(item.id, flags);
        }
    }

    /// Lists the collection by another filter: what fell out, what came in.
    async fn relist(&mut self, filter: ItemFilter) -> Result<()> {
        let listing = self.session.mailbox.list(self.collection, &filter).await;
        let listing = listing.map_err(|error| self.collection_error(error))?;
        let g = &mut self.generation;
        let again = g.pending.intersection(&g.known).intersection(&listing.items);
        g.pending = listing.items.difference(&g.known);
        g.pending.extend_from(&again);
        g.fallen = g.known.difference(&listing.items).difference(&g.gone);
        if g.token.is_none() {
            // What the phone holds already it made itself. It may have changed since, and no
            // change was ever asked for.
            g.dirty = g.known.intersection(&listing.items);
        }
        g.filter = filter;
        // With a token from before the list, that one stays: the list does not tell of what
        // changed between the two.
        g.token.get_or_insert(listing.token);
        Ok(())
    }

    /// An error about the collection as a whole, in the engine's terms.
    pub fn collection_error(&mut self, error: dme_mailbox::Error) -> Error {
        match error.kind {
            ErrorKind::NotFound => Error::FolderNotFound(self.folder),
            ErrorKind::InvalidToken => {
                self.note(TraceEvent::Resync { reason: error.context });
                Error::InvalidKey
            }
            _ => Error::Mailbox(error),
        }
    }
}

/// Whether an item that is new to the phone may pass the filter. Of those that are no mail only
/// their content tells.
fn may_pass(filter: &ItemFilter, now: &StateNow) -> bool {
    match (now, filter.since) {
        (StateNow::Mail { received, .. }, Some(since)) => received.as_days() >= since.as_days(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{FilterAge, State};
    use crate::key::GenerationNo;
    use crate::{DeviceKey, Limits, MemoryStore};
    use dme_mailbox::ChangeToken;
    use dme_mailbox::memory::MemoryMailSystem;
    use dme_model::{ItemSet, Timestamp, UserId};
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn set(items: &[&str]) -> ItemSet {
        items.iter().map(|id| ItemId::from(*id)).collect()
    }

    /// What is to be told of a calendar of which the phone has `a`, by this generation, after these
    /// items changed.
    async fn after(change: impl FnOnce(&mut Generation), changed: &[&str]) -> Generation {
        let (system, user) = (MemoryMailSystem::new(), UserId::from("ann@example.com"));
        system.add_user(&user, "ann@example.com");
        let mailbox = system.mailbox(&user).unwrap();
        let engine = Engine::new(Arc::new(MemoryStore::default()), Limits::default());
        let device = DeviceKey { user, device: "phone".into() };
        let options = CollectionOptions { filter: FilterAge::OneDay, ..Default::default() };
        let no = GenerationNo::begin(NOW, None);
        let mut generation = State::begin(no, Class::Calendar, options).current;
        generation.known = set(&["a"]);
        change(&mut generation);
        let mut work = Work {
            engine: &engine,
            session: Session { device: &device, mailbox: &*mailbox, now: NOW },
            folder: FolderNo(1),
            collection: &CollectionId::from("calendar"),
            class: Class::Calendar,
            conflict: ConflictRule::ServerWins,
            notify: false,
            generation,
            marks: HashMap::new(),
            asked: false,
            trace: Vec::new(),
        };
        let upserted = changed.iter().map(|id| {
            let now = StateNow::Other(Some(ContentMark("2".into())));
            ItemState { id: ItemId::from(*id), now }
        });
        let changes = Changes {
            upserted: upserted.collect(),
            removed: ItemSet::new(),
            present: None,
            token: ChangeToken("2".into()),
        };
        work.absorb(changes, &HashMap::new());
        work.generation
    }

    #[tokio::test]
    async fn an_item_that_is_there_again_before_the_phone_was_told_that_it_is_gone_comes_as_new() {
        let told = after(|before| before.gone = set(&["a"]), &["a"]).await;
        assert_eq!((told.gone, told.pending), (set(&["a"]), set(&["a"])));
    }

    #[tokio::test]
    async fn an_item_that_fell_out_and_changed_is_looked_at_again() {
        let told = after(|before| before.fallen = set(&["a"]), &["a"]).await;
        assert_eq!((told.fallen, told.dirty), (set(&[]), set(&["a"])));
    }
}
