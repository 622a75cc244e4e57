//! The line to a server: bytes in, whole responses out, within limits of size and time.

use super::response::Response;
use crate::dial::{Dialer, Stream};
use crate::error::WireError;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// The longest response, literals apart. A SEARCH answer of a million UIDs fits.
const MAX_LINE: usize = 16 << 20;

/// Beyond this, a deadline stands for none.
const UNHURRIED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A deadline for waiting until something happens, however long it takes.
pub(crate) fn unhurried() -> Instant {
    Instant::now() + 10 * UNHURRIED
}

/// A connection to an IMAP server.
pub(crate) struct Line {
    stream: Stream,
    buffer: BytesMut,
    /// How far the response at the buffer's begin has been looked through.
    scanned: usize,
    /// Up to where there is no line end after `scanned`.
    searched: usize,
    /// How many bytes of that response were literals.
    literals: usize,
    /// The largest sum of literals in one response.
    pub(crate) max_literals: usize,
    silence: Duration,
    /// By which another connection is made where this one is silent.
    way: Option<Arc<Dialer>>,
    /// When the caller gives up.
    pub(crate) deadline: Instant,
    /// The bytes of the last response read.
    pub(crate) last: usize,
}

impl Line {
    pub(crate) fn new(
        stream: Stream,
        max_literals: usize,
        silence: Duration,
        deadline: Instant,
    ) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            scanned: 0,
            searched: 0,
            literals: 0,
            max_literals,
            silence,
            way: None,
            deadline,
            last: 0,
        }
    }

    /// The same, where it is tried in this way whether a silent server can be reached at all.
    pub(crate) fn by(self, way: Arc<Dialer>) -> Self {
        Self { way: Some(way), ..self }
    }

    /// The next response, however long it takes within the limits of time.
    ///
    /// Cancelling keeps what was read.
    pub(crate) async fn read(&mut self) -> Result<Response, WireError> {
        loop {
            if let Some(raw) = self.take_response()? {
                self.last = raw.len();
                return Response::read(&raw);
            }
            let now = Instant::now();
            let fill = Self::fill(&mut self.stream, &mut self.buffer);
            let read = if self.deadline > now + UNHURRIED {
                // A deadline days away means that nothing is expected.
                Some(fill.await)
            } else {
                let end = self.deadline.min(now + self.silence);
                match &self.way {
                    Some(way) => way.answer(fill, end).await,
                    None => timeout_at(end, fill).await.ok(),
                }
            };
            match read {
                None => return Err(WireError::Timeout),
                Some(Ok(0)) => return Err(WireError::Closed(String::new())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    async fn fill(stream: &mut Stream, buffer: &mut BytesMut) -> std::io::Result<usize> {
        if buffer.capacity() - buffer.len() < CHUNK / 8 {
            buffer.reserve(CHUNK);
        }
        stream.read_buf(buffer).await
    }

    /// Writes all, and sends it off.
    pub(crate) async fn write(&mut self, pieces: &[&[u8]]) -> Result<(), WireError> {
        let end = self.deadline;
        let write = async {
            for piece in pieces {
                self.stream.write_all(piece).await?;
            }
            self.stream.flush().await
        };
        timeout_at(end, write).await.map_err(|_| WireError::Timeout)??;
        Ok(())
    }

    /// Whether a server that is not being talked to is still there: it has not hung up and has
    /// said nothing that was not asked for, except what is kept for the next read.
    pub(crate) async fn is_alive(&mut self) -> bool {
        // Lets the runtime look at its sockets, so that an end that has come is known.
        tokio::task::yield_now().await;
        let read = {
            let fill = Self::fill(&mut self.stream, &mut self.buffer);
            futures_util::pin_mut!(fill);
            futures_util::poll!(fill)
        };
        match read {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(Ok(count)) => {
                count > 0 && !self.buffer.windows(6).any(|window| window == b"* BYE ")
            }
            std::task::Poll::Ready(Err(_)) => false,
        }
    }

    /// Gives the read buffer's memory back while nothing is going on.
    pub(crate) fn rest(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// Bytes as if they had been read.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Cuts the first response off, once it is there with all its literals.
    pub(super) fn take_response(&mut self) -> Result<Option<Bytes>, WireError> {
        loop {
            let from = self.searched.max(self.scanned);
            let Some(unseen) = self.buffer.get(from..) else { return Ok(None) };
            let Some(end) = unseen.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                if self.buffer.len().saturating_sub(self.literals) > MAX_LINE {
                    return Err(WireError::Nonsense("a line without end".to_owned()));
                }
                return Ok(None);
            };
            let end = from + end + 1;
            let announced = self.buffer.get(..end).and_then(announced_literal);
            match announced.filter(|_| may_have_literals(&self.buffer)) {
                None => {
                    let raw = self.buffer.split_to(end).freeze();
                    (self.scanned, self.searched, self.literals) = (0, 0, 0);
                    return Ok(Some(raw));
                }
                Some(length) => {
                    let sum =
                        usize::try_from(length).ok().and_then(|n| n.checked_add(self.literals));
                    let sum = sum.filter(|sum| *sum <= self.max_literals).ok_or_else(|| {
                        WireError::Nonsense(format!(
                            "a literal of {length} bytes where {} are allowed",
                            self.max_literals
                        ))
                    })?;
                    let whole = end + (sum - self.literals);
                    if self.buffer.len() < whole {
                        // Wait for all of it; what comes after is looked through then.
                        let missing = whole - self.buffer.len();
                        self.buffer.reserve(missing.min(CHUNK.max(missing / 4)) + CHUNK / 8);
                        return Ok(None);
                    }
                    self.literals = sum;
                    self.scanned = whole;
                }
            }
        }
    }
}

/// The length at the end of a line such as `BODY[] {123}`.
fn announced_literal(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, digits) = line.split_at(line.len() - digits);
    if !before.ends_with(b"{") || digits.len() > 19 {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether braces at the end of a line mean a literal: in data they do, in text for people not.
fn may_have_literals(response: &[u8]) -> bool {
    let Some(rest) = response.strip_prefix(b"* ") else { return false };
    let word = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
    !["OK", "NO", "BAD", "BYE", "PREAUTH"]
        .iter()
        .any(|status| word.eq_ignore_ascii_case(status.as_bytes()))
}

#[cfg(test)]
mod tests;
