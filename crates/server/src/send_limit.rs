//! A connection whose peer takes nothing of its answer is given up: the answer would stay in memory
//! for as long as the peer likes, and TCP itself never ends a connection with a closed window.

use std::future::Future;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// A stream whose writes fail when nothing could be written for so long.
pub struct SendLimit<I> {
    io: I,
    limit: Duration,
    /// Runs while a write waits for the peer; a parked connection has none.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<I> SendLimit<I> {
    /// Gives writes so much time.
    pub fn new(io: I, limit: Duration) -> Self {
        Self { io, limit, stuck: None }
    }

    /// What the write said, unless it has waited too long.
    fn within<T>(&mut self, context: &mut Context<'_>, said: Poll<Result<T>>) -> Poll<Result<T>> {
        if said.is_ready() {
            self.stuck = None;
            return said;
        }
        let limit = self.limit;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer does not take its answer")))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for SendLimit<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for SendLimit<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let said = Pin::new(&mut self.io).poll_write(context, bytes);
        self.within(context, said)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let said = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.within(context, said)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let said = Pin::new(&mut self.io).poll_flush(context);
        self.within(context, said)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let said = Pin::new(&mut self.io).poll_shutdown(context);
        self.within(context, said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let (mut peer, ours) = tokio::io::duplex(1024);
        let mut ours = SendLimit::new(ours, Duration::from_secs(60));
        let slow = async {
            let mut buffer = [0; 1024];
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                peer.read_exact(&mut buffer).await.unwrap();
            }
        };
        let (sent, ()) = tokio::join!(ours.write_all(&[7; 8 * 1024]), slow);
        sent.unwrap();
        let stuck = ours.write_all(&[7; 8 * 1024]).await.unwrap_err();
        assert_eq!(stuck.kind(), ErrorKind::TimedOut);
    }
}
