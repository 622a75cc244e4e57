//! What goes into one answer: deletions, then changes, then additions, as many as fit.

use super::placeholder::placeholder;
use super::reading::Reading;
use super::work::Work;
use super::{ServerChange, Window};
use crate::{Result, TraceEvent};
use dme_mailbox::FetchOutcome;
use dme_model::{BodyView, Class, Item, ItemId, ItemSet, MailKind};

/// `WindowSize` is 512 at the most, and 0 is taken as that (MS-ASCMD 2.2.3.199).
const MOST: u32 = 512;

/// Counted for each item beside its texts.
const HEADERS: u64 = 1024;

/// Counted for each attendee and each exception.
const ENTRY: u64 = 256;

impl Work<'_> {
    /// Takes as much as fits out of what the phone is to be told. Where the mail system fails on
    /// the way, what was taken until then is the answer; the rest stays.
    pub async fn take_window(
        &mut self,
        window: Window,
        view: &BodyView,
    ) -> Result<Vec<ServerChange>> {
        let room = window.room();
        let mut told = Vec::new();
        self.take_deletions(room, &mut told);
        let taken = self.take_further(room, window.bytes, view, &mut told).await;
        match taken {
            Err(error) if told.is_empty() => Err(error),
            _ => Ok(told),
        }
    }

    async fn take_further(
        &mut self,
        room: usize,
        bytes: u64,
        view: &BodyView,
        told: &mut Vec<ServerChange>,
    ) -> Result<()> {
        let left = match self.class {
            Class::Mail => {
                self.take_marks(room, told).await?;
                bytes
            }
            _ => self.take_updates(room, bytes, view, told).await?,
        };
        self.take_additions(room, left, view, told).await
    }

    fn take_deletions(&mut self, room: usize, told: &mut Vec<ServerChange>) {
        let gone: Vec<ItemId> = self.generation.gone.iter().take(room).collect();
        for item in gone {
            self.generation.forget(&item);
            told.push(ServerChange::Delete(item));
        }
        let room = room.saturating_sub(told.len());
        let fallen: Vec<ItemId> = self.generation.fallen.iter().take(room).collect();
        for item in fallen {
            self.generation.forget(&item);
            told.push(ServerChange::SoftDelete(item));
        }
    }

    async fn take_marks(&mut self, room: usize, told: &mut Vec<ServerChange>) -> Result<()> {
        let room = room.saturating_sub(told.len());
        let dirty: Vec<ItemId> = self.generation.dirty.iter().take(room).collect();
        self.read_marks(&dirty).await?;
        for item in dirty {
            self.generation.dirty.remove(&item);
            // Without marks it is gone, which the next changes tell.
            if let Some(flags) = self.marks.remove(&item) {
                told.push(ServerChange::Change(item, flags));
            }
        }
        Ok(())
    }

    /// Asks for the marks of those items of which the mail system told in an earlier request.
    pub async fn read_marks(&mut self, items: &[ItemId]) -> Result<()> {
        let unknown = items.iter().filter(|item| !self.marks.contains_key(*item));
        let nothing_else = BodyView::default();
        let mut reading = self.reading(unknown.cloned().collect(), &nothing_else);
        while let Some((item, outcome)) = reading.next().await? {
            if let FetchOutcome::Item(Item::Mail(mail)) = outcome {
                self.marks.insert(item, mail.flags);
            }
        }
        Ok(())
    }

    /// Reads anew what the phone has in an older form; answers the bytes that are left. What does
    /// not pass the filter any more goes.
    async fn take_updates(
        &mut self,
        room: usize,
        bytes: u64,
        view: &BodyView,
        told: &mut Vec<ServerChange>,
    ) -> Result<u64> {
        let room = room.saturating_sub(told.len());
        let dirty: Vec<ItemId> = self.generation.dirty.iter().take(room).collect();
        let mut left = bytes;
        let mut reading = self.reading(dirty, view);
        while left > 0
            && let Some((item, outcome)) = reading.next().await?
        {
            self.generation.dirty.remove(&item);
            let now = match outcome {
                // The next changes tell.
                FetchOutcome::Gone => continue,
                FetchOutcome::Item(now) if !self.generation.filter.admits(&now) => {
                    self.generation.forget(&item);
                    told.push(ServerChange::SoftDelete(item));
                    continue;
                }
                FetchOutcome::Item(now) => now,
                FetchOutcome::Unconvertible(reason) => self.stand_in(&item, reason, view),
            };
            left = left.saturating_sub(item_size(&now));
            told.push(ServerChange::Update(item, now));
        }
        Ok(left)
    }

    /// What is shown in place of an item that cannot be read.
    fn stand_in(&mut self, item: &ItemId, reason: String, view: &BodyView) -> Item {
        self.generation.failed.insert(item);
        self.note(TraceEvent::Unconvertible { item: item.clone(), reason });
        placeholder(self.class, self.session.now, view)
    }

    async fn take_additions(
        &mut self,
        room: usize,
        bytes: u64,
        view: &BodyView,
        told: &mut Vec<ServerChange>,
    ) -> Result<()> {
        // Of an item whose placeholder goes with this answer the new form comes with the next.
        let held_back: ItemSet = told.iter().map(|change| change.item().clone()).collect();
        let mut left = bytes;
        // Again and again, because items that are gone meanwhile leave room for others.
        while told.len() < room && left > 0 {
            let ready = self.generation.pending.difference(&held_back);
            let wanted: Vec<ItemId> = ready.iter().rev().take(room - told.len()).collect();
            if wanted.is_empty() {
                break;
            }
            let mut reading = self.reading(wanted, view);
            while left > 0
                && let Some((item, outcome)) = reading.next().await?
            {
                left = left.saturating_sub(self.take_one(item, outcome, view, told));
            }
        }
        Ok(())
    }

    /// Takes in one fetched item; answers the bytes it takes.
    fn take_one(
        &mut self,
        item: ItemId,
        outcome: FetchOutcome,
        view: &BodyView,
        told: &mut Vec<ServerChange>,
    ) -> u64 {
        self.generation.pending.remove(&item);
        let now = match outcome {
            FetchOutcome::Gone => return 0,
            // A list was filtered by the mail system; of a change only the content tells.
            FetchOutcome::Item(now)
                if self.class != Class::Mail && !self.generation.filter.admits(&now) =>
            {
                if self.generation.known.contains(&item) {
                    self.generation.fallen.insert(&item);
                }
                return 0;
            }
            FetchOutcome::Item(now) => now,
            FetchOutcome::Unconvertible(reason) => self.stand_in(&item, reason, view),
        };
        if let Item::Mail(mail) = &now
            && matches!(mail.kind, MailKind::Meeting(_))
        {
            self.generation.untaken.insert(&item);
        }
        self.generation.known.insert(&item);
        let size = item_size(&now);
        told.push(ServerChange::Add(item, now));
        size
    }
}

