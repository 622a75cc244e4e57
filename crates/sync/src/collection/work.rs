//! One request under way: the generation it goes on from, and what the mail system says of it.

use super::state::Generation;
use super::{ConflictRule, FilterAge};
use crate::{Engine, Error, FolderNo, Result, Session, TraceEntry, TraceEvent};
use dme_mailbox::{Changes, ErrorKind, ItemFilter};
use dme_model::{CollectionId, FlagPatch, Flags, ItemId, Timestamp};
use std::collections::HashMap;

/// One request under way on one collection.
pub(super) struct Work<'a> {
    pub engine: &'a Engine,
    pub session: Session<'a>,
    pub folder: FolderNo,
    pub collection: &'a CollectionId,
    pub conflict: ConflictRule,
    /// What the phone holds and is to be told, brought up to date as the request goes on.
    pub generation: Generation,
    /// Marks the mail system told of in this request.
    pub marks: HashMap<ItemId, Flags>,
    /// What to write into the device's trace.
    pub trace: Vec<TraceEntry>,
}

impl Work<'_> {
    pub fn note(&mut self, event: TraceEvent) {
        self.trace.push(TraceEntry { at: self.session.now, folder: self.folder, event });
    }

    /// Asks the mail system what changed, and with another first day what is there.
    pub async fn refresh(&mut self, filter: FilterAge) -> Result<()> {
        let cutoff = filter.cutoff_day(self.session.now);
        let since = self.generation.token.clone();
        if since.is_some() {
            self.take_changes(&HashMap::new()).await?;
        }
        if since.is_none() || cutoff != self.generation.cutoff {
            self.relist(cutoff).await?;
        }
        Ok(())
    }

    /// Takes in what changed since the token. `echoes` are marks the phone itself has just set:
    /// it is not told of them.
    pub async fn take_changes(&mut self, echoes: &HashMap<ItemId, FlagPatch>) -> Result<()> {
        let Some(since) = self.generation.token.clone() else { return Ok(()) };
        let changes = self.session.mailbox.changes(self.collection, &since).await;
        let changes = changes.map_err(|error| self.collection_error(error))?;
        self.absorb(changes, echoes);
        Ok(())
    }

    fn absorb(&mut self, changes: Changes, echoes: &HashMap<ItemId, FlagPatch>) {
        let g = &mut self.generation;
        for item in changes.upserted {
            if g.pending.contains(&item.id) || g.gone.contains(&item.id) {
                // It is to be fetched or taken away anyway.
            } else if g.failed.remove(&item.id) {
                // Perhaps it can be read now: the placeholder goes, then it comes as new.
                g.dirty.remove(&item.id);
                g.fallen.remove(&item.id);
                g.gone.insert(&item.id);
                g.pending.insert(&item.id);
            } else if g.known.contains(&item.id) {
                let echo = echoes.get(&item.id).is_some_and(|p| p.apply(&item.flags) == item.flags);
                // Where the mail system had changed it too, the phone must see how it came out.
                // What another client marks on the same item in the moment between our command
                // and this question passes for part of the echo: nothing the mail system says
                // tells the two apart.
                if !echo || g.dirty.contains(&item.id) {
                    g.dirty.insert(&item.id);
                    self.marks.insert(item.id, item.flags);
                }
            } else if g.cutoff.is_none_or(|day| item.received.as_days() >= day) {
                g.pending.insert(&item.id);
            }
        }
        g.gone.extend_from(&changes.removed.intersection(&g.known));
        g.pending = g.pending.difference(&changes.removed);
        g.dirty = g.dirty.difference(&changes.removed);
        g.fallen = g.fallen.difference(&changes.removed);
        g.token = Some(changes.token);
    }

    /// Lists the collection from another day on: what fell out, what came in.
    async fn relist(&mut self, cutoff: Option<i64>) -> Result<()> {
        let received_since =
            cutoff.map(|day| Timestamp::from_seconds(day.saturating_mul(24 * 60 * 60)));
        let filter = ItemFilter { received_since };
        let listing = self.session.mailbox.list(self.collection, &filter).await;
        let listing = listing.map_err(|error| self.collection_error(error))?;
        let g = &mut self.generation;
        let again = g.pending.intersection(&g.known).intersection(&listing.items);
        g.pending = listing.items.difference(&g.known);
        g.pending.extend_from(&again);
        g.fallen = g.known.difference(&listing.items).difference(&g.gone);
        if g.token.is_none() {
            // What the phone holds already are drafts of its own. Their marks may have changed
            // since, and no change was ever asked for.
            g.dirty = g.known.intersection(&listing.items);
        }
        g.cutoff = cutoff;
        // With a token from before the list, that one stays: the list does not tell of marks that
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
