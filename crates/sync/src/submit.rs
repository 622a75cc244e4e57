//! Sending, once (rules S2 and S3).
//!
//! Before the mail system is asked to send, the act is noted as begun; after its yes, as carried
//! out. A request that finds the act carried out is answered the same without sending. One that
//! finds it begun cannot know whether the mail went out: the mail system is asked again, and told
//! to look first.

use crate::fingerprint::fingerprint;
use crate::locks::Lock;
use crate::{Engine, Error, FolderNo, Journal, Result, Session, SubmissionLife};
use bytes::Bytes;
use dme_mailbox::{
    CalendarMessage, ErrorKind, Mailbox, Reference, Submission, SubmissionKey, Submitted, Verb,
};
use dme_model::{CollectionId, ItemId};
use std::time::Duration;

/// How long an act that the phone named is known. Phones try again for hours, not for weeks; and
/// some begin to count anew when the account is set up anew.
const CLIENT_LIFE: SubmissionLife = SubmissionLife(Duration::from_secs(7 * 24 * 60 * 60));

/// How long the same bytes are the same act.
const CONTENT_LIFE: SubmissionLife = SubmissionLife(Duration::from_secs(10 * 60));

/// What names an act of sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubmitId {
    /// The phone's own name for it (`ClientId`, 14.0 on).
    Client(String),
    /// The phone gives none (12.1): the same bytes within ten minutes are the same act.
    Content,
}

/// A message to send (SendMail, SmartReply, SmartForward; MS-ASCMD 2.2.1.17 to 2.2.1.19).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubmitRequest {
    /// What names this act.
    pub id: SubmitId,
    /// The message as the phone gave it.
    pub message: Bytes,
    /// The original it answers or sends on: where, which, how.
    pub reference: Option<(FolderNo, ItemId, Verb)>,
    /// The message is whole; nothing of the original is to be added (`ReplaceMime`).
    pub replace_mime: bool,
    /// Whether a copy goes to Sent.
    pub save_in_sent: bool,
    /// What it says of a meeting, if anything.
    pub meeting: Option<MeetingWord>,
}

/// What a mail of the user says of a meeting: phones before 16.0 tell others themselves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeetingWord {
    /// Its calendar data.
    pub message: CalendarMessage,
    /// To whom: mail addresses.
    pub to: Vec<String>,
    /// Its sender organises the meeting by the address it is from, or answers. Of anything else a
    /// calendar that cannot be asked is taken to tell nothing.
    pub own: bool,
}

/// A message that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// What the mail system said of it.
    pub submitted: Submitted,
    /// By an earlier request, which this one repeats: nothing was sent now.
    pub before: bool,
}

/// An act of sending, named.
pub(crate) struct Act {
    name: String,
    life: SubmissionLife,
    submission: Submission,
    meeting: Option<MeetingWord>,
}

impl Act {
    /// A mail the phone named; a copy goes to Sent.
    pub fn of_client(name: &str, message: Bytes) -> Self {
        Self {
            name: name.to_owned(),
            life: CLIENT_LIFE,
            submission: Submission {
                key: SubmissionKey(String::new()),
                uncertain: false,
                taken: false,
                message,
                reference: None,
                save_in_sent: true,
                draft: None,
            },
            meeting: None,
        }
    }

    /// The final form of this draft.
    pub fn with_draft(mut self, draft: Option<(CollectionId, ItemId)>) -> Self {
        self.submission.draft = draft;
        self
    }
}

