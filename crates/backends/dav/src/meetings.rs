//! Invitations answered, and what mails say of meetings taken into the calendar.
//!
//! Where the calendar server schedules by itself (RFC 6638), what comes by mail is mostly there
//! already, and then changes nothing. What organisers and attendees outside say it cannot know:
//! that is written as elsewhere, so that the server tells nobody. Where it keeps such an event to
//! itself, the event stays as the server has it.

use crate::collections::Place;
use crate::error::WireError;
use crate::fetch::Resource;
use crate::href::Path;
use crate::mailbox::DavMailbox;
use crate::object::{self, Rewritten};
use crate::report::{self, Told, Wanted};
use crate::write::{Before, Put, Race, Reply};
use crate::xml::Ns;
use dme_mailbox::{
    CalendarMessage, Error, ErrorKind, Result, SubmissionKey, TakenIn, Written, hash,
};
use dme_model::{Access, Answer, Class, CollectionId, ItemId, Occasion};
use dme_pim::calendar::{self, ByServer, Outcome};

/// Calendars in which an event is looked for.
const MAX_CALENDARS: usize = 50;

/// An event that was found.
struct Found {
    place: Place,
    item: ItemId,
    path: Path,
    resource: Resource,
}

/// The user's own calendars that may be written to. What stands in those that others share is asked
/// of them, and theirs to answer.
struct Calendars {
    /// They, the one that invitations go to first.
    all: Vec<Path>,
    /// Where new ones are put, if there is any.
    default: Option<Place>,
}

impl DavMailbox {
    pub(crate) async fn answer_invitation(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        let told = |error: WireError| error.told("answer an invitation");
        if self.is_shared(&Place::read(collection)?.path).await.map_err(told)? {
            let context = "dav: the event is in somebody else's calendar: it is theirs to answer";
            return Err(Error::new(ErrorKind::Unsupported, context));
        }
        let writing = self.writing(key).await?;
        // A server that schedules tells every answer unless it is asked not to.
        let reply = match writing.schedules && !answer.send {
            true => Reply::Silent,
            false => Reply::ByServer,
        };
        self.rewrite(collection, item, reply, |there| {
            calendar::respond(there, answer, &writing).map(Rewritten::from).map_err(object::told)
        })
        .await
    }

    pub(crate) async fn take_in_message(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        let text = message.calendar.as_bytes();
        // A mail whose calendar part is about no event concerns nobody's calendar.
        let Ok(uid) = calendar::message_uid(text) else { return Ok(None) };
        let key = SubmissionKey(format!("take-in/{}", hash::name_of(&message.calendar)));
        let what = "take in a message";
        let told = |error: WireError| error.told(what);
        let calendars = self.calendars().await.map_err(told)?;
        let mut race = Race::default();
        loop {
            let found = self.find_event(&uid, &calendars).await.map_err(told)?;
            race.go_on(found.as_ref().map(|found| &found.resource), what)?;
            let place = match &found {
                Some(found) => Some(found.place.clone()),
                None => calendars.default.clone(),
            };
            let writing = self.writing(&key).await?;
            let existing = found.as_ref().map(|found| &*found.resource.object);
            let taken = calendar::take_in(existing, text, &message.from, occasion, &writing);
            let taken = taken.map_err(object::told)?;
            let notices = taken.notices;
            let hit = found.as_ref().map(|found| TakenIn {
                collection: found.place.id(),
                item: found.item.clone(),
                notices,
            });
            let of_others = matches!(taken.outcome, Outcome::Updated | Outcome::Cancelled);
            let by_server = writing.schedules && of_others;
            let Some(object) = taken.object else { return Ok(hit) };
            match found {
                Some(found) => {
                    let before = Before::of(&found.resource);
                    let reply = if by_server { Reply::Silent } else { Reply::ByServer };
                    let (path, class) = (&found.path, Class::Calendar);
                    match self.put_replying(path, class, object.into(), before, reply).await {
                        Ok(Put::Done(_)) => return Ok(hit),
                        Ok(Put::Lost) if by_server => return Ok(hit),
                        Ok(Put::Lost) => {}
                        Err(error) if by_server && error.status() == Some(403) => return Ok(hit),
                        Err(error) => return Err(told(error)),
                    }
                }
                None => {
                    let place = place.ok_or_else(no_calendar)?;
                    let item = ItemId::new(format!("{}.ics", hash::name_of(&uid)));
                    let path = self.member(&place, &item)?;
                    let put = self.put(&path, Class::Calendar, object.into(), Before::Absent).await;
                    if let Put::Done(_) = put.map_err(told)? {
                        return Ok(Some(TakenIn { collection: place.id(), item, notices: vec![] }));
                    }
                }
            }
        }
    }

