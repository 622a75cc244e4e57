//! Mails that say something of a meeting: it goes into the calendar when the phone is told of them.

use super::work::Work;
use crate::{Error, Result};
use dme_model::{ItemId, ItemSet, Occasion, Role};

/// So many in one request; the rest in the next.
const AT_ONCE: usize = 25;

impl Work<'_> {
    /// Takes in what new mails say of meetings. What cannot be now is tried again with the next
    /// request, what never can be is let go: the phone can still answer the mail.
    ///
    /// Only from the Inbox: what was thrown away, sent or sorted out as unwanted makes no events. And
    /// only when the phone has all that is there, so that the oldest word is taken in first: the
    /// newest come first to a phone.
    pub async fn take_meetings_in(&mut self) {
        if self.generation.untaken.is_empty() || !self.generation.pending.is_empty() {
            return;
        }
        match self.engine.known_folders(self.session).await {
            Ok(folders) => {
                let here = folders.iter().find(|folder| folder.no == self.folder);
                if here.is_none_or(|folder| folder.role != Some(Role::Inbox)) {
                    self.generation.untaken = ItemSet::new();
                    return;
                }
            }
            Err(_) => return,
        }
        let untaken: Vec<ItemId> = self.generation.untaken.iter().take(AT_ONCE).collect();
        for item in untaken {
            match self.take_meeting_in(&item).await {
                Err(Error::Mailbox(error)) if !error.is_transient() => {
                    tracing::debug!(%error, "the word of a mail on a meeting was not taken in");
                }
                Err(error) => {
                    tracing::debug!(%error, "the word of a mail on a meeting waits");
                    break;
                }
                Ok(()) => {}
            }
            self.generation.untaken.remove(&item);
        }
    }

    async fn take_meeting_in(&self, item: &ItemId) -> Result<()> {
        let mailbox = self.session.mailbox;
        if let Some(message) = mailbox.calendar_message(self.collection, item).await?
            && let Some(taken) = mailbox.take_in(&message, Occasion::Arrival).await?
        {
            self.engine.answer_mail(self.session, taken.notices).await?;
        }
        Ok(())
    }
}
