//! A call to a connector: its place in the queue, its deadline, its answer (rules R6, L7).

use super::gate::{Exhausted, Permit, Work};
use super::link::{Link, SendError};
use super::links::Links;
use super::observe::{self, CallSeen};
use crate::wire::body::{Outgoing, ReadError, Records};
use crate::wire::call::{Answer, Call, Head, Piece, left_ms};
use crate::wire::hello::Lane;
use crate::wire::packing::Packing;
use crate::wire::record::{Record, RecordError};
use bytes::Bytes;
use dme_mailbox::{Account, CallContext, Credentials};
use dme_model::{ConnectorId, RequestId, ZoneId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::debug;

/// Why a call has no answer, before it is told in the words of a mailbox or a directory.
#[derive(Debug)]
pub(super) enum Failed {
    /// There is no link, or it was lost.
    Unavailable(String),
    /// Too much at once: the call has not begun.
    Busy(Duration),
    /// The deadline passed.
    Timeout,
    /// The connector's release does not know the call.
    Unsupported,
    /// What came is no answer.
    Protocol(String),
    /// The connector answered with an error of the trait.
    Said(Value),
}

/// What a call needs besides its arguments.
pub(super) struct Caller<'a> {
    pub request: &'a RequestId,
    pub deadline: Instant,
    pub clock: Option<&'a ZoneId>,
    pub account: Option<Cow<'a, Account>>,
}

impl<'a> Caller<'a> {
    pub(super) fn of(context: &'a CallContext, account: Cow<'a, Account>) -> Self {
        Self {
            request: &context.request,
            deadline: context.deadline,
            clock: Some(&context.clock),
            account: Some(account),
        }
    }
}

/// Where a call goes: one connector's link, if it has one.
pub(super) struct Target<'a> {
    pub links: &'a Links,
    pub id: &'a ConnectorId,
}

impl Target<'_> {
    pub(super) fn link(&self) -> Result<Arc<Link>, Failed> {
        let absent = || Failed::Unavailable(format!("connector {} is not linked", self.id));
        self.links.link(self.id).ok_or_else(absent)
    }

    /// A call with one answer.
    pub(super) async fn call<A>(
        &self,
        link: &Link,
        lane: Lane,
        work: Work,
        mut caller: Caller<'_>,
        args: A,
        blob: Bytes,
    ) -> Result<(A::Answer, Bytes), Failed>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        let request = caller.request.clone();
        let begun = Instant::now();
        let outcome = async {
            let _permit = self.place(link, work, &caller).await?;
            if work == Work::Question {
                let limit = self.links.config().question_limit;
                caller.deadline = caller.deadline.min(Instant::now() + limit);
            }
            until(caller.deadline, async {
                let mut records = self.begin(link, lane, caller, args, blob).await?;
                let record = records.only().await?;
                match record.parse()? {
                    Answer::Ok(answer) => Ok((answer, record.blob)),
                    Answer::Error(error) => Err(Failed::Said(error)),
                }
            })
            .await
        }
        .await;
        self.seen::<A>(link, &request, begun, outcome.as_ref().err());
        outcome
    }

    /// A call answered by a stream. The deadline is for the beginning; what follows is the
    /// caller's to limit.
    pub(super) async fn open<A: Call>(
        &self,
        link: &Link,
        lane: Lane,
        work: Work,
        caller: Caller<'_>,
        args: A,
    ) -> Result<Opened, Failed> {
        let request = caller.request.clone();
        let begun = Instant::now();
        let outcome = async {
            let permit = self.place(link, work, &caller).await?;
            until(caller.deadline, async {
                let mut records = self.begin(link, lane, caller, args, Bytes::new()).await?;
                match records.only().await?.parse()? {
                    Answer::Ok(()) => Ok(Opened { records, _permit: permit }),
                    Answer::Error(error) => Err(Failed::Said(error)),
                }
            })
            .await
        }
        .await;
        self.seen::<A>(link, &request, begun, outcome.as_ref().err());
        outcome
    }

    /// Says and counts what came of a call.
    fn seen<A: Call>(
        &self,
        link: &Link,
        request: &RequestId,
        begun: Instant,
        failed: Option<&Failed>,
    ) {
        let took = begun.elapsed();
        debug!(
            %request,
            connector = link.name,
            call = A::NAME,
            took_us = took.as_micros(),
            failed = failed.map(tracing::field::debug),
            "called"
        );
        let (connector, outcome) = (link.name.as_str(), observe::outcome(failed));
        self.links.seen(CallSeen { connector, call: A::NAME, outcome, took });
    }

    /// A place among what runs. A call that has none by its deadline did not begin: whoever has too
    /// much to do has not been asked, and said nothing.
    async fn place(&self, link: &Link, work: Work, caller: &Caller<'_>) -> Result<Permit, Failed> {
        let user = caller.account.as_ref().map(|account| &account.user);
        let place = link.gate.enter(work, user);
        match tokio::time::timeout_at(caller.deadline.into(), place).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(Exhausted)) | Err(_) => Err(Failed::Busy(self.links.config().busy_after)),
        }
    }

    async fn begin<A: Call>(
        &self,
        link: &Link,
        lane: Lane,
        caller: Caller<'_>,
        args: A,
        blob: Bytes,
    ) -> Result<Records, Failed> {
        let secret = A::SECRET
            || caller.account.as_ref().is_some_and(|who| who.credentials != Credentials::None);
        let successor;
        let (link, connection) = match link.open(lane).await {
            Ok(connection) => (link, connection),
            Err(error) => {
                // Perhaps it gave its place to another while this call waited for its turn, or for the
                // connection for content.
                let now = self.links.link(self.id).filter(|now| !std::ptr::eq(&**now, link));
                successor = now.ok_or(error)?;
                (&*successor, successor.open(lane).await?)
            }
        };
        let packing = if secret { Packing::Plain } else { link.hello.packing() };
        let head = Head {
            request: Cow::Borrowed(caller.request),
            left_ms: left_ms(caller.deadline),
            clock: caller.clock.filter(|clock| **clock != ZoneId::utc()).map(Cow::Borrowed),
            account: caller.account,
            args,
        };
        let body = Outgoing::record(&head, [blob])?.packed(packing);
        Ok(link.send(connection, A::NAME, body).await?)
    }
}

/// A streamed answer that has begun. Dropped, it ends the work at the connector.
pub(super) struct Opened {
    records: Records,
    _permit: Permit,
}

impl Opened {
    /// The next piece of the stream and the blob beside it; none at its end.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<(T, Bytes)>, Failed> {
        let cut = || Failed::Unavailable("the connector's answer broke off".into());
        let record: Record = self.records.next().await?.ok_or_else(cut)?;
        match record.parse()? {
            Piece::Item(item) => Ok(Some((item, record.blob))),
            Piece::End => Ok(None),
            Piece::Error(error) => Err(Failed::Said(error)),
        }
    }
}

/// Gives a call up at its deadline.
pub(super) async fn until<T>(
    deadline: Instant,
    call: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    tokio::time::timeout_at(deadline.into(), call).await.unwrap_or(Err(Failed::Timeout))
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Lost(_) | SendError::Closed => Self::Unavailable(error.to_string()),
            SendError::Unsupported => Self::Unsupported,
            SendError::Answer(_) => Self::Protocol(error.to_string()),
        }
    }
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Connection(error) => {
                Self::Unavailable(format!("the line to the connector broke: {error}"))
            }
            ReadError::Record(error) => error.into(),
        }
    }
}

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::CutShort => Self::Unavailable("the connector's answer broke off".into()),
            other => Self::Protocol(other.to_string()),
        }
    }
}
