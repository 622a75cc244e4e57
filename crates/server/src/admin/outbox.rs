//! Messages that wait for the connector of their sender's mail.

use super::{Admin, Answer, Refusal, api, as_json};

impl Admin {
    pub(super) async fn list_outbox(&self) -> Answer {
        let waiting = self.front.store.all_queued().await?.into_iter().map(|one| api::Waiting {
            number: one.n,
            user: one.user.to_string(),
            since: one.queued.as_seconds(),
            attempts: one.attempts,
            trouble: one.trouble,
        });
        Ok(as_json(&waiting.collect::<Vec<_>>()))
    }

    /// Takes a message away that shall not be sent.
    pub(super) async fn discard(&self, number: &str) -> Answer {
        let n: i64 = number
            .parse()
            .map_err(|_| Refusal::not_found(format!("message {number} that waits")))?;
        self.front.store.remove_queued(n).await?;
        if let Some(outbox) = &self.front.outbox {
            outbox.look_again().await;
        }
        tracing::warn!(number = n, "a message that waited was discarded");
        self.list_outbox().await
    }
}
