//! Messages that wait for the connector of their sender's mail.

use crate::{Console, Refusal, api};

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