impl Engine {
    /// Sends a message. A repeated request whose first one succeeded is told so and nothing is sent;
    /// one whose first end is unknown is handed to the mail system as uncertain.
    ///
    /// # Errors
    /// [`Error::FolderNotFound`] for the reference's folder, the mail system's, the store's.
    pub async fn submit(&self, session: Session<'_>, request: &SubmitRequest) -> Result<Sent> {
        let reference = match &request.reference {
            None => None,
            Some((folder, item, verb)) => Some(Reference {
                collection: self.collection(session, *folder).await?,
                item: item.clone(),
                verb: *verb,
                replace_mime: request.replace_mime,
            }),
        };
        let (name, life) = match &request.id {
            SubmitId::Client(id) => (fingerprint(&[b"client", id.as_bytes()]), CLIENT_LIFE),
            SubmitId::Content => {
                let about = reference.as_ref().map(|of| format!("{:?} {}", of.verb, of.item));
                let about = about.unwrap_or_default();
                let print = fingerprint(&[b"content", &request.message, about.as_bytes()]);
                (print, CONTENT_LIFE)
            }
        };
        let mut act = Act::of_client(&format!("mail/{name}"), request.message.clone());
        act.life = match request.meeting {
            // What phones say of a meeting has its own name and stamp, and may have to wait for it.
            Some(_) => CLIENT_LIFE,
            None => life,
        };
        act.submission.reference = reference;
        act.submission.save_in_sent = request.save_in_sent;
        act.meeting = request.meeting.clone();
        self.send_once(session, act).await
    }

    /// Whether an act that sends a draft was carried out, where the draft is gone and there is
    /// nothing left to send: it goes only after its mail went out, so that an act whose end is
    /// not known was.
    pub(crate) async fn is_sent(&self, session: Session<'_>, name: &str) -> Result<bool> {
        let device = session.device;
        let _one_at_a_time =
            self.locks.lock(Lock::Submission(device.clone(), name.to_owned())).await;
        match self.store.begin_submission(device, name, session.now, CLIENT_LIFE).await? {
            Journal::Sent(_) | Journal::Unfinished { .. } | Journal::Uncertain { .. } => Ok(true),
            Journal::Begun => {
                self.store.cancel_submission(device, name).await?;
                Ok(false)
            }
        }
    }

    pub(crate) async fn send_once(&self, session: Session<'_>, act: Act) -> Result<Sent> {
        let Act { name, life, mut submission, meeting } = act;
        let device = session.device;
        let _one_at_a_time = self.locks.lock(Lock::Submission(device.clone(), name.clone())).await;
        let (since, uncertain, taken) =
            match self.store.begin_submission(device, &name, session.now, life).await? {
                Journal::Sent(submitted) => return Ok(Sent { submitted, before: true }),
                Journal::Unfinished { since, sent } => (since, false, Some(sent)),
                Journal::Begun => (session.now, false, None),
                Journal::Uncertain { since } => (since, true, None),
            };
        // With the time: once the journal has forgotten the act, its name may come again for
        // another.
        let since = since.as_millis();
        submission.key = SubmissionKey(format!("{}/{}/{name}@{since}", device.user, device.device));
        if let Some(sent) = taken {
            submission.taken = true;
            return self.finish_sending(session, &name, &submission, sent).await;
        }
        submission.uncertain = uncertain;
        match hand_over(session.mailbox, &mut submission, meeting.as_ref()).await {
            Ok(submitted) => {
                self.store.finish_submission(device, &name, &submitted).await?;
                finished(submitted)
            }
            Err(error) => {
                // An earlier attempt may have gone out, whatever became of this one.
                if !uncertain && certainly_not_sent(&error) {
                    self.store.cancel_submission(device, &name).await?;
                }
                Err(Error::Mailbox(error))
            }
        }
    }
}

impl Engine {
    /// Does what was not done when the message went out. What can never be done is let go: the
    /// message is sent, and that is what the phone asked for.
    async fn finish_sending(
        &self,
        session: Session<'_>,
        name: &str,
        submission: &Submission,
        sent: Submitted,
    ) -> Result<Sent> {
        let now = match session.mailbox.submit(submission).await {
            Ok(again) => Submitted { refused: sent.refused, ..again },
            Err(error) if error.is_transient() => return Err(Error::Mailbox(error)),
            Err(error) => {
                let warnings = vec![format!("what follows a sent message: {error}")];
                Submitted { warnings, unfinished: false, ..sent }
            }
        };
        self.store.finish_submission(session.device, name, &now).await?;
        finished(now)
    }
}

