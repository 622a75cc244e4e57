//! Tells browsers that something changed, so that they ask again (server-sent events, HTML
//! Living Standard §9.2). What changed is not said: each asks for what it may see.

use crate::reply::Written;
use crate::{Console, reply};
use bytes::Bytes;
use dme_server::site::SiteBody;
use futures_util::StreamExt;
use http::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// No browser is told more often.
const PAUSE: Duration = Duration::from_millis(500);
/// A sign of life, so that proxies and browsers do not give up.
const ALIVE: Duration = Duration::from_secs(20);
/// A browser that stays asks for a new stream after this long, and shows its session again.
const LIFE: Duration = Duration::from_secs(600);

/// Having missed some is a change, too.
fn is_change<T>(received: &Result<T, RecvError>) -> bool {
    !matches!(received, Err(RecvError::Closed))
}

/// A stream of changes.
pub(crate) fn stream(console: Arc<Console>) -> Response<SiteBody> {
    let (send, receive) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        let mut changed = console.changed.subscribe();
        let mut links = console.links.subscribe();
        let mut events = console.front.events.live();
        let tell = async {
            loop {
                let goes_on = tokio::select! {
                    () = send.closed() => false,
                    change = changed.recv() => is_change(&change),
                    change = links.recv() => is_change(&change),
                    event = events.recv() => is_change(&event),
                    () = console.front.stop.cancelled() => false,
                    () = tokio::time::sleep(ALIVE) => {
                        if send.send(Bytes::from_static(b": alive\n\n")).await.is_err() {
                            return;
                        }
                        continue;
                    }
                };
                if !goes_on {
                    return;
                }
                let text = "event: change\ndata: \n\n";
                if send.send(Bytes::from_static(text.as_bytes())).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let _ = tokio::time::timeout(LIFE, tell).await;
    });
    let parts = futures_util::stream::unfold(receive, |mut receive| async move {
        Some((Ok(receive.recv().await?), receive))
    });
    reply::written("text/event-stream", Written::Parts(parts.boxed()))
}