    /// The user's own calendars that may be written to.
    async fn calendars(&self) -> Result<Calendars, WireError> {
        let principal = self.principal().await?;
        let mut remotes = self.remotes(&principal).await?;
        remotes.retain(|_, remote| remote.belongs.to(&principal));
        let default = self.default_of(Class::Calendar, &remotes, &principal);
        let default = default.map(|remote| remote.path.clone());
        let mut all: Vec<Path> = remotes
            .into_values()
            .filter(|it| it.classes.contains(&Class::Calendar) && it.access == Access::ReadWrite)
            .map(|it| it.path)
            .collect();
        all.sort_by_cached_key(|path| (Some(path) != default.as_ref(), path.clone()));
        all.truncate(MAX_CALENDARS);
        let default = default.map(|path| Place { class: Class::Calendar, path });
        Ok(Calendars { all, default })
    }

    /// Whether the server tells these people itself what a mail of the user says of a meeting.
    pub(crate) async fn tells_by_server(
        &self,
        message: &CalendarMessage,
        to: &[String],
    ) -> Result<bool> {
        let text = message.calendar.as_bytes();
        let Ok(uid) = calendar::message_uid(text) else { return Ok(false) };
        let told = |error: WireError| error.told("look for the event of a mail");
        let writing = self.writing(&SubmissionKey(String::new())).await?;
        if !writing.schedules {
            return Ok(false);
        }
        let calendars = self.calendars().await.map_err(told)?;
        let found = self.find_event(&uid, &calendars).await.map_err(told)?;
        let existing = found.as_ref().map(|found| &*found.resource.object);
        match calendar::told_by_server(existing, text, to, &writing) {
            ByServer::Told => Ok(true),
            ByServer::Untold => Ok(false),
            ByServer::NotYet => {
                let context = "dav: the meeting of an invitation is not in the calendar yet";
                Err(Error::new(ErrorKind::NotFound, context))
            }
        }
    }

    /// The user's event with this UID, in the default calendar or any other of these.
    async fn find_event(
        &self,
        uid: &str,
        calendars: &Calendars,
    ) -> Result<Option<Found>, WireError> {
        for path in &calendars.all {
            let place = Place { class: Class::Calendar, path: path.clone() };
            let document = report::calendar_query("VEVENT", Wanted::Named(uid), Told::Content);
            let told = self.report(path, document).await?;
            for response in &told.responses {
                let object = response.text(Ns::CalDav, "calendar-data").unwrap_or_default();
                // A filter by text may let others through (RFC 4791 §7.5.1).
                if !object::is_event(object.as_bytes(), uid) {
                    continue;
                }
                let member = Path::read(&response.href, &self.shared.client.origin);
                let name = member.as_ref().and_then(|member| path.name_within(member));
                let Some(item) = name.map(ItemId::new) else { continue };
                let path = self.member(&place, &item)?;
                let Some(resource) = self.get(&path).await? else { continue };
                return Ok(Some(Found { place, item, path, resource }));
            }
        }
        Ok(None)
    }
}

fn no_calendar() -> Error {
    Error::new(ErrorKind::NotFound, "dav: the user has no calendar of their own to write to")
}
