//! Fetching items so that one that cannot be read does not stop the others (rule S5).

use dme_mailbox::{Error, ErrorKind, FetchOutcome, Fetched, Mailbox, Result};
use dme_model::{BodyView, CollectionId, ItemId};
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use std::collections::VecDeque;

/// A fetch under way.
pub(super) struct Reading<'a> {
    mailbox: &'a dyn Mailbox,
    collection: &'a CollectionId,
    view: &'a BodyView,
    left: VecDeque<ItemId>,
    /// So many failures may still be blamed on an item; beyond, on the mail system.
    tolerated: usize,
    stream: Option<BoxStream<'static, Result<Fetched>>>,
}

impl<'a> Reading<'a> {
    pub fn new(
        mailbox: &'a dyn Mailbox,
        collection: &'a CollectionId,
        view: &'a BodyView,
        items: Vec<ItemId>,
        tolerated: usize,
    ) -> Self {
        Self { mailbox, collection, view, left: items.into(), tolerated, stream: None }
    }

    /// The next item, in the order asked, and what became of it; none after the last.
    pub async fn next(&mut self) -> Result<Option<(ItemId, FetchOutcome)>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let answer = match &mut self.stream {
            Some(stream) => stream.next().await,
            None => {
                let items = self.left.make_contiguous();
                match self.mailbox.fetch(self.collection, items, self.view).await {
                    Ok(stream) => self.stream.insert(stream).next().await,
                    Err(error) => Some(Err(error)),
                }
            }
        };
        match answer {
            Some(Ok(Fetched { id, outcome })) => {
                if self.left.pop_front().as_ref() == Some(&id) {
                    return Ok(Some((id, outcome)));
                }
                Err(Error::new(ErrorKind::Protocol, "items were fetched in another order"))
            }
            // The stream broke at the next item.
            Some(Err(error)) if self.tolerated > 0 && about_one_item(&error.kind) => {
                self.tolerated -= 1;
                self.stream = None;
                let blamed = self.left.pop_front();
                Ok(blamed.map(|item| (item, FetchOutcome::Unconvertible(error.context))))
            }
            Some(Err(error)) => Err(error),
            None => Err(Error::new(ErrorKind::Protocol, "the fetch ended before the last item")),
        }
    }
}

/// Whether a fetch that broke off may be blamed on the item it broke off at.
fn about_one_item(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unconvertible | ErrorKind::Protocol | ErrorKind::Bug)
}
