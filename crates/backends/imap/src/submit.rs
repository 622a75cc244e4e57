//! Sending a message and what goes with it: the copy in Sent, the mark on the original, the end
//! of the draft. What fails after the server took the message is a warning: it is sent.

use crate::mailbox::ImapMailbox;
use dme_mailbox::{Error, ErrorKind, Result, Submission, Submitted, Verb};
use dme_mime::compose::{self, Finish, finish};
use dme_model::{Address, FlagPatch, Role, Timestamp};
use std::time::{SystemTime, UNIX_EPOCH};

impl ImapMailbox {
    pub(crate) async fn send(&self, submission: &Submission) -> Result<Submitted> {
        let smtp = self.shared.smtp.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "imap: no smtp server is set: nothing can be sent")
        })?;
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

        let sent = match submission.save_in_sent || submission.uncertain {
            true => self.sent_folder().await?,
            false => None,
        };
        let went_out = match (&sent, submission.uncertain) {
            (Some(sent), true) => self.has_message(sent, &finished.message_id).await?,
            _ => false,
        };
        let mut submitted = Submitted {
            message_id: finished.message_id.clone(),
            refused: Vec::new(),
            warnings: Vec::new(),
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
        let warnings = &mut submitted.warnings;
        if submission.save_in_sent && !went_out {
            let filed = match &sent {
                Some(sent) => self.file_sent(sent, &finished.message_id, &finished.sent_copy).await,
                None => Err(Error::new(ErrorKind::NotFound, "there is no folder for sent mail")),
            };
            warn(warnings, "the copy in Sent", filed);
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
            warn(warnings, "the mark on the original", marked);
        }
        if let Some((collection, item)) = &submission.draft {
            let deleted = self.delete_messages(collection, std::slice::from_ref(item)).await;
            warn(warnings, "the end of the draft", deleted);
        }
        Ok(submitted)
    }

    async fn sent_folder(&self) -> Result<Option<String>> {
        let folders = self.list_folders().await?;
        let sent = folders.into_iter().find(|folder| folder.role == Some(Role::Sent));
        Ok(sent.map(|sent| sent.id.as_str().to_owned()))
    }
}

fn warn(warnings: &mut Vec<String>, what: &str, result: Result<()>) {
    if let Err(error) = result {
        tracing::warn!(error = error.name(), "{what} failed after a message was sent");
        warnings.push(format!("{what}: {error}"));
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
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
