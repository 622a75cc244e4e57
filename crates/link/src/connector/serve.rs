//! A call as the connector answers it: read, dispatched by name, cut off at its deadline.

use super::session::Shared;
use super::{control, directory, edge, mail, upkeep, witness};
use crate::wire::body::{Outgoing, ReadError, Records, pieces};
use crate::wire::call::{Answer, CONTROL, Head, PATH, Piece};
use crate::wire::record::{Record, RecordError};
use bytes::Bytes;
use dme_mailbox::{CallContext, Error, ErrorKind};
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;
use tracing::{Instrument, debug, info_span, warn};

/// Why a call has no proper answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswerable {
    /// There is no such call, or no service for it here.
    #[error("no such call")]
    Unknown,
    /// The request is broken.
    #[error("a broken request: {0}")]
    Request(#[from] ReadError),
    /// What is asked, or the answer to it, makes no sense as a record.
    #[error("{0}")]
    Record(#[from] RecordError),
}

/// Answers one request.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Infallible> {
    let (parts, body) = request.into_parts();
    let name = parts.uri.path().strip_prefix(PATH).unwrap_or_default();
    let counter = shared.meter.call(name);
    let answered = match parts.method {
        Method::POST => {
            let records = Records::of_request(body, counter.clone());
            dispatch(&shared, name, records).await
        }
        _ => Err(Unanswerable::Unknown),
    };
    let (status, body) = match answered {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            warn!(call = name, %error, "call not answered");
            let status = match error {
                Unanswerable::Unknown => StatusCode::NOT_FOUND,
                Unanswerable::Request(_) | Unanswerable::Record(_) => StatusCode::BAD_REQUEST,
            };
            (status, Outgoing::empty())
        }
    };
    let mut response = Response::new(body.packed(shared.packing).counted(counter));
    *response.status_mut() = status;
    Ok(response)
}

async fn dispatch(
    shared: &Arc<Shared>,
    name: &str,
    mut records: Records,
) -> Result<Outgoing, Unanswerable> {
    if name == CONTROL {
        return Ok(control::answer(shared, records));
    }
    let asked = Asked { record: records.only().await? };
    match name.split_once('/') {
        Some(("mail" | "mailbox", _)) => mail::dispatch(shared, name, asked).await,
        Some(("directory", _)) => directory::dispatch(shared, name, asked).await,
        Some(("edge", _)) => edge::dispatch(shared, name, asked).await,
        Some(("connector", _)) if witness::answers(name) => shared.undying.witness.dispatch(&asked),
        Some(("connector", _)) => upkeep::dispatch(shared, name, asked).await,
        _ => Err(Unanswerable::Unknown),
    }
}

/// What is asked, before its arguments are understood.
pub(super) struct Asked {
    record: Record,
}

impl Asked {
    /// The head, with arguments of a call's type.
    pub(super) fn head<A: DeserializeOwned>(&self) -> Result<Head<'static, A>, Unanswerable> {
        Ok(self.record.parse()?)
    }

    /// The bytes beside the head.
    pub(super) fn blob(&self) -> Bytes {
        self.record.blob.clone()
    }
}

/// Writes what a call answered.
pub(super) fn write<T: Serialize, E: Serialize>(
    answer: Result<T, E>,
    blob: Bytes,
) -> Result<Outgoing, Unanswerable> {
    Ok(match answer {
        Ok(answer) => Outgoing::record(&Answer::<T, E>::Ok(answer), [blob])?,
        Err(error) => Outgoing::record(&Answer::<T, E>::Error(error), [])?,
    })
}

/// Runs a mailbox's call up to its deadline. Whatever it logs carries the request id (rule L7).
pub(super) async fn until<T>(
    context: &CallContext,
    call: impl Future<Output = dme_mailbox::Result<T>>,
) -> dme_mailbox::Result<T> {
    let late = |_| Err(Error::new(ErrorKind::Timeout, "the mail system did not answer in time"));
    let answer = async {
        let begun = Instant::now();
        let limited = tokio::time::timeout_at(context.deadline.into(), call).await;
        let answer = limited.unwrap_or_else(late);
        let took_us = begun.elapsed().as_micros();
        let failed = answer.as_ref().err();
        debug!(took_us, failed = failed.map(Error::name), "answered");
        answer
    };
    answer.instrument(info_span!("call", request = %context.request)).await
}

/// A stream that ends with an error when something else happens first.
pub(super) fn unless<T: Send + 'static>(
    stream: BoxStream<'static, dme_mailbox::Result<T>>,
    event: impl Future<Output = ()> + Send + 'static,
    error: Error,
) -> BoxStream<'static, dme_mailbox::Result<T>> {
    let event = Box::pin(event);
    let stream = unfold(Some((stream, event, error)), async |state| {
        let (mut stream, mut event, error) = state?;
        tokio::select! {
            biased;
            item = stream.next() => item.map(|item| (item, Some((stream, event, error)))),
            () = &mut event => Some((Err(error), None)),
        }
    });
    stream.boxed()
}

/// Writes the items of a stream as they come, then its end; or that it began with an error.
pub(super) fn write_stream<T, W>(
    opened: dme_mailbox::Result<BoxStream<'static, dme_mailbox::Result<T>>>,
    take_apart: impl Fn(T) -> (W, Vec<Bytes>) + Send + 'static,
) -> Result<Outgoing, Unanswerable>
where
    T: Send + 'static,
    W: Serialize + Send + 'static,
{
    let stream = match opened {
        Ok(stream) => stream,
        Err(error) => return write::<(), _>(Err(error), Bytes::new()),
    };
    let begin = pieces(&Answer::<(), Error>::Ok(()), [])?;
    let items = stream.map(move |item| match item {
        Ok(item) => {
            let (head, blobs) = take_apart(item);
            piece(&Piece::Item(head), blobs)
        }
        Err(error) => piece(&Piece::<W, Error>::Error(error), []),
    });
    let end = futures_util::stream::once(async { piece(&Piece::<W, Error>::End, []) });
    let records = futures_util::stream::iter([begin]).chain(items).chain(end);
    Ok(Outgoing::stream(records))
}

/// A record of a stream; one that cannot be written, for its size, becomes an error of its own.
fn piece<W: Serialize>(
    piece: &Piece<W, Error>,
    blobs: impl IntoIterator<Item = Bytes>,
) -> VecDeque<Bytes> {
    pieces(piece, blobs).unwrap_or_else(|error| {
        let error = Error::new(ErrorKind::Unconvertible, error.to_string());
        pieces(&Piece::<(), Error>::Error(error), []).unwrap_or_default()
    })
}
