//! Sending a message and what goes with it: the copy in Sent, the mark on the original, the end
//! of the draft. What fails after the server took the message is a warning: it is sent.

use crate::mailbox::ImapMailbox;
use dme_mailbox::{Error, ErrorKind, Result, Submission, Submitted, Verb};
use dme_mime::compose::{self, Finish, Finished, finish};
use dme_model::{Address, FlagPatch, Role, Timestamp};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long what follows a sent message may take.
const AFTERWARDS: Duration = Duration::from_secs(15);

/// A message that is ready to go out.
struct Ready {
    finished: Finished,
    /// The folder for its copy.
    sent: Option<String>,
    /// It is out already.
    went_out: bool,
}

impl ImapMailbox {
    pub(crate) async fn send(&self, submission: &Submission) -> Result<Submitted> {
        let smtp = self.shared.smtp.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "imap: no smtp server is set: nothing can be sent")
        })?;
        // Up to here mail is only read: what fails has sent nothing.
        let ready = self.get_ready(submission).await.map_err(Error::before_anything)?;
        let Ready { finished, sent, went_out } = ready;
        let mut submitted = Submitted {
            message_id: finished.message_id.clone(),
            refused: Vec::new(),
            warnings: Vec::new(),
            unfinished: false,
        };
        if !went_out {
            submitted.refused = smtp
                .send(
                    &self.account,
                    &self.account.address,
                    &finished.recipients,
                    &finished.message,
                    self.deadline,
                )
                .await?;
        }
        self.afterwards().finish_up(submission, sent.as_deref(), &finished, &mut submitted).await;
        Ok(submitted)
    }

    /// Reads what the message needs, and whether it went out before.
    async fn get_ready(&self, submission: &Submission) -> Result<Ready> {
        let message = match &submission.reference {
            Some(reference) => {
                let verb = match reference.verb {
                    Verb::Reply => compose::Verb::Reply,
                    Verb::Forward => compose::Verb::Forward,
                };
                let original = match reference.replace_mime {
                    // Only its ids are needed; where it is gone the phone's message is whole.
                    true => self.fetch_raw(&reference.collection, &reference.item).await.ok(),
                    false => Some(self.fetch_raw(&reference.collection, &reference.item).await?),
                };
                match original {
                    Some(original) => {
                        compose::reply(&original, &submission.message, verb, reference.replace_mime)
                            .map_err(|error| told(&error))?
                    }
                    None => submission.message.clone(),
                }
            }
            None => submission.message.clone(),
        };
        let author = Address {
            name: self.account.display_name.clone(),
            email: self.account.address.clone(),
        };
        let wanted = Finish { from: author, now: now(), seed: submission.key.0.clone() };
        let finished = finish(&message, &wanted).map_err(|error| told(&error))?;

        let look = submission.uncertain && !submission.taken;
        let sent = match submission.save_in_sent || look {
            true => self.sent_folder().await?,
            false => None,
        };
        let went_out = match (&sent, look) {
            (Some(sent), true) => self.has_message(sent, &finished.message_id).await?,
            _ => submission.taken,
        };
        Ok(Ready { finished, sent, went_out })
    }

    /// The mailbox for what follows once the message is out. It has time of its own, also where
    /// sending took all there was; and not more, for until we answer nobody else knows of the
    /// message. What is not done then is done in another attempt.
    fn afterwards(&self) -> Self {
        let deadline = Instant::now() + AFTERWARDS;
        Self::new(self.shared.clone(), self.account.clone(), deadline)
    }

    async fn finish_up(
        &self,
        submission: &Submission,
        sent: Option<&str>,
        finished: &Finished,
        submitted: &mut Submitted,
    ) {
        if submission.save_in_sent {
            let filed = match sent {
                Some(sent) => self.file_sent(sent, &finished.message_id, &finished.sent_copy).await,
                None => Err(Error::new(ErrorKind::NotFound, "there is no folder for sent mail")),
            };
            warn(submitted, "the copy in Sent", filed);
        }
        if let Some(reference) = &submission.reference {
            let mut patch = FlagPatch::default();
            match reference.verb {
                Verb::Reply => patch.answered = Some(true),
                Verb::Forward => patch.forwarded = Some(true),
            }
            let patches = [(reference.item.clone(), patch)];
            let marked = self.store_flags(&reference.collection, &patches).await;
            let marked = marked.and_then(|results| results.into_iter().try_for_each(|it| it.1));
            warn(submitted, "the mark on the original", marked);
        }
        // Last, and only when all else is done: the draft is what another attempt is known by.
        if let Some((collection, item)) = &submission.draft
            && !submitted.unfinished
        {
            let deleted = self.delete_messages(collection, std::slice::from_ref(item)).await;
            warn(submitted, "the end of the draft", deleted);
        }
    }

    async fn sent_folder(&self) -> Result<Option<String>> {
        let folders = self.list_folders().await?;
        let sent = folders.into_iter().find(|folder| folder.role == Some(Role::Sent));
        Ok(sent.map(|sent| sent.id.as_str().to_owned()))
    }
}

fn warn(submitted: &mut Submitted, what: &str, result: Result<()>) {
    if let Err(error) = result {
        tracing::warn!(error = error.name(), "{what} failed after a message was sent");
        submitted.warnings.push(format!("{what}: {error}"));
        submitted.unfinished |= error.is_transient();
    }
}

fn told(error: &dme_mime::Error) -> Error {
    let kind = match error {
        dme_mime::Error::TooLarge(_) | dme_mime::Error::HeaderTooLarge => {
            ErrorKind::MessageTooLarge
        }
        _ => ErrorKind::Invalid,
    };
    Error::new(kind, format!("imap: submit: {error}"))
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
