//! The control call as the connector answers it.

use super::session::{Order, Shared};
use crate::wire::body::{Outgoing, Records, pieces};
use crate::wire::control::{self, ToConnector, ToServer};
use futures_util::stream::unfold;
use std::sync::Arc;
use tokio::sync::mpsc;
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
