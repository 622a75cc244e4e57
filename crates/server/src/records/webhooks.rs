//! Events told to others by HTTP: each is kept until its receiver took it, for a bounded time.
//!
//! A receiver checks `DME-Signature: t=SECONDS,v1=HEX`, the HMAC-SHA256 of the secret over
//! `SECONDS.BODY`, and by `DME-Delivery` what came twice.

mod address;
mod delivery;

pub use address::{Forbidden, Target};
pub use delivery::NotDelivered;

use super::events::{Events, as_json};
use super::happened::{EventKind, Happened};
use crate::config::WebhookConfig;
use crate::front::Clock;
use delivery::Courier;
use dme_link::random;
use dme_model::Timestamp;
use dme_store::{Delivery, Event, Store, WebhookState};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// What waits for one webhook at the most; further events are not told to it.
const WAITING: u32 = 10_000;
/// What is delivered before it is looked again what is due.
const AT_A_TIME: u32 = 20;
/// How long a webhook rests that has nothing due.
const REST: Duration = Duration::from_secs(60);
/// The first wait after a failure; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// So long it is tried to deliver one event.
const TRIED_FOR: Duration = Duration::from_secs(86_400);
/// A webhook that failed for so long is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3 * 86_400);

/// All webhooks that are configured.
pub struct Webhooks {
    store: Store,
    clock: Clock,
    all: BTreeMap<String, Webhook>,
}

struct Webhook {
    config: WebhookConfig,
    courier: Courier,
    /// Something new waits.
    news: Notify,
}

/// How it goes with a webhook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookStanding {
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub url: String,
    /// Which kinds of events.
    pub kinds: Vec<String>,
    /// How it goes.
    pub state: WebhookState,
    /// How many events wait for it.
    pub waiting: u64,
}

impl Webhooks {
    /// Those of the configuration.
    ///
    /// # Errors
    /// In words, where one makes no sense: the configuration's check says the same.
    pub(crate) fn new(
        config: &BTreeMap<String, WebhookConfig>,
        store: Store,
        clock: Clock,
    ) -> Result<Arc<Self>, String> {
        let mut all = BTreeMap::new();
        for (name, config) in config {
            let courier = Courier::new(config).map_err(|what| format!("webhooks.{name} {what}"))?;
            let (config, news) = (config.clone(), Notify::new());
            all.insert(name.clone(), Webhook { config, courier, news });
        }
        Ok(Arc::new(Self { store, clock, all }))
    }

    /// Has those events wait that a webhook is for.
    pub(super) async fn consider(&self, events: &[Event]) {
        for (name, webhook) in &self.all {
            for event in events.iter().filter(|event| webhook.wants(&event.event.kind)) {
                let (kind, body) = (&event.event.kind, as_json(event).to_string());
                let now = (self.clock)();
                let queued = self.store.queue_delivery(name, kind, body, now, WAITING).await;
                if let Err(error) = queued {
                    tracing::warn!(webhook = name, %error, "an event is not told to it");
                }
                webhook.news.notify_one();
            }
        }
    }

    /// How it goes with each.
    ///
    /// # Errors
    /// The database's.
    pub async fn standings(&self) -> dme_store::Result<Vec<WebhookStanding>> {
        let states = self.store.webhook_states().await?;
        let mut all = Vec::new();
        for (name, webhook) in &self.all {
            let state = states.iter().find(|state| state.name == *name).cloned();
            let fresh = || WebhookState { name: name.clone(), ..WebhookState::default() };
            all.push(WebhookStanding {
                name: name.clone(),
                url: webhook.config.url.clone(),
                kinds: webhook.config.kinds.clone(),
                state: state.unwrap_or_else(fresh),
                waiting: self.store.waiting_deliveries(name).await?,
            });
        }
        Ok(all)
    }

    /// Lets a webhook begin again that was given up; what waited for it is delivered.
    ///
    /// # Errors
    /// `NotFound` where none is called so; the database's.
    pub async fn enable(&self, name: &str) -> dme_store::Result<()> {
        let webhook = self.webhook(name)?;
        let states = self.store.webhook_states().await?;
        let delivered =
            states.into_iter().find(|one| one.name == name).and_then(|one| one.delivered);
        let state = WebhookState { name: name.to_owned(), delivered, ..WebhookState::default() };
        self.store.put_webhook_state(&state).await?;
        webhook.news.notify_one();
        Ok(())
    }

