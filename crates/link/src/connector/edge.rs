//! The calls of an edge, answered by the connector's own store.
//!
//! They run to their end, one after the other, also when their caller goes away: what a lost link left
//! running ends before the next begins, so that no half of it is ever seen.

use super::serve::{Asked, Unanswerable, write};
use super::session::Shared;
use crate::wire::body::Outgoing;
use crate::wire::call::{Call, Head};
use crate::wire::edge::{Exchange, Exchanged, Give, Given, Take, Taken};
use async_trait::async_trait;
use bytes::Bytes;
use dme_directory::{Error, Result, on_behalf_of};
use dme_mailbox::CallContext;
use dme_model::{DeviceId, UserId};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, watch};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, info_span};

/// The part of a connector that serves phones near it from a store of its own, as its server sees it.
/// One call runs at a time, and none is cut off in its midst.
#[async_trait]
pub trait EdgeService: Send + Sync {
    /// Takes in what the server tells, and tells what the server has not heard.
    async fn exchange(&self, asked: Exchange) -> Result<Exchanged>;

    /// The states of a device, for another place to serve it; none where there are none. It may be asked
    /// again: the answer may have been lost.
    async fn give(&self, user: &UserId, device: &DeviceId) -> Result<Option<Bytes>>;

    /// Takes the states of a device, to serve it here; none where there are none. They are kept when this
    /// ends (rule S3). The same may come again.
    async fn take(&self, user: &UserId, device: &DeviceId, states: Option<Bytes>) -> Result<()>;

    /// A number that rises whenever there is something to tell the server in an exchange; 0 where there
    /// has been nothing yet.
    fn news(&self) -> watch::Receiver<u64>;
}

/// An edge, and whose turn it is.
#[derive(Clone)]
pub(super) struct Edge {
    service: Arc<dyn EdgeService>,
    turn: Arc<Mutex<()>>,
    tasks: TaskTracker,
}

impl Edge {
    /// What runs is among these tasks.
    pub(super) fn new(service: Arc<dyn EdgeService>, tasks: TaskTracker) -> Self {
        Self { service, turn: Arc::default(), tasks }
    }

    /// What there is to tell.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.service.news()
    }

    /// Does something in its turn, and waits for it up to the deadline. Begun, it ends.
    async fn in_turn<T, F>(
        &self,
        call: &'static str,
        context: CallContext,
        act: impl FnOnce(Arc<dyn EdgeService>) -> F + Send,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        // Whatever is logged meanwhile carries the request id too (rule L7).
        let span = info_span!("call", request = %context.request);
        let waiting = async {
            let turn = self.turn.clone().lock_owned().await;
            let act = on_behalf_of(context.request.clone(), act(self.service.clone()));
            let task = async move {
                let _turn = turn;
                let begun = Instant::now();
                let answer = act.await;
                let (took_us, failed) = (begun.elapsed().as_micros(), answer.as_ref().err());
                debug!(call, took_us, failed = failed.map(tracing::field::display), "answered");
                answer
            };
            let ended = self.tasks.spawn(task.in_current_span()).await;
            ended.unwrap_or_else(|_| Err(Error::Protocol("the call came to no end".into())))
        };
        let late = |_| Err(Error::Busy("the edge's store did not answer in time".into()));
        let waiting = tokio::time::timeout_at(context.deadline.into(), waiting);
        waiting.instrument(span).await.unwrap_or_else(late)
    }
}

pub(super) async fn dispatch(
    shared: &Shared,
    name: &str,
    asked: Asked,
) -> Result<Outgoing, Unanswerable> {
    let edge = shared.undying.edge.as_ref().ok_or(Unanswerable::Unknown)?;
    match name {
        Exchange::NAME => {
            let head: Head<'_, Exchange> = asked.head()?;
            let (context, args) = (head.context(), head.args);
            let act = |edge: Arc<dyn EdgeService>| async move { edge.exchange(args).await };
            write(edge.in_turn(Exchange::NAME, context, act).await, Bytes::new())
        }
        Give::NAME => {
            let head: Head<'_, Give<'static>> = asked.head()?;
            let context = head.context();
            let (user, device) = (head.args.user.into_owned(), head.args.device.into_owned());
            let act = |edge: Arc<dyn EdgeService>| async move { edge.give(&user, &device).await };
            match edge.in_turn(Give::NAME, context, act).await {
                Ok(states) => {
                    let found = states.is_some();
                    write::<_, Error>(Ok(Given { found }), states.unwrap_or_default())
                }
                Err(error) => write::<Given, _>(Err(error), Bytes::new()),
            }
        }
        Take::NAME => {
            let head: Head<'_, Take<'static>> = asked.head()?;
            let context = head.context();
            let states = head.args.found.then(|| asked.blob());
            let (user, device) = (head.args.user.into_owned(), head.args.device.into_owned());
            let act =
                |edge: Arc<dyn EdgeService>| async move { edge.take(&user, &device, states).await };
            let taken = edge.in_turn(Take::NAME, context, act).await;
            write(taken.map(|()| Taken {}), Bytes::new())
        }
        _ => Err(Unanswerable::Unknown),
    }
}
