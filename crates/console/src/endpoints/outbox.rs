//! Messages that wait for the connector of their sender's mail.

use crate::endpoint::{Endpoint, delete, get};
use crate::{Console, Refusal, api};

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/outbox", "Messages that wait for their connector")
            .by(|console, _| async move { console.list_outbox().await }),
        delete("/api/outbox/{number}", "Take away a message that shall not be sent")
            .by(|console, call| async move { console.discard(call.arg("number")).await }),
    ]
}

impl Console {
    pub(crate) async fn list_outbox(&self) -> Result<Vec<api::Waiting>, Refusal> {
        let waiting = self.front.store.all_queued().await?.into_iter().map(|one| api::Waiting {
            number: one.n,
            user: one.user.to_string(),
            since: one.queued.as_seconds(),
            attempts: one.attempts,
            aside: one.aside,
            trouble: one.trouble,
        });
        Ok(waiting.collect())
    }

    /// Takes a message away that shall not be sent.
    pub(crate) async fn discard(&self, number: &str) -> Result<Vec<api::Waiting>, Refusal> {
        let n: i64 = number.parse().map_err(|_| Refusal::lacks("no-message", number))?;
        self.front.store.discard_queued(n).await?;
        tracing::warn!(number = n, "a message that waited was discarded");
        self.list_outbox().await
    }
}
