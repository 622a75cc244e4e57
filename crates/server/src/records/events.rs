//! The event log: what happened that administrators may want to know of.
//!
//! Whoever notes an event waits for nothing: it goes into a bounded queue, and one task writes what
//! waits there in one transaction. Where the queue is full the event is dropped and counted.

use super::happened::{EventKind, Happened};
use super::webhooks::Webhooks;
use crate::front::Clock;
use dme_model::{DeviceId, Timestamp, UserId};
use dme_store::{Event, EventFilter, EventPage, NewEvent, Store};
use futures_core::Stream;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

/// Events that may wait to be written.
const QUEUE: usize = 10_000;
/// Events that are written together at the most.
const BATCH: usize = 500;
/// How long an event waits for others to be written with.
const GATHER: Duration = Duration::from_millis(200);
/// Events that somebody who looks on may be behind.
const LIVE: usize = 1_000;
/// What repeats is written once in this time.
const DAMPING: Duration = Duration::from_secs(300);
/// So many that repeat are remembered.
const REMEMBERED: usize = 5_000;
/// The largest page.
pub const LARGEST_PAGE: u32 = 1_000;

/// The event log. A handle: clones are the same log.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    queue: mpsc::Sender<NewEvent>,
    live: broadcast::Sender<Arc<Event>>,
    dropped: AtomicU64,
    repeated: Mutex<HashMap<Repeating, Repeated>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Repeating {
    kind: EventKind,
    user: Option<UserId>,
    device: Option<DeviceId>,
    message: String,
}

struct Repeated {
    written: Timestamp,
    since: u64,
}

/// What is noted and not yet written.
pub(crate) struct Unwritten(mpsc::Receiver<NewEvent>);

impl Events {
    /// A log in this store. Nothing is written until [`Events::write`] is polled.
    pub(crate) fn new(store: Store, clock: Clock) -> (Self, Unwritten) {
        let (queue, unwritten) = mpsc::channel(QUEUE);
        let inner = Inner {
            store,
            clock,
            queue,
            live: broadcast::channel(LIVE).0,
            dropped: AtomicU64::new(0),
            repeated: Mutex::default(),
        };
        (Self(Arc::new(inner)), Unwritten(unwritten))
    }

    /// Notes an event. What repeats is written once in a while, with how often it happened.
    pub fn note(&self, mut happened: Happened) {
        let now = (self.0.clock)();
        if happened.kind.is_damped() {
            match self.repeats(&happened, now) {
                None => return,
                Some(0) => {}
                Some(times) => {
                    happened.details.insert("before".into(), times.into());
                }
            }
        }
        let event = NewEvent {
            time: now,
            level: happened.level,
            kind: happened.kind.as_str().to_owned(),
            user: happened.user,
            device: happened.device,
            connector: happened.connector,
            request: happened.request.or_else(dme_directory::asking),
            message: happened.message,
            details: serde_json::Value::Object(happened.details).to_string(),
        };
        if self.0.queue.try_send(event).is_err() {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often the same happened since it was written last, where it is to be written now.
    fn repeats(&self, happened: &Happened, now: Timestamp) -> Option<u64> {
        let key = Repeating {
            kind: happened.kind,
            user: happened.user.clone(),
            device: happened.device.clone(),
            message: happened.message.clone(),
        };
        let mut repeated = self.0.repeated.lock().unwrap_or_else(PoisonError::into_inner);
        if repeated.len() >= REMEMBERED {
            repeated.retain(|_, one| now < one.written.plus(DAMPING));
        }
        if repeated.len() >= REMEMBERED && !repeated.contains_key(&key) {
            // All of them are fresh: somebody makes them up, and shall not fill the log with it.
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        match repeated.get_mut(&key) {
            Some(one) if now < one.written.plus(DAMPING) => {
                one.since += 1;
                None
            }
            Some(one) => {
                let times = std::mem::take(&mut one.since);
                one.written = now;
                Some(times)
            }
            None => {
                repeated.insert(key, Repeated { written: now, since: 0 });
                Some(0)
            }
        }
    }

    /// How many events were lost since the server's start, because they came faster than they could
    /// be written, or the database refused them.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// A page of the events that are wanted, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn page(&self, filter: &EventFilter, limit: u32) -> dme_store::Result<EventPage> {
        self.0.store.events(filter, limit.clamp(1, LARGEST_PAGE)).await
    }

    /// All events that are wanted, the newest first, page by page as they are read.
    pub fn export(
        &self,
        filter: EventFilter,
    ) -> impl Stream<Item = dme_store::Result<Vec<Event>>> + Send + use<> {
        let store = self.0.store.clone();
        futures_util::stream::try_unfold(Some(filter), move |filter| {
            let store = store.clone();
            async move {
                let Some(filter) = filter else { return Ok(None) };
                let EventPage { events, before } = store.events(&filter, LARGEST_PAGE).await?;
                let next = before.map(|before| EventFilter { before: Some(before), ..filter });
                Ok(Some((events, next)))
            }
        })
    }

    /// Each event from here on, once it is kept. Who falls far behind misses some.
    pub fn live(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.live.subscribe()
    }

    /// Writes what is noted until the server stops, and then what is left.
    pub(crate) async fn write(
        self,
        mut unwritten: Unwritten,
        webhooks: Arc<Webhooks>,
        stop: CancellationToken,
    ) {
        let mut batch = Vec::new();
        loop {
            let count = tokio::select! {
                biased;
                count = unwritten.0.recv_many(&mut batch, BATCH) => count,
                () = stop.cancelled() => break,
            };
            if count == 0 {
                return;
            }
            if count < BATCH {
                // Others follow on its heels: one transaction is enough for all.
                tokio::select! {
                    () = tokio::time::sleep(GATHER) => {}
                    () = stop.cancelled() => {}
                }
                while batch.len() < BATCH
                    && let Ok(event) = unwritten.0.try_recv()
                {
                    batch.push(event);
                }
            }
            self.keep(std::mem::take(&mut batch), &webhooks).await;
        }
        while let Ok(event) = unwritten.0.try_recv() {
            batch.push(event);
        }
        if !batch.is_empty() {
            self.keep(batch, &webhooks).await;
        }
    }

    async fn keep(&self, batch: Vec<NewEvent>, webhooks: &Webhooks) {
        let count = batch.len() as u64;
        match self.0.store.put_events(batch).await {
            Ok(events) => {
                webhooks.consider(&events).await;
                for event in events {
                    // Without anybody who looks on there is nobody to miss it.
                    let _ = self.0.live.send(Arc::new(event));
                }
            }
            Err(error) => {
                self.0.dropped.fetch_add(count, Ordering::Relaxed);
                tracing::error!(%error, count, "events could not be written");
            }
        }
    }
}

/// One event as a line of JSON.
pub fn as_json(event: &Event) -> serde_json::Value {
    let Event { number, event } = event;
    let details: serde_json::Value = serde_json::from_str(&event.details).unwrap_or_default();
    serde_json::json!({
        "number": number,
        "time": event.time.as_millis(),
        "level": event.level.as_str(),
        "kind": event.kind,
        "user": event.user,
        "device": event.device,
        "connector": event.connector,
        "request": event.request,
        "message": event.message,
        "details": details,
    })
}
