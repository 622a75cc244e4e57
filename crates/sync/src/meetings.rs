//! Meetings: what mails say of them, what the user answers, and whom to tell (MeetingResponse,
//! MS-ASCMD 2.2.1.11).
//!
//! A notice to others is a mail like any other and sent like any other: once, by its name. The
//! mail system answers the same notices when the act they follow from is repeated, so that none is
//! lost where the server dies between the two.

use crate::fingerprint::fingerprint;
use crate::hierarchy::Trash;
use crate::locks::Lock;
use crate::submit::Act;
use crate::{DeviceKey, Engine, Error, FolderNo, Meant, Result, Session, Slot};
use dme_mailbox::{BusyQuery, BusyTime, ErrorKind, Hit, SubmissionKey};
use dme_model::{Answer, Class, CollectionId, ItemId, Notice, Occasion, Participation};
use serde::{Deserialize, Serialize};

/// So many answers of a device are remembered.
const REMEMBERED: usize = 128;

/// An event an invitation led to: where it lies and which it is.
pub type EventPlace = (FolderNo, ItemId);

/// An answer to an invitation.
#[derive(Clone, PartialEq, Debug)]
pub struct RespondRequest {
    /// Where the mail or the event is.
    pub folder: FolderNo,
    /// Which it is.
    pub item: ItemId,
    /// What the user says.
    pub answer: Meant<Answer>,
    /// Whether the organiser is told by mail from here, where the calendar's server does not (16.0
    /// on): before, phones do so themselves.
    pub notify: bool,
}

/// Why an invitation was not answered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RespondError {
    /// It is no invitation, or not there, or none for this user (status 2).
    #[error("there is no invitation to answer: {0}")]
    NoInvitation(String),
    /// Anything else.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// An answer that was given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Given {
    print: String,
    /// Tells what was answered: the latest answer to it alone is remembered.
    #[serde(default)]
    to: String,
    event: Option<EventPlace>,
    /// The event, where it is still to go from the calendar: the user does not come. So the answer
    /// is known before it goes, and whoever repeats it then is not told that there is no such event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaves: Option<Left>,
}

/// Where an event is that is to go.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Left {
    collection: CollectionId,
    item: ItemId,
}

