//! What goes into one answer: deletions, then marks, then additions, as many as fit.

use super::placeholder::placeholder;
use super::reading::Reading;
use super::work::Work;
use super::{ServerChange, Window};
use crate::{Result, TraceEvent};
use dme_mailbox::FetchOutcome;
use dme_model::{BodyView, ItemId, ItemSet, Mail};

/// `WindowSize` is 512 at the most, and 0 is taken as that (MS-ASCMD 2.2.3.199).
const MOST: u32 = 512;

/// Counted for each mail beside its bodies.
const HEADERS: u64 = 1024;

impl Work<'_> {
    /// Takes as much as fits out of what the phone is to be told. Where the mail system fails on
    /// the way, what was taken until then is the answer; the rest stays.
    pub async fn take_window(
        &mut self,
        window: Window,
        view: &BodyView,
    ) -> Result<Vec<ServerChange>> {
        let room = match window.items {
            0 => MOST,
            items => items.min(MOST),
        } as usize;
        let mut told = Vec::new();
        self.take_deletions(room, &mut told);
        let taken = match self.take_marks(room, &mut told).await {
            Ok(()) => self.take_additions(room, window.bytes, view, &mut told).await,
            Err(error) => Err(error),
        };
        match taken {
            Err(error) if told.is_empty() => Err(error),
            _ => Ok(told),
        }
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
            if let FetchOutcome::Item(mail) = outcome {
                self.marks.insert(item, mail.flags);
            }
        }
        Ok(())
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
        let mail = match outcome {
            FetchOutcome::Gone => return 0,
            FetchOutcome::Item(mail) => mail,
            FetchOutcome::Unconvertible(reason) => {
                self.generation.failed.insert(&item);
                self.note(TraceEvent::Unconvertible { item: item.clone(), reason });
                Box::new(placeholder(self.session.now, view))
            }
        };
        self.generation.known.insert(&item);
        let size = mail_size(&mail);
        told.push(ServerChange::Add(item, mail));
        size
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

/// What a mail counts in an answer, in bytes.
pub fn mail_size(mail: &Mail) -> u64 {
    let bodies = mail.body.iter().chain(&mail.body_part);
    bodies.map(|body| body.data.len() as u64).sum::<u64>() + HEADERS
}
