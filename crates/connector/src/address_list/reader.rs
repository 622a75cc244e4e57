//! Reading the address book: all of it once, then what changed.

use super::card::Listed;
use dme_dav::{CardBook, CardRead};
use dme_directory::{Attached, Binary, DirectoryEntry, Error, Texts};
use dme_mailbox::{CallContext, ChangeToken, ErrorKind};
use dme_model::{ItemId, RequestId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of all photos and certificates in memory.
const MAX_ATTACHED: usize = 256 << 20;

/// Whoever is on the cards, at one moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Shown {
    people: BTreeMap<ItemId, Arc<Listed>>,
    /// Whether somebody has no room.
    left_out: bool,
}

impl Shown {
    /// They, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &DirectoryEntry> {
        self.people.values().map(|listed| &listed.entry)
    }

    /// The same with what is looked in.
    pub fn with_texts(&self) -> impl Iterator<Item = (&DirectoryEntry, &Texts)> {
        self.people.values().map(|listed| (&listed.entry, &listed.texts))
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether everybody has room.
    pub fn is_complete(&self) -> bool {
        !self.left_out
    }

    fn listed(&self, entry: &DirectoryEntry) -> Option<&Listed> {
        let name = entry.id.strip_prefix(super::card::PREFIX)?;
        self.people.get(&ItemId::from(name)).map(Arc::as_ref)
    }
}

impl Attached for Shown {
    fn photo(&self, entry: &DirectoryEntry) -> Option<Vec<u8>> {
        self.listed(entry)?.photo.clone()
    }

    fn certificates(&self, entry: &DirectoryEntry) -> Vec<Binary> {
        self.listed(entry).map(|listed| listed.certificates.clone()).unwrap_or_default()
    }
}

/// Who reads.
pub(super) struct Reader {
    book: CardBook,
    limit: usize,
    patience: Duration,
    token: Option<ChangeToken>,
    cards: Known,
}

/// The cards that were read.
#[derive(Clone, Default)]
struct Known {
    shown: Shown,
    /// Cards without a mail address, or that cannot be read.
    others: BTreeSet<ItemId>,
    /// Bytes of photos and certificates.
    attached: usize,
}

impl Reader {
    /// Of this book, at most so many cards; each reading may take so long.
    pub fn new(book: CardBook, limit: u32, patience: Duration) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { book, limit, patience, token: None, cards: Known::default() }
    }

    /// Whoever is on the cards, as of the last reading that went well.
    pub fn shown(&self) -> &Shown {
        &self.cards.shown
    }

    /// How many cards there are, those without a mail address too.
    pub fn cards(&self) -> usize {
        self.cards.len()
    }

    /// Takes in what changed, and says whether anything did. Of new cards no more are fetched than
    /// there is room for. Where it breaks off, all is as it was and asked for again.
    ///
    /// # Errors
    /// When the server does not answer, or not as it should.
    pub async fn read(&mut self) -> Result<bool, Error> {
        let context = CallContext::new(RequestId::from("address-list"), self.patience);
        let changes = self.book.changes(self.token.as_ref(), &context).await.map_err(told)?;
        let gone = |name: &&ItemId| {
            changes.removed.contains(name)
                || changes.present.as_ref().is_some_and(|present| !present.contains(name))
        };
        let gone: Vec<ItemId> = self.cards.names().filter(gone).cloned().collect();
        let is_changed = !gone.is_empty() || !changes.changed.is_empty();
        if is_changed {
            let mut cards = self.cards.clone();
            for name in gone {
                cards.take_out(&name);
            }
            let was_complete = self.shown().is_complete();
            for batch in changes.changed.chunks(CardBook::BATCH) {
                let wanted = cards.with_room(batch, self.limit);
                for (name, card) in self.book.read(wanted, &context).await.map_err(told)? {
                    cards.put(name, card);
                }
            }
            if let Some(present) = &changes.present {
                cards.shown.left_out = present.iter().any(|name| !cards.has(&name));
            }
            if was_complete && cards.shown.left_out {
                let limit = self.limit;
                tracing::warn!(limit, "more cards than address_list.limit: some are left out");
            }
            self.cards = cards;
        }
        // Where there is room now for those who had none, all is read again.
        let has_room = self.cards.shown.left_out && self.cards.len() < self.limit;
        self.token = (!has_room).then_some(changes.token);
        Ok(is_changed)
    }
}

impl Known {
    fn len(&self) -> usize {
        self.shown.len() + self.others.len()
    }

    fn names(&self) -> impl Iterator<Item = &ItemId> {
        self.shown.people.keys().chain(&self.others)
    }

    fn has(&self, name: &ItemId) -> bool {
        self.shown.people.contains_key(name) || self.others.contains(name)
    }

    /// Those of these cards that are known, and new ones as long as there are fewer than the limit.
    fn with_room(&mut self, names: &[ItemId], limit: usize) -> Vec<ItemId> {
        let mut room = limit.saturating_sub(self.len());
        let mut wanted = Vec::with_capacity(names.len());
        for name in names {
            match (self.has(name), room) {
                (true, _) => {}
                (false, 0) => {
                    self.shown.left_out = true;
                    continue;
                }
                (false, _) => room -= 1,
            }
            wanted.push(name.clone());
        }
        wanted
    }

    fn take_out(&mut self, name: &ItemId) {
        self.others.remove(name);
        if let Some(old) = self.shown.people.remove(name) {
            self.attached = self.attached.saturating_sub(old.attached());
        }
    }

    fn put(&mut self, name: ItemId, card: CardRead) {
        self.take_out(&name);
        let listed = match card {
            CardRead::Content(content) => Listed::of(&name, *content),
            // It was there a moment ago; the next reading tells.
            CardRead::Gone => None,
            CardRead::Unreadable(reason) => {
                tracing::info!(card = %name, reason, "a card is not in the address list");
                None
            }
        };
        let Some(mut listed) = listed else {
            self.others.insert(name);
            return;
        };
        if self.attached + listed.attached() > MAX_ATTACHED {
            tracing::warn!(card = %name, "no memory is left for its photo and certificates");
            (listed.photo, listed.certificates) = (None, Vec::new());
        }
        self.attached += listed.attached();
        self.shown.people.insert(name, Arc::new(listed));
    }
}

/// An error of the mail system's kind in the terms of a directory.
fn told(error: dme_mailbox::Error) -> Error {
    let said = format!("the address book: {error}");
    match error.kind {
        ErrorKind::Auth | ErrorKind::Forbidden | ErrorKind::NotFound => Error::Refused(said),
        ErrorKind::Busy { .. } => Error::Busy(said),
        ErrorKind::Protocol => Error::Protocol(said),
        _ => Error::Unavailable(said),
    }
}