impl Engine {
    /// Answers an invitation: the mail it came with, or the event in a calendar. Gives the place
    /// of the event; none where the user does not come and it is gone from the calendar. The mail
    /// goes to the Trash. The same answer repeated is answered as the first time, and nobody is
    /// told twice; said again to what was asked anew, it is an answer like the first.
    ///
    /// # Errors
    /// As [`RespondError`] says.
    pub async fn respond(
        &self,
        session: Session<'_>,
        request: &RespondRequest,
    ) -> Result<Option<EventPlace>, RespondError> {
        let RespondRequest { folder, item, answer, .. } = request;
        let folder = *folder;
        let lock = Lock::State(session.device.clone(), Slot::Answers);
        let _one_at_a_time = self.locks.lock(lock).await;
        let known = self.store.load(session.device, Slot::Answers).await.map_err(Error::from)?;
        let known = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut given: Vec<Given> = known.unwrap_or_default();
        let (place, words) = (folder.to_string(), answer.words());
        let print = fingerprint(&[b"answer", place.as_bytes(), item.as_str().as_bytes(), words]);
        let instance = answer.meaning.instance.map(|at| at.as_millis().to_string());
        let instance = instance.unwrap_or_default();
        let to = fingerprint(&[place.as_bytes(), item.as_str().as_bytes(), instance.as_bytes()]);
        let collection = self.collection(session, folder).await?;
        let class = self.folder_class(session, folder).await?;

        let known = given.iter().rposition(|known| known.print == print);
        let known = known.map(|place| given.remove(place));
        let mut answered = match known {
            Some(known) if known.leaves.is_some() => known,
            // Who was asked anew since, or said otherwise elsewhere, says the same in the same words:
            // the mail system knows what is a repetition, and does nothing then.
            known => {
                match self.answer_to(session, class, &collection, (print, to), request).await {
                    Ok(answered) => {
                        given.retain(|known| known.to != answered.to);
                        self.remember_answer(session, &given, &answered).await?;
                        answered
                    }
                    // It is gone with the first time.
                    Err(RespondError::NoInvitation(why)) => {
                        known.ok_or(RespondError::NoInvitation(why))?
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        if let Some(Left { collection, item }) = answered.leaves.take() {
            let items = std::slice::from_ref(&item);
            session.mailbox.delete_items(&collection, items).await.map_err(Error::from)?;
            self.remember_answer(session, &given, &answered).await?;
        }
        if class == Class::Mail {
            self.put_away(session, folder, &collection, item).await?;
        }
        Ok(answered.event)
    }

    /// Notes an answer after those given before.
    async fn remember_answer(
        &self,
        session: Session<'_>,
        before: &[Given],
        last: &Given,
    ) -> Result<()> {
        let surplus = (before.len() + 1).saturating_sub(REMEMBERED);
        let all: Vec<&Given> = before.iter().skip(surplus).chain([last]).collect();
        let bytes = serde_json::to_vec(&all).unwrap_or_default();
        Ok(self.store.save(session.device, Slot::Answers, bytes).await?)
    }

    /// The event an invitation is about, put into the calendar where it is not there yet.
    async fn invited(
        &self,
        session: Session<'_>,
        class: Class,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Hit, RespondError> {
        if class != Class::Mail {
            return Ok(Hit { collection: collection.clone(), item: item.clone() });
        }
        let message = session.mailbox.calendar_message(collection, item).await;
        let message = message.map_err(no_invitation)?.ok_or_else(|| {
            RespondError::NoInvitation("the mail says nothing of a meeting".into())
        })?;
        let taken =
            session.mailbox.take_in(&message, Occasion::Answer).await.map_err(no_invitation)?;
        let taken = taken.map(|taken| Hit { collection: taken.collection, item: taken.item });
        taken.ok_or_else(|| RespondError::NoInvitation("the meeting is not for the user".into()))
    }

    async fn answer_to(
        &self,
        session: Session<'_>,
        class: Class,
        collection: &CollectionId,
        (print, to): (String, String),
        request: &RespondRequest,
    ) -> Result<Given, RespondError> {
        let hit = self.invited(session, class, collection, &request.item).await?;
        let device = session.device;
        let key = SubmissionKey(format!("{}/{}/answer/{print}", device.user, device.device));
        let (mailbox, answer) = (session.mailbox, &request.answer.meaning);
        let written = mailbox.respond(&hit.collection, &hit.item, &key, answer).await;
        let written = written.map_err(no_invitation)?;
        if request.notify {
            self.send_notices(session, written.notices).await?;
        }
        let whole = answer.instance.is_none() && answer.proposal.is_none();
        if answer.participation == Participation::Declined && whole {
            let leaves = Some(Left { collection: hit.collection, item: written.item });
            return Ok(Given { print, to, event: None, leaves });
        }
        let numbers = self.numbers(session, std::slice::from_ref(&hit.collection)).await?;
        let event = numbers.first().map(|no| (*no, written.item));
        Ok(Given { print, to, event, leaves: None })
    }

    /// An invitation that was answered goes where deleted mail goes.
    async fn put_away(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<()> {
        let moved = match self.trash(session, folder).await? {
            Trash::Here => return Ok(()),
            Trash::At(trash) => {
                let items = std::slice::from_ref(item);
                session.mailbox.move_items(collection, &trash, items).await
            }
        };
        match moved {
            Err(error) if error.is_transient() => Err(error.into()),
            // The answer stands; a mail that stays is no harm.
            _ => Ok(()),
        }
    }

    /// Sends what was asked for by mail, once for all phones of the user: each of them reads the mail.
    pub(crate) async fn answer_mail(
        &self,
        session: Session<'_>,
        notices: Vec<Notice>,
    ) -> Result<()> {
        let device = DeviceKey { user: session.device.user.clone(), device: "".into() };
        self.send_notices(Session { device: &device, ..session }, notices).await
    }

    /// Sends each notice once. One that is refused for good is let go: what it tells of is done.
    pub(crate) async fn send_notices(
        &self,
        session: Session<'_>,
        notices: Vec<Notice>,
    ) -> Result<()> {
        for notice in notices {
            let act = Act::of_client(&format!("notice/{}", notice.name), notice.message);
            match self.send_once(session, act).await {
                Ok(_) => {}
                Err(Error::Mailbox(error)) if !error.is_transient() => {
                    tracing::warn!(user = %session.device.user, %error, "a notice of a meeting was refused");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// When people are not free.
    ///
    /// # Errors
    /// The mail system's.
    pub async fn busy(&self, session: Session<'_>, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        Ok(session.mailbox.busy(query).await?)
    }
}

/// What is refused for good is no invitation; the rest may pass.
fn no_invitation(error: dme_mailbox::Error) -> RespondError {
    match error.kind {
        ErrorKind::NotFound
        | ErrorKind::Invalid
        | ErrorKind::Unsupported
        | ErrorKind::Unconvertible => RespondError::NoInvitation(error.context),
        _ => RespondError::Engine(error.into()),
    }
}

#[cfg(test)]
mod faults;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SyncKey;
    use crate::{Limits, MemoryStore};
    use dme_mailbox::memory::MemoryMailSystem;
    use dme_mailbox::{Edit, FetchOutcome, NewItem};
    use dme_model::{
        BodyView, Event, EventField, EventPatch, Item, ItemEdit, ItemPatch, Role, Timestamp, UserId,
    };
    use futures_util::TryStreamExt as _;
    use std::sync::Arc;

    #[tokio::test]
    async fn who_comes_after_all_does_not_repeat_what_they_said_first() {
        let (system, user) = (MemoryMailSystem::new(), UserId::from("ann@example.com"));
        system.add_user(&user, "ann@example.com");
        let (mailbox, store) = (system.mailbox(&user).unwrap(), MemoryStore::default());
        let engine = Engine::new(Arc::new(store), Limits::default());
        let device = DeviceKey { user: user.clone(), device: "phone".into() };
        let now = Timestamp::from_seconds(1);
        let session = Session { device: &device, mailbox: &*mailbox, now };
        engine.folder_sync(session, &SyncKey::initial()).await.unwrap();
        let calendar = system.collection(&user, Role::Calendar).unwrap();
        let event = Event { title: "Plan".into(), own: false, ..Event::default() };
        let patch = ItemPatch::Event(Box::new(EventPatch::whole(event)));
        let new = NewItem { key: SubmissionKey("plan".into()), patch };
        let item = mailbox.create_item(&calendar, &new).await.unwrap().item;
        let folders = engine.known_folders(session).await.unwrap();
        let folder = folders.iter().find(|it| it.role == Some(Role::Calendar)).unwrap().no;
        let (yes, maybe) = (Participation::Accepted, Participation::Tentative);
        for (participation, elsewhere) in
            [(yes, None), (maybe, None), (yes, None), (yes, Some(Participation::Declined))]
        {
            if let Some(participation) = elsewhere {
                let value = Event { participation, ..Event::default() };
                let patch = EventPatch::of([EventField::Participation], value);
                let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(patch)));
                let edit = Edit { key: SubmissionKey("elsewhere".into()), edit };
                mailbox.change_item(&calendar, &item, &edit).await.unwrap();
            }
            let answer =
                Answer { participation, instance: None, comment: None, proposal: None, send: true };
            let answer = Meant::new(format!("{participation:?}").as_bytes(), answer);
            let request = RespondRequest { folder, item: item.clone(), answer, notify: true };
            engine.respond(session, &request).await.unwrap();
            let items = std::slice::from_ref(&item);
            let fetched = mailbox.fetch(&calendar, items, &BodyView::default()).await.unwrap();
            let fetched: Vec<_> = fetched.try_collect().await.unwrap();
            let FetchOutcome::Item(Item::Event(event)) = &fetched[0].outcome else { panic!() };
            assert_eq!(event.participation, participation);
        }
    }

    #[tokio::test]
    async fn what_a_mail_asked_for_is_sent_once_by_all_phones_of_the_user() {
        let (system, user) = (MemoryMailSystem::new(), UserId::from("ann@example.com"));
        system.add_user(&user, "ann@example.com");
        let mailbox = system.mailbox(&user).unwrap();
        let engine = Engine::new(Arc::new(MemoryStore::default()), Limits::default());
        let notice = Notice {
            name: "the meeting anew".into(),
            message: "From: ann@example.com\r\nTo: eve@elsewhere.example\r\n\r\nHere\r\n".into(),
        };
        for phone in ["one", "two", "one"] {
            let device = DeviceKey { user: user.clone(), device: phone.into() };
            let now = Timestamp::from_seconds(1);
            let session = Session { device: &device, mailbox: &*mailbox, now };
            engine.answer_mail(session, vec![notice.clone()]).await.unwrap();
            assert_eq!(system.sent().len(), 1, "{phone}");
        }
    }
}