impl Window {
    /// How many changes it takes.
    pub(super) fn room(self) -> usize {
        match self.items {
            0 => MOST as usize,
            items => items.min(MOST) as usize,
        }
    }
}

impl<'a> Work<'a> {
    pub fn reading<'v>(&self, items: Vec<ItemId>, view: &'v BodyView) -> Reading<'v>
    where
        'a: 'v,
    {
        let tolerated = self.engine.limits.unreadable;
        Reading::new(self.session.mailbox, self.collection, view, items, tolerated)
    }
}

/// What an item counts in an answer, in bytes.
pub fn item_size(item: &Item) -> u64 {
    let texts = match item {
        Item::Mail(mail) => {
            mail.body.iter().chain(&mail.body_part).map(|body| body.data.len()).sum::<usize>()
        }
        Item::Event(event) => event.text.as_ref().map_or(0, |text| text.text.len()),
        Item::Contact(contact) => {
            // In base64.
            let picture = contact.picture.as_ref().map_or(0, |picture| picture.0.len() / 3 * 4);
            picture + contact.text.as_ref().map_or(0, |text| text.text.len())
        }
        Item::Task(task) => task.text.as_ref().map_or(0, |text| text.text.len()),
        Item::Note(note) => note.text.as_ref().map_or(0, |text| text.text.len()),
    };
    let entries = match item {
        Item::Event(event) => event.attendees.len() + event.exceptions.len(),
        _ => 0,
    };
    texts as u64 + entries as u64 * ENTRY + HEADERS
}
