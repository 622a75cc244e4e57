//! What crosses a link is counted: bytes on the wire by lane, bytes of records by kind.

use crate::Measured;
use crate::measured::Counts;
use crate::wire::hello::Lane;
use serde::{Deserialize, Serialize};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes in both directions, as the end sees them that tells of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flow {
    /// From the other end.
    pub received: u64,
    /// To the other end.
    pub sent: u64,
}

/// What a record is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The link itself.
    Control,
    /// Questions to a mailbox and their answers; mails to be sent are among them.
    Calls,
    /// Items and attachments.
    Fetches,
    /// What changed.
    Watches,
    /// Questions to the directory.
    Directory,
    /// What an edge's store and the server's have for each other.
    Edge,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Control, Self::Calls, Self::Fetches, Self::Watches, Self::Directory, Self::Edge];

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Calls => "calls",
            Self::Fetches => "fetches",
            Self::Watches => "watches",
            Self::Directory => "directory",
            Self::Edge => "edge",
        }
    }

    /// Of the call with this name.
    pub(crate) fn of(call: &str) -> Self {
        match call {
            crate::wire::call::CONTROL => Self::Control,
            "mailbox/fetch" | "mailbox/fetch_part" => Self::Fetches,
            "mailbox/watch" => Self::Watches,
            call if call.starts_with("directory/") => Self::Directory,
            call if call.starts_with("edge/") => Self::Edge,
            _ => Self::Calls,
        }
    }
}

/// What has crossed a link, and those before it of the same connector, since this process began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// On the connection for calls: all bytes of the TCP stream, TLS and HTTP/2 included.
    pub calls: Flow,
    /// On the connection for content.
    pub bulk: Flow,
    /// Segments that carried those bytes, reckoned from what was written and read at a time.
    pub segments: u64,
    /// Of records, in the order of [`Kind::ALL`], without what TLS and HTTP/2 add.
    pub kinds: [Flow; Kind::ALL.len()],
}

/// The bytes that TCP and IP add to a segment, and its acknowledgement: twice 20 of IPv4, 20 of
/// TCP and 12 of its timestamps, and some for the line's own frames.
const OVERHEAD: u64 = 120;
/// The bytes of a full segment.
const SEGMENT: usize = 1_400;

impl Traffic {
    /// The records of this kind.
    pub fn records(&self, kind: Kind) -> Flow {
        self.kinds.get(kind as usize).copied().unwrap_or_default()
    }

    /// What a carrier is likely to count: all bytes both ways and the headers of their packets. The
    /// packets are reckoned; those that were lost and sent again are not in it.
    pub fn reckoned(&self) -> u64 {
        let of = |flow: Flow| flow.received + flow.sent;
        of(self.calls) + of(self.bulk) + self.segments * OVERHEAD
    }
}

/// What a link's budget says: how much was used of what it may carry in a month (UTC).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Used {
    /// Bytes used this month, as [`Traffic::reckoned`].
    pub bytes: u64,
    /// Bytes a month that were set.
    pub budget: u64,
}

/// Counts one thing.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    received: AtomicU64,
    sent: AtomicU64,
    segments: AtomicU64,
}

impl Counter {
    pub(crate) fn received(&self, bytes: usize) {
        self.add(&self.received, bytes);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.add(&self.sent, bytes);
    }

    fn add(&self, direction: &AtomicU64, bytes: usize) {
        direction.fetch_add(bytes as u64, Ordering::Relaxed);
        self.segments.fetch_add(bytes.div_ceil(SEGMENT) as u64, Ordering::Relaxed);
    }

    fn flow(&self) -> Flow {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Flow { received: read(&self.received), sent: read(&self.sent) }
    }