    /// Delivers a word that means nothing, at once and once, to see whether it arrives.
    ///
    /// # Errors
    /// `NotFound` where none is called so; else why it does not arrive.
    pub async fn try_out(&self, name: &str) -> dme_store::Result<Result<(), NotDelivered>> {
        let webhook = self.webhook(name)?;
        let now = (self.clock)();
        let delivery = Delivery {
            n: now.as_millis(),
            webhook: name.to_owned(),
            kind: "test".into(),
            body: r#"{"kind":"test"}"#.into(),
            queued: now,
            attempts: 0,
            due: now,
            trouble: None,
        };
        Ok(webhook.courier.deliver(&delivery, now).await)
    }

    fn webhook(&self, name: &str) -> dme_store::Result<&Webhook> {
        let missing = || dme_store::Error::NotFound(format!("webhook {name}"));
        self.all.get(name).ok_or_else(missing)
    }

    /// Delivers what waits, to each webhook at its own pace, as long as it is polled.
    pub(crate) async fn run(self: Arc<Self>, events: Events) {
        let lanes = self.all.iter().map(|(name, webhook)| self.serve(name, webhook, &events));
        futures_util::future::join_all(lanes).await;
    }

    async fn serve(&self, name: &str, webhook: &Webhook, events: &Events) {
        loop {
            let rest = match self.deliver_due(name, webhook, events).await {
                Ok(Some(next)) => {
                    let wait = next.as_millis().saturating_sub((self.clock)().as_millis());
                    REST.min(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
                }
                Ok(None) => REST,
                Err(error) => {
                    tracing::warn!(webhook = name, %error, "what waits for it cannot be read");
                    REST
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = webhook.news.notified() => {}
            }
        }
    }

    /// Delivers what is due; says when the next is.
    async fn deliver_due(
        &self,
        name: &str,
        webhook: &Webhook,
        events: &Events,
    ) -> dme_store::Result<Option<Timestamp>> {
        let states = self.store.webhook_states().await?;
        let state = states.into_iter().find(|state| state.name == name);
        let fresh = || WebhookState { name: name.to_owned(), ..WebhookState::default() };
        let mut state = state.unwrap_or_else(fresh);
        if state.disabled {
            return Ok(None);
        }
        loop {
            let due = self.store.due_deliveries(name, (self.clock)(), AT_A_TIME).await?;
            if due.is_empty() {
                return self.store.next_delivery(name).await;
            }
            for delivery in due {
                let now = (self.clock)();
                match webhook.courier.deliver(&delivery, now).await {
                    Ok(()) => {
                        self.store.remove_delivery(delivery.n).await?;
                        state = WebhookState { delivered: Some((self.clock)()), ..fresh() };
                        self.store.put_webhook_state(&state).await?;
                    }
                    Err(error) => {
                        self.failed(&delivery, &error, &mut state, events).await?;
                        if state.disabled {
                            return Ok(None);
                        }
                    }
                }
            }
        }
    }

    async fn failed(
        &self,
        delivery: &Delivery,
        error: &NotDelivered,
        state: &mut WebhookState,
        events: &Events,
    ) -> dme_store::Result<()> {
        let (now, name) = ((self.clock)(), &delivery.webhook);
        tracing::warn!(webhook = name, attempts = delivery.attempts + 1, %error, "not delivered");
        if now > delivery.queued.plus(TRIED_FOR) {
            self.store.remove_delivery(delivery.n).await?;
        } else {
            let attempts = delivery.attempts.saturating_add(1);
            let due = now.plus(wait(attempts, random()));
            self.store.deliver_again(delivery.n, attempts, due, &error.to_string()).await?;
        }
        let since = *state.failing_since.get_or_insert(now);
        state.trouble = Some(error.to_string());
        if now > since.plus(GIVEN_UP_AFTER) {
            state.disabled = true;
            let words = format!("webhook {name} failed since {since} and is given up: {error}");
            tracing::error!(webhook = name, %error, "given up: see `dme webhook list`");
            events.note(Happened::new(EventKind::WebhookDisabled, words).detail("webhook", name));
        }
        self.store.put_webhook_state(state).await
    }
}

impl Webhook {
    fn wants(&self, kind: &str) -> bool {
        self.config.kinds.iter().any(|wanted| wanted == kind)
    }
}

/// How long to wait after so many failures: doubled with each, and any part of the second half.
fn wait(attempts: u32, random: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT).mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests;
