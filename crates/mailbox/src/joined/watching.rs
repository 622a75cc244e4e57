//! The watches of all parts as one.

use super::part::Of;
use super::{JoinedMailbox, in_time};
use crate::{Error, ErrorKind, Mailbox, Result, WatchEvent};
use dme_model::CollectionId;
use futures_core::stream::BoxStream;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::sleep;

/// After this time a part that could not be watched is tried again.
const AGAIN: Duration = Duration::from_secs(30);

impl JoinedMailbox {
    /// A watch on these collections and on mail, which ends when that of any part does.
    pub(super) async fn watch_parts(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let watched: Vec<_> = collections.iter().map(|id| (self.place(id), id)).collect();
        let each = self.parts().map(|(of, part)| {
            let mailbox = &*part.mailbox;
            let of_part = watched.iter().filter(|(place, _)| place.of == of);
            let outward: HashMap<CollectionId, CollectionId> =
                of_part.map(|(place, id)| (place.id.clone(), (*id).clone())).collect();
            let own: Vec<CollectionId> = outward.keys().cloned().collect();
            async move {
                match of {
                    // Always, because it tells of new collections.
                    Of::MAIL => stand(mailbox, &own).await.map(Some),
                    _ if own.is_empty() => Ok(None),
                    // The watch on mail stands; it all is begun anew when this may be back.
                    _ => Ok(Some(match in_time(stand(mailbox, &own)).await {
                        Ok(watch) => watch,
                        Err(error) => stream::once(async move {
                            sleep(AGAIN).await;
                            Err(error)
                        })
                        .boxed(),
                    })),
                }
                .map(|watch| (outward, watch))
            }
        });
        let mut standing = Vec::new();
        for watch in join_all(each).await {
            let (outward, watch) = watch?;
            let outward = move |event| match event {
                WatchEvent::Changed(id) => {
                    WatchEvent::Changed(outward.get(&id).cloned().unwrap_or(id))
                }
                other => other,
            };
            // Whichever part is lost, the whole is: the caller then looks at everything.
            let ended = || Err(Error::new(ErrorKind::Unavailable, "a watch ended"));
            if let Some(watch) = watch {
                let rest = watch.map(move |event| event.map(&outward));
                standing.push(rest.chain(stream::once(async move { ended() })).boxed());
            }
        }
        let ready = stream::once(async { Ok(WatchEvent::Ready) });
        Ok(ready.chain(stream::select_all(standing)).boxed())
    }
}

/// A watch that stands, without its first event.
async fn stand(
    mailbox: &dyn Mailbox,
    collections: &[CollectionId],
) -> Result<BoxStream<'static, Result<WatchEvent>>> {
    let mut watch = mailbox.watch(collections).await?;
    match watch.next().await {
        Some(Ok(WatchEvent::Ready)) => Ok(watch),
        Some(Err(error)) => Err(error),
        _ => Err(Error::new(ErrorKind::Protocol, "a watch that never stood")),
    }
}