    /// Adds what another has counted.
    fn take_over(&self, other: &Self) {
        for (to, from) in [
            (&self.received, &other.received),
            (&self.sent, &other.sent),
            (&self.segments, &other.segments),
        ] {
            to.fetch_add(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// Counts all of one connector's links.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    calls: Arc<Counter>,
    bulk: Arc<Counter>,
    kinds: [Arc<Counter>; Kind::ALL.len()],
    measured: Mutex<Vec<Measured>>,
}

impl Meter {
    /// Takes what the connector counted of the calls on the systems behind it.
    pub(crate) fn counted(&self, counts: Counts) {
        counts.take_into(&mut self.measured.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What the connector told last of the calls on the systems behind it.
    pub(crate) fn measured(&self) -> Vec<Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For the connections of a lane.
    pub(crate) fn lane(&self, lane: Lane) -> &Arc<Counter> {
        match lane {
            Lane::Calls => &self.calls,
            Lane::Bulk => &self.bulk,
        }
    }

    /// For the records of a call.
    pub(crate) fn call(&self, name: &str) -> Arc<Counter> {
        self.kinds.get(Kind::of(name) as usize).cloned().unwrap_or_default()
    }

    /// All as it stands.
    pub(crate) fn read(&self) -> Traffic {
        let segments = [&self.calls, &self.bulk].map(|one| one.segments.load(Ordering::Relaxed));
        Traffic {
            calls: self.calls.flow(),
            bulk: self.bulk.flow(),
            segments: segments.iter().sum(),
            kinds: self.kinds.each_ref().map(|counter| counter.flow()),
        }
    }
}

/// A connection whose bytes are counted.
#[derive(Debug)]
pub(crate) struct Counted<I> {
    io: I,
    counter: Arc<Counter>,
}

impl<I> Counted<I> {
    pub(crate) fn new(io: I, counter: Arc<Counter>) -> Self {
        Self { io, counter }
    }

    /// The connection itself.
    pub(crate) fn get_ref(&self) -> &I {
        &self.io
    }

    /// From here on counts there, and what was counted so far as well: whose connection it is, and
    /// what for, is known only after its first words.
    pub(crate) fn count_into(&mut self, counter: &Arc<Counter>) {
        counter.take_over(&self.counter);
        self.counter = counter.clone();
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Counted<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        self.counter.received(buffer.filled().len().saturating_sub(before));
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Counted<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = &polled {
            self.counter.sent(*written);
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(context, pieces);
        if let Poll::Ready(Ok(written)) = &polled {
            self.counter.sent(*written);
        }
        polled
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn every_call_has_its_kind() {
        for (call, kind) in [
            ("control", Kind::Control),
            ("mail/owns", Kind::Calls),
            ("mailbox/submit", Kind::Calls),
            ("mailbox/fetch", Kind::Fetches),
            ("mailbox/fetch_part", Kind::Fetches),
            ("mailbox/watch", Kind::Watches),
            ("directory/search", Kind::Directory),
            ("edge/exchange", Kind::Edge),
            ("edge/give", Kind::Edge),
        ] {
            assert_eq!(Kind::of(call), kind, "{call}");
        }
        assert_eq!(Kind::ALL.map(|kind| kind as usize), [0, 1, 2, 3, 4, 5]);
    }

    #[tokio::test]
    async fn what_was_counted_before_its_owner_was_known_is_counted_for_the_owner() {
        let (near, mut far) = tokio::io::duplex(8_192);
        let mut counted = Counted::new(near, Arc::default());
        counted.write_all(&[0; 3]).await.unwrap();
        far.write_all(&[0; 5]).await.unwrap();
        counted.read_exact(&mut [0; 5]).await.unwrap();
        let meter = Meter::default();
        counted.count_into(meter.lane(Lane::Bulk));
        counted.write_all(&[0; 4_000]).await.unwrap();
        let read = meter.read();
        assert_eq!(read.bulk, Flow { received: 5, sent: 4_003 });
        assert_eq!(read.calls, Flow::default());
        assert_eq!(read.segments, 1 + 1 + 3);
        assert_eq!(read.reckoned(), 4_008 + 5 * OVERHEAD);
    }
}
