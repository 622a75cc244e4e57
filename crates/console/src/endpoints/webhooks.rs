//! Webhooks: how it goes with each, beginning again, trying one.

use crate::endpoint::{Endpoint, get, post};
use crate::{Console, Refusal, api};
use dme_model::Timestamp;
use dme_server::records::webhooks::{Forbidden, NotDelivered};
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
        let enabled = self.front.webhooks.enable(name).await;
        enabled.map_err(Refusal::unless("no-webhook", name))?;
        self.list_webhooks().await
    }

    /// Delivers a word that means nothing.
    pub(crate) async fn try_webhook(&self, name: &str) -> Result<api::Done, Refusal> {
        let tried = self.front.webhooks.try_out(name).await;
        tried.map_err(Refusal::unless("no-webhook", name))??;
        Ok(api::Done {})
    }
}

impl From<NotDelivered> for Refusal {
    fn from(why: NotDelivered) -> Self {
        let refusal = Self::new(StatusCode::BAD_GATEWAY, why.to_string());
        match why {
            NotDelivered::Unresolved(error) => {
                refusal.said("webhook-unresolved", error.to_string())
            }
            NotDelivered::Forbidden(Forbidden { host, found }) => {
                refusal.said("webhook-forbidden", format!("{host}: {found}"))
            }
            NotDelivered::Unconnected(error) => {
                refusal.said("webhook-unconnected", error.to_string())
            }
            NotDelivered::Unanswered(error) => {
                refusal.said("webhook-unanswered", error.to_string())
            }
            NotDelivered::Refused(status) => refusal.said("webhook-refused", status.to_string()),
            NotDelivered::Late => refusal.said("webhook-late", ""),
        }
    }
}
