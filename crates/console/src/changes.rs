//! Tells browsers that something changed, so that they ask again (server-sent events, HTML
//! Living Standard §9.2). What changed is not said: each asks for what it may see.

use crate::{Console, reply};
use bytes::Bytes;
use dme_server::site::SiteBody;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// No browser is told more often.
const PAUSE: Duration = Duration::from_millis(500);
/// A sign of life, so that proxies and browsers do not give up.
const ALIVE: Duration = Duration::from_secs(20);
/// A browser that stays asks for a new stream after this long, and shows its session again.
const LIFE: Duration = Duration::from_secs(600);

/// A stream of changes.
pub(crate) fn stream(console: Arc<Console>) -> Response<SiteBody> {
    let (send, receive) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        let mut changed = console.changed.subscribe();
        let mut links = console.links.subscribe();
        let tell = async {
            loop {
                let text: &'static str = tokio::select! {
                    () = send.closed() => return,
                    change = changed.recv() => match change {
                        Err(RecvError::Closed) => return,
                        _ => "event: change\ndata: \n\n",
                    },
                    change = links.recv() => match change {
                        Err(RecvError::Closed) => return,
                        _ => "event: change\ndata: \n\n",
                    },
                    () = tokio::time::sleep(ALIVE) => ": alive\n\n",
                    () = console.front.stop.cancelled() => return,
                };
                if send.send(Bytes::from_static(text.as_bytes())).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let _ = tokio::time::timeout(LIFE, tell).await;
    });
    let frames = futures_util::stream::unfold(receive, |mut receive| async move {
        let bytes = receive.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(bytes)), receive))
    });
    let mut response = reply::answer("text/event-stream", "");
    *response.body_mut() = StreamBody::new(frames).boxed_unsync();
    response
}
