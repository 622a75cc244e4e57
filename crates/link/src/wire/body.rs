//! Records as HTTP/2 bodies: written in one piece or as a stream, read as they arrive.

use super::packing::Packing;
use super::record::{self, Assembler, Limits, Record, RecordError};
use crate::h2::words;
use crate::traffic::Counter;
use bytes::Bytes;
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use h2::{Reason, RecvStream};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body we send.
pub(crate) struct Outgoing {
    source: Source,
    /// Where its bytes are counted as they go.
    counter: Option<Arc<Counter>>,
}

enum Source {
    /// All of it is there.
    Pieces(VecDeque<Bytes>),
    /// It is made while it is sent, no faster than it is taken.
    Stream(BoxStream<'static, VecDeque<Bytes>>, VecDeque<Bytes>),
}

impl Outgoing {
    /// No bytes.
    pub(crate) fn empty() -> Self {
        Self::of(Source::Pieces(VecDeque::new()))
    }

    /// One record with what stands beside it.
    pub(crate) fn record<T: Serialize>(
        head: &T,
        blob: impl IntoIterator<Item = Bytes>,
    ) -> Result<Self, RecordError> {
        pieces(head, blob).map(Source::Pieces).map(Self::of)
    }

    /// Records as they are made.
    pub(crate) fn stream(records: impl Stream<Item = VecDeque<Bytes>> + Send + 'static) -> Self {
        Self::of(Source::Stream(records.boxed(), VecDeque::new()))
    }

    /// Its bytes are counted here.
    pub(crate) fn counted(self, counter: Arc<Counter>) -> Self {
        Self { counter: Some(counter), ..self }
    }

    /// Its records are packed so.
    pub(crate) fn packed(self, packing: Packing) -> Self {
        let source = match (packing, self.source) {
            (Packing::Plain, source) => source,
            (_, Source::Pieces(pieces)) => Source::Pieces(packing.pack(pieces)),
            (_, Source::Stream(records, pieces)) => {
                let records = records.map(move |record| packing.pack(record)).boxed();
                Source::Stream(records, packing.pack(pieces))
            }
        };
        Self { source, ..self }
    }

    fn of(source: Source) -> Self {
        Self { source, counter: None }
    }
}

/// One record in the pieces it is sent in; the blob is not copied.
pub(crate) fn pieces<T: Serialize>(
    head: &T,
    blob: impl IntoIterator<Item = Bytes>,
) -> Result<VecDeque<Bytes>, RecordError> {
    let mut pieces: VecDeque<Bytes> = blob.into_iter().filter(|piece| !piece.is_empty()).collect();
    let length = pieces.iter().map(Bytes::len).sum();
    pieces.push_front(record::write(head, length)?);
    Ok(pieces)
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut self.source {
            Source::Pieces(pieces) => pieces.pop_front(),
            Source::Stream(stream, pieces) => loop {
                if let Some(piece) = pieces.pop_front() {
                    break Some(piece);
                }
                match stream.poll_next_unpin(context) {
                    Poll::Ready(Some(next)) => *pieces = next,
                    Poll::Ready(None) => break None,
                    Poll::Pending => return Poll::Pending,
                }
            },
        };
        if let (Some(piece), Some(counter)) = (&piece, &self.counter) {
            counter.sent(piece.len());
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.source, Source::Pieces(pieces) if pieces.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Pieces(pieces) => {
                SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum())
            }
            Source::Stream(..) => SizeHint::default(),
        }
    }
}

/// Why no record could be had from a body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The connection broke.
    #[error("{0}")]
    Connection(String),
    /// What came is not what is due.
    #[error("{0}")]
    Record(#[from] RecordError),
}

impl From<hyper::Error> for ReadError {
    fn from(error: hyper::Error) -> Self {
        Self::Connection(words(&error))
    }
}

impl From<h2::Error> for ReadError {
    fn from(error: h2::Error) -> Self {
        Self::Connection(error.to_string())
    }
}

/// A body as it comes: a request's at the connector, an answer's at the server.
enum Coming {
    Request(Incoming),
    Answer(RecvStream),
}

impl Coming {
    /// The next bytes; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        match self {
            Self::Request(body) => loop {
                match body.frame().await {
                    None => return Ok(None),
                    Some(frame) => {
                        if let Ok(data) = frame?.into_data() {
                            return Ok(Some(data));
                        }
                    }
                }
            },
            Self::Answer(body) => match body.data().await {
                None => Ok(None),
                // What was asked does not matter any more, but the answer to it is whole (RFC 9113 §8.1).
                Some(Err(error)) if error.reason() == Some(Reason::NO_ERROR) => Ok(None),
                Some(data) => {
                    let data = data?;
                    body.flow_control().release_capacity(data.len())?;
                    Ok(Some(data))
                }
            },
        }
    }
}

/// Reads the records of a body.
pub(crate) struct Records {
    body: Coming,
    assembler: Assembler,
    counter: Arc<Counter>,
}

impl Records {
    /// Of a request, whose bytes are counted as they come.
    pub(crate) fn of_request(body: Incoming, counter: Arc<Counter>) -> Self {
        Self { body: Coming::Request(body), assembler: Assembler::new(Limits::CALL), counter }
    }

    /// Of an answer, likewise.
    pub(crate) fn of_answer(body: RecvStream, counter: Arc<Counter>) -> Self {
        Self { body: Coming::Answer(body), assembler: Assembler::new(Limits::CALL), counter }
    }

    /// The next record; none where the body ended after a whole one.
    pub(crate) async fn next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            if let Some(record) = self.assembler.next()? {
                return Ok(Some(record));
            }
            match self.body.next().await? {
                Some(data) => {
                    self.counter.received(data.len());
                    self.assembler.push(data);
                }
                None if self.assembler.is_empty() => return Ok(None),
                None => return Err(RecordError::CutShort.into()),
            }
        }
    }

    /// The one record of a body.
    pub(crate) async fn only(&mut self) -> Result<Record, ReadError> {
        self.next().await?.ok_or_else(|| RecordError::CutShort.into())
    }
}