/// Hands a message to the mail system. What the calendar's own server tells is not sent as well:
/// others would hear of it twice. Where that cannot be known now, the message comes again; once more
/// also where the calendar has no such meeting yet, which the phone may be about to make.
///
/// # Errors
/// The mail system's, and the calendar's that may pass.
pub async fn hand_over(
    mailbox: &dyn Mailbox,
    submission: &mut Submission,
    meeting: Option<&MeetingWord>,
) -> dme_mailbox::Result<Submitted> {
    if let Some(MeetingWord { message, to, own }) = meeting {
        submission.taken = match mailbox.tells(message, to).await {
            Err(error) if error.is_transient() && *own => return Err(error),
            Err(error) if error.kind == ErrorKind::NotFound && !submission.uncertain => {
                return Err(dme_mailbox::Error::new(ErrorKind::Unavailable, error.context));
            }
            told => told.unwrap_or_default(),
        };
    }
    mailbox.submit(submission).await
}

/// A message counts as sent to the phone when all is done that follows: it repeats its request
/// until then.
fn finished(submitted: Submitted) -> Result<Sent> {
    if !submitted.unfinished {
        return Ok(Sent { submitted, before: false });
    }
    let left = submitted.warnings.join("; ");
    let context = format!("the message is sent, and something is still to be done: {left}");
    Err(Error::Mailbox(dme_mailbox::Error::new(ErrorKind::Unavailable, context)))
}

fn certainly_not_sent(error: &dme_mailbox::Error) -> bool {
    match &error.kind {
        ErrorKind::Auth
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Forbidden
        | ErrorKind::InvalidToken
        | ErrorKind::Busy { .. }
        | ErrorKind::MessageTooLarge
        | ErrorKind::RecipientRefused
        | ErrorKind::SenderRefused
        | ErrorKind::QuotaExceeded
        | ErrorKind::Invalid
        | ErrorKind::Unconvertible
        | ErrorKind::Unsupported => true,
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Protocol | ErrorKind::Bug => {
            error.unbegun
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeviceKey, Limits, MemoryStore, StateStore};
    use dme_mailbox::memory::{MemoryMailSystem, Operation};
    use dme_model::{Timestamp, UserId};
    use std::sync::Arc;

    #[tokio::test]
    async fn what_was_left_when_a_message_went_out_is_done_and_nothing_is_sent() {
        let (system, user) = (MemoryMailSystem::new(), UserId::from("ann@example.com"));
        system.add_user(&user, "ann@example.com");
        let mailbox = system.mailbox(&user).unwrap();
        let store = Arc::new(MemoryStore::default());
        let engine = Engine::new(store.clone(), Limits::default());
        let device = DeviceKey { user, device: "phone".into() };
        let session =
            Session { device: &device, mailbox: &*mailbox, now: Timestamp::from_seconds(1) };
        let request = SubmitRequest {
            id: SubmitId::Client("1".into()),
            message: "From: ann@example.com\r\nTo: eve@elsewhere.example\r\n\r\nHello\r\n".into(),
            reference: None,
            replace_mime: false,
            save_in_sent: true,
            meeting: None,
        };
        let sent = engine.submit(session, &request).await.unwrap();
        let name = format!("mail/{}", fingerprint(&[b"client", b"1"]));
        let unfinished = Submitted { unfinished: true, ..sent.submitted.clone() };
        store.finish_submission(&device, &name, &unfinished).await.unwrap();

        system.take_calls();
        // The first that finishes is answered as sent now, the next as sent before.
        for before in [false, true] {
            let expected = Sent { before, ..sent.clone() };
            assert_eq!(engine.submit(session, &request).await, Ok(expected));
        }
        assert_eq!(system.take_calls(), [Operation::Submit]);
        assert_eq!(system.sent().len(), 1);
    }

    #[test]
    fn a_message_that_is_not_finished_is_not_yet_sent_to_the_phone() {
        let sent = Submitted {
            message_id: "1@x".into(),
            refused: Vec::new(),
            warnings: vec!["the copy in Sent: away".into()],
            unfinished: true,
        };
        let Err(Error::Mailbox(error)) = finished(sent.clone()) else { panic!() };
        assert!(error.is_transient() && error.context.contains("the copy in Sent"), "{error}");
        let submitted = Submitted { unfinished: false, ..sent };
        assert_eq!(finished(submitted.clone()), Ok(Sent { submitted, before: false }));
    }
}
