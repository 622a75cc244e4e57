//! TCP on which the peer hears at once that its words came.
//!
//! Linux puts off an acknowledgement by 40 ms, in the hope of an answer that takes it along. A peer
//! that writes an answer in pieces and leaves Nagle's algorithm on (RFC 1122 §4.2.3.4) keeps a small
//! last piece back until what went before is acknowledged: both wait for each other. Cyrus does so
//! with each answer in chunks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection that acknowledges whenever it waits for more.
pub(crate) struct Prompt(TcpStream);

impl Prompt {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self(tcp)
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        #[cfg(target_os = "linux")]
        if read.is_pending() {
            // It holds until something is sent, so it is said again each time. A kernel that refuses
            // it only makes the peer wait.
            let _ = self.0.set_quickack(true);
        }
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Dialer, ServerConfig, TlsMode};
    use std::io::{Read as _, Write as _};
    use std::time::{Duration, Instant};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Of each answer the second piece is held back until the first is acknowledged.
    const ANSWERS: u32 = 50;
    /// The least that the kernel puts an acknowledgement off by.
    const PUT_OFF: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn a_peer_that_answers_in_pieces_does_not_wait_for_the_acknowledgement() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            while tcp.read_exact(&mut [0]).is_ok() {
                tcp.write_all(b"a").unwrap();
                tcp.write_all(b"b").unwrap();
            }
        });
        let host = "127.0.0.1".to_owned();
        let server = ServerConfig { host, tls: TlsMode::None, ..ServerConfig::default() };
        let dialer = Dialer::new("test", &server, port).unwrap().prompt();
        let mut stream = dialer.secure(dialer.connect().await.unwrap()).await.unwrap();
        let began = Instant::now();
        for _ in 0..ANSWERS {
            stream.write_all(b"?").await.unwrap();
            stream.read_exact(&mut [0; 2]).await.unwrap();
        }
        let took = began.elapsed();
        assert!(took < PUT_OFF * ANSWERS / 2, "{took:?}");
    }
}
