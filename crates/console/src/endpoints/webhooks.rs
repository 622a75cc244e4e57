//! Webhooks: how it goes with each, beginning again, trying one.

use crate::endpoint::{Endpoint, get, post};
use crate::{Console, Refusal, api};
use dme_model::Timestamp;
use http::StatusCode;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/webhooks", "Webhooks, and how it goes with each")
            .by(|console, _| async move { console.list_webhooks().await }),
        post("/api/webhooks/{webhook}/enable", "Let a webhook begin again that was given up")
            .by(|console, call| async move { console.enable_webhook(call.arg("webhook")).await }),
        post("/api/webhooks/{webhook}/test", "Send a word that means nothing to a webhook")
            .by(|console, call| async move { console.try_webhook(call.arg("webhook")).await }),
    ]
}

impl Console {
    pub(crate) async fn list_webhooks(&self) -> Result<Vec<api::Webhook>, Refusal> {
        let all = self.front.webhooks.standings().await?.into_iter().map(|one| api::Webhook {
            name: one.name,
            url: one.url,
            kinds: one.kinds,
            disabled: one.state.disabled,
            failing_since: one.state.failing_since.map(Timestamp::as_seconds),
            trouble: one.state.trouble,
            delivered: one.state.delivered.map(Timestamp::as_seconds),
            waiting: one.waiting,
        });
        Ok(all.collect())
    }

    pub(crate) async fn enable_webhook(&self, name: &str) -> Result<Vec<api::Webhook>, Refusal> {
        self.front.webhooks.enable(name).await?;
        self.list_webhooks().await
    }

    /// Delivers a word that means nothing.
    pub(crate) async fn try_webhook(&self, name: &str) -> Result<api::Done, Refusal> {
        let tried = self.front.webhooks.try_out(name).await?;
        let failed = |error| Refusal::new(StatusCode::BAD_GATEWAY, format!("{error}"));
        tried.map(|()| api::Done {}).map_err(failed)
    }
}
