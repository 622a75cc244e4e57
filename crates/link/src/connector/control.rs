//! The control call as the connector answers it.

use super::session::{Order, Shared};
use crate::wire::body::{Outgoing, Records, pieces};
use crate::wire::control::{self, ToConnector, ToServer};
use futures_util::stream::unfold;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Messages that may wait to be sent.
const QUEUE: usize = 16;

/// Listens to the server until the call ends, and answers with what is to be told it.
pub(super) fn answer(shared: &Arc<Shared>, records: Records) -> Outgoing {
    let (sender, queue) = mpsc::channel(QUEUE);
    shared.listened(sender.clone());
    if let Some(report) = shared.undying.report() {
        shared.tell(ToServer::Configured(report));
    }
    if let Some(edge) = &shared.undying.edge {
        tokio::spawn(tell_news(edge.news(), shared.ending.clone(), sender.clone()));
    }
    tokio::spawn(listen(shared.clone(), records, sender));
    let ending = shared.ending.clone();
    let messages = unfold(Some(queue), move |queue| {
        let ending = ending.clone();
        async move {
            let mut queue = queue?;
            tokio::select! {
                biased;
                message = queue.recv() => {
                    Some((pieces(&message?, []).unwrap_or_default(), Some(queue)))
                }
                // The last word; with it the answer ends, and the connection can.
                () = ending.cancelled() => {
                    Some((pieces(&ToServer::Draining {}, []).unwrap_or_default(), None))
                }
            }
        }
    });
    Outgoing::stream(messages)
}

/// Tells the server of an edge's news, as often as there are more, until the call ends. What was told
/// on another link may not have arrived.
async fn tell_news(
    mut news: watch::Receiver<u64>,
    ending: CancellationToken,
    sender: mpsc::Sender<ToServer>,
) {
    let mut told = 0;
    loop {
        let number = *news.borrow_and_update();
        if number > told && sender.send(ToServer::News {}).await.is_err() {
            return;
        }
        told = number;
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
            () = ending.cancelled() => return,
        }
    }
}

async fn listen(shared: Arc<Shared>, mut records: Records, sender: mpsc::Sender<ToServer>) {
    loop {
        let record = tokio::select! {
            record = records.next() => record,
            () = shared.ending.cancelled() => return,
        };
        let Ok(Some(record)) = record else { return debug!("control call ended") };
        let order = match control::parse(&record) {
            Some(ToConnector::Ping { number }) => {
                if sender.try_send(ToServer::Pong { number }).is_err() {
                    warn!("the server does not read what it is told");
                }
                continue;
            }
            Some(ToConnector::Drain(drain)) => Order::Drain(drain),
            Some(ToConnector::Certificate { certificate }) => Order::Certificate(certificate),
            Some(ToConnector::RenewalRefused(refused)) => Order::RenewalRefused(refused),
            Some(ToConnector::Configuration(configuration)) => Order::Configuration(configuration),
            Some(ToConnector::Rotate {}) => Order::Rotate,
            Some(ToConnector::Bulk {}) => {
                shared.content_wanted.notify_one();
                continue;
            }
            None => continue,
        };
        if shared.orders.send(order).await.is_err() {
            return;
        }
    }
}
