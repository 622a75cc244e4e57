//! What both halves do for callers in the same way: reading items in portions, and telling which
//! collections changed.

use crate::Shared;
use dme_mailbox::{ChangeToken, ErrorKind, Fetched, Result};
use dme_model::{CollectionId, ItemId};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use std::sync::Arc;

/// How many portions are read ahead of the reader: enough to keep two cores busy.
const AHEAD: usize = 2;

impl Shared {
    /// Reads so many items at a time, in the order asked.
    pub(crate) fn in_portions(
        self: &Arc<Self>,
        items: &[ItemId],
        size: usize,
        read: impl Fn(&[ItemId]) -> Result<Vec<Fetched>> + Send + Sync + 'static,
    ) -> BoxStream<'static, Result<Fetched>> {
        let portions: Vec<Vec<ItemId>> = items.chunks(size).map(<[_]>::to_vec).collect();
        let (shared, read) = (self.clone(), Arc::new(read));
        let read = move |portion: Vec<ItemId>| {
            let (shared, read) = (shared.clone(), read.clone());
            async move {
                match shared.blocking(move |_| read(&portion)).await {
                    Ok(fetched) => fetched.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error)],
                }
            }
        };
        stream::iter(portions).map(read).buffered(AHEAD).flat_map(stream::iter).boxed()
    }
}

/// Those that are no longer as their tokens say, or no longer there.
pub(crate) fn changed(
    since: Vec<(CollectionId, ChangeToken)>,
    token: impl Fn(&CollectionId) -> Result<ChangeToken>,
) -> Result<Vec<CollectionId>> {
    let mut changed = Vec::new();
    for (id, then) in since {
        match token(&id) {
            Ok(now) if now == then => {}
            Ok(_) => changed.push(id),
            Err(error) if error.kind == ErrorKind::NotFound => changed.push(id),
            Err(error) => return Err(error),
        }
    }
    Ok(changed)
}
