//! Reading the address book: all of it once, then what changed.

use super::card::Listed;
use dme_dav::CardBook;
use dme_directory::{Attached, Binary, DirectoryEntry, Error};
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
        let (shown, others) = (Shown::default(), BTreeSet::new());
        Self { book, limit, patience, token: None, shown, others, attached: 0 }
    }

    /// Whoever is on the cards, as of the last reading that went well.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// How many cards there are, those without a mail address too.
    pub fn cards(&self) -> usize {
        self.shown.len() + self.others.len()
    }

    /// Takes in what changed, and says whether anything did. Where that breaks off, all is as it was and asked for again.
    ///
    /// # Errors
    /// When the server does not answer, or not as it should.
    pub async fn read(&mut self) -> Result<bool, Error> {
        let context = CallContext::new(RequestId::from("address-list"), self.patience);
        let mut read = Vec::new();
        let reading = self.book.read(self.token.as_ref(), &context, |name, content| {
            let listed = content.map(|content| Listed::of(&name, content));
            if let Err(reason) = &listed {
                tracing::info!(card = %name, reason, "a card is not in the address list");
            }
            read.push((name, listed.ok().flatten()));
        });
        let reading = reading.await.map_err(told)?;
        let gone = |name: &ItemId| {
            reading.removed.contains(name)
                || reading.present.as_ref().is_some_and(|present| !present.contains(name))
        };
        let known = self.shown.people.keys().chain(&self.others);
        let gone: Vec<ItemId> = known.filter(|name| gone(name)).cloned().collect();
        let changed = !gone.is_empty() || !read.is_empty();
        for name in gone {
            self.take_out(&name);
        }
        for (name, listed) in read {
            self.put(name, listed);
        }
        self.token = Some(reading.token);
        if self.shown.left_out && self.cards() < self.limit {
            // There is room now for those who had none: all is read again.
            self.token = None;
            self.shown.left_out = false;
        }
        Ok(changed)
    }

    fn take_out(&mut self, name: &ItemId) {
        self.others.remove(name);
        if let Some(old) = self.shown.people.remove(name) {
            self.attached = self.attached.saturating_sub(old.attached());
        }
    }

    fn put(&mut self, name: ItemId, listed: Option<Listed>) {
        self.take_out(&name);
        if self.cards() >= self.limit {
            if !self.shown.left_out {
                let limit = self.limit;
                tracing::warn!(limit, "more cards than address_list.limit: some are left out");
            }
            self.shown.left_out = true;
            return;
        }
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
