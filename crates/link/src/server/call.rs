//! A call to a connector: its place in the queue, its deadline, its answer (rules R6, L7).

use super::gate::{Exhausted, Permit, Work};
use super::link::{Link, SendError};
use super::links::Links;
use super::observe::{self, CallSeen};
use crate::h2::words;
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
    /// Too much at once.
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
        caller: Caller<'_>,
        args: A,
        blob: Bytes,
    ) -> Result<(A::Answer, Bytes), Failed>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        // Only a directory's calls are for nobody's mailbox.
        let work = if caller.account.is_some() { Work::Call } else { Work::Directory };
        let request = caller.request.clone();
        let begun = Instant::now();
        let outcome = until(caller.deadline, async {
            let (mut records, _permit) = self.begin(link, lane, work, caller, args, blob).await?;
            let record = records.only().await?;
            match record.parse()? {
                Answer::Ok(answer) => Ok((answer, record.blob)),
                Answer::Error(error) => Err(Failed::Said(error)),
            }
        })
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
        let outcome = until(caller.deadline, async {
            let (mut records, permit) =
                self.begin(link, lane, work, caller, args, Bytes::new()).await?;
            match records.only().await?.parse()? {
                Answer::Ok(()) => Ok(Opened { records, _permit: permit }),
                Answer::Error(error) => Err(Failed::Said(error)),
            }
        })
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

    async fn begin<A: Call>(
        &self,
        link: &Link,
        lane: Lane,
        work: Work,
        caller: Caller<'_>,
        args: A,
        blob: Bytes,
    ) -> Result<(Records, Permit), Failed> {
        let busy = |_: Exhausted| Failed::Busy(self.links.config().busy_after);
        let user = caller.account.as_ref().map(|account| &account.user);
        let permit = link.gate.enter(work, user).await.map_err(busy)?;
        let secret = A::SECRET
            || caller.account.as_ref().is_some_and(|who| who.credentials != Credentials::None);
        let packing = if secret { Packing::Plain } else { link.hello.packing() };
        let head = Head {
            request: Cow::Borrowed(caller.request),
            left_ms: left_ms(caller.deadline),
            clock: caller.clock.filter(|clock| **clock != ZoneId::utc()).map(Cow::Borrowed),
            account: caller.account,
            args,
        };
        let body = Outgoing::record(&head, [blob])?.packed(packing);
        Ok((link.send(lane, A::NAME, body).await?, permit))
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
                Self::Unavailable(format!("the line to the connector broke: {}", words(&error)))
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
