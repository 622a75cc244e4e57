//! A half of a link: one connection after its hello, and HTTP/2 on it from when it is needed.
//!
//! Most links are idle most of the time, and an idle HTTP/2 connection costs its server some thirty
//! kilobytes of buffers. A connection for content that came before there was content to fetch, as that
//! of a release before does, is therefore left as it is until there is; until then the kernel asks
//! after the other end, and all that is read is what its HTTP/2 says of its own accord.

use crate::Validity;
use crate::h2::{Heard, Pulse};
use crate::wire::hello::{Hello, Lane};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use h2::client::SendRequest;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, watch};

/// What the other end says before it is asked anything: HTTP/2's settings, some tens of bytes.
const EARLY: usize = 1024;

/// One connection of a link.
pub(super) struct Half {
    pub lane: Lane,
    /// For requests.
    pub way: Way,
    /// Of the certificate it came with.
    pub certificate: Option<Validity>,
    /// Its addresses, here and there.
    pub socket: Option<(SocketAddr, SocketAddr)>,
    /// Ends when the connection does, with the reason where that is a fault. Nothing happens on the
    /// connection unless this is polled; given up, it is closed.
    pub driver: BoxFuture<'static, Result<(), String>>,
}

/// The way over one connection.
#[derive(Clone)]
pub(super) struct Way {
    wanted: Arc<Notify>,
    begun: watch::Receiver<Option<SendRequest<Bytes>>>,
}

impl Way {
    /// Whether nothing was asked for on it yet: then nothing runs there that may end first.
    pub fn is_idle(&self) -> bool {
        self.begun.borrow().is_none()
    }

    /// HTTP/2 on it, begun if it was not; none where the connection is gone.
    pub async fn open(&self) -> Option<SendRequest<Bytes>> {
        if let Some(begun) = self.begun.borrow().as_ref() {
            return Some(begun.clone());
        }
        self.wanted.notify_one();
        let mut begun = self.begun.clone();
        begun.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl Half {
    /// A connection after its hello. That for calls begins with HTTP/2 at once, for the link's own
    /// call is on it, and so does one that was asked for.
    pub fn new<I>(io: I, hello: &Hello) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (interval, timeout) = hello.keepalive();
        let (telling, begun) = watch::channel(None);
        let way = Way { wanted: Arc::new(Notify::new()), begun };
        if hello.lane == Lane::Calls || hello.bulk_on_demand {
            way.wanted.notify_one();
        }
        let wanted = way.wanted.clone();
        // It is passed on from one to the next here: each would have room for it, kept for as long as
        // the connection lasts.
        let io = Box::new(io);
        let driver = Box::pin(async move {
            let Some(io) = idle(io, &wanted).await.map_err(|error| error.to_string())? else {
                return Ok(());
            };
            let pulse = Pulse { interval, timeout };
            drive(io, pulse, telling).await
        });
        Self { lane: hello.lane, way, certificate: None, socket: None, driver }
    }
}

/// Leaves a connection alone until it is wanted; none where it was closed before.
async fn idle<I: AsyncRead + Unpin>(mut io: I, wanted: &Notify) -> io::Result<Option<Early<I>>> {
    let (mut said, mut piece) = (Vec::new(), [0; 64]);
    while said.len() < EARLY {
        tokio::select! {
            biased;
            () = wanted.notified() => break,
            read = io.read(&mut piece) => match read {
                Ok(0) => return Ok(None),
                Ok(length) => said.extend_from_slice(piece.get(..length).unwrap_or_default()),
                // A connector that ends a link has said so on the other connection, and closes one
                // on which there was nothing to say without TLS's own farewell.
                Err(error) if is_end(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Some(Early { said: io::Cursor::new(said), io, heard: Arc::new(Heard::new()) }))
}

/// Whether a connection is gone, rather than something wrong was said on it.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// HTTP/2 as its client, until it ends.
async fn drive<I>(
    io: Early<I>,
    pulse: Pulse,
    telling: watch::Sender<Option<SendRequest<Bytes>>>,
) -> Result<(), String>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let heard = io.heard.clone();
    let words = |error: h2::Error| error.to_string();
    // Boxed, so that the connection does not keep the room its beginning needed.
    let (sending, mut connection) = Box::pin(crate::h2::client(io)).await.map_err(words)?;
    let Some(pings) = connection.ping_pong() else { return Ok(()) };
    telling.send_replace(Some(sending));
    // From here on only ways keep the connection open: without one it ends, after what runs on it.
    drop(telling);
    tokio::select! {
        ended = connection => ended.map_err(words),
        silent = crate::h2::until_silent(pings, &heard, pulse) => Err(silent.to_string()),
    }
}

/// A connection of which something was read already.
struct Early<I> {
    said: io::Cursor<Vec<u8>>,
    io: I,
    heard: Arc<Heard>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Early<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let Poll::Ready(read) = Pin::new(&mut self.said).poll_read(context, buffer) else {
            return Poll::Pending;
        };
        if read.is_err() || buffer.filled().len() > before {
            return Poll::Ready(read);
        }
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.heard.now();
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Early<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn what_was_said_before_a_connection_was_wanted_is_read_when_it_is() {
        let (near, mut far) = tokio::io::duplex(4096);
        let wanted = Arc::new(Notify::new());
        let idle = tokio::spawn({
            let wanted = wanted.clone();
            async move { idle(near, &wanted).await }
        });
        far.write_all(&[b'a'; 100]).await.unwrap();
        tokio::task::yield_now().await;
        assert!(!idle.is_finished());
        wanted.notify_one();
        let mut early = idle.await.unwrap().unwrap().unwrap();
        far.write_all(b"bc").await.unwrap();
        let mut read = [0; 102];
        early.read_exact(&mut read).await.unwrap();
        assert_eq!((&read[98..], read[0]), (&b"aabc"[..], b'a'));
    }

    #[tokio::test]
    async fn an_idle_connection_that_is_closed_is_noticed() {
        let (near, far) = tokio::io::duplex(64);
        drop(far);
        assert!(idle(near, &Notify::new()).await.unwrap().is_none());
    }
}
