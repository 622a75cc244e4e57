//! What stands in a resource: iCalendar and vCard objects in the neutral terms, by `dme_pim`.

use crate::report::component;
use dme_mailbox::{BusyPeriod, BusyQuery, Error, ErrorKind};
use dme_model::{
    BodyView, Class, Item, ItemEdit, ItemPatch, Notice, PartId, Participation, Timestamp, ZoneId,
};
use dme_pim::calendar::{self, Applied, Kind, Writing};
use dme_pim::contact;

/// Why an object makes no item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Unreadable {
    /// It is none of this class: a task among events, a group among people.
    OtherClass,
    /// It is broken or too large.
    Broken(String),
}

/// An object after an edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rewritten {
    pub(crate) object: Vec<u8>,
    pub(crate) notices: Vec<Notice>,
    /// The server is to tell others, and says in what it makes of the object whom it did not reach.
    pub(crate) by_server: bool,
    /// Of each file that was attached, which part it is.
    pub(crate) attached: Vec<PartId>,
}

impl From<Applied> for Rewritten {
    fn from(made: Applied) -> Self {
        let Applied { object, notices, by_server, attached, .. } = made;
        Self { object, notices, by_server, attached }
    }
}

impl From<contact::Applied> for Rewritten {
    fn from(made: contact::Applied) -> Self {
        let (notices, attached) = (Vec::new(), Vec::new());
        Self { object: made.object, notices, by_server: false, attached }
    }
}

/// Reads an object as an item of this class. `owner` are the user's addresses, `clock` is the user's.
pub(crate) fn read(
    class: Class,
    object: &[u8],
    owner: &[String],
    clock: &ZoneId,
    view: &BodyView,
) -> Result<Item, Unreadable> {
    if class == Class::Contacts {
        return match contact::read(object, view) {
            Ok(contact) => Ok(Item::Contact(Box::new(contact))),
            Err(dme_pim::Error::Group) => Err(Unreadable::OtherClass),
            Err(error) => Err(Unreadable::Broken(error.to_string())),
        };
    }
    if lacks_component(class, object) {
        return Err(Unreadable::OtherClass);
    }
    match calendar::read(object, owner, clock, view) {
        Ok(item) if item.class() == class => Ok(item),
        Ok(_) => Err(Unreadable::OtherClass),
        Err(error) => Err(Unreadable::Broken(error.to_string())),
    }
}

/// Whether an object, perhaps a broken one, is of another class for certain.
fn lacks_component(class: Class, object: &[u8]) -> bool {
    let begins = |component: &str| {
        let line = format!("BEGIN:{component}");
        object
            .split(|byte| *byte == b'\n')
            .any(|it| it.trim_ascii().eq_ignore_ascii_case(line.as_bytes()))
    };
    let others =
        [Class::Calendar, Class::Tasks, Class::Notes].into_iter().filter(|it| *it != class);
    !component(class).is_some_and(begins) && others.filter_map(component).any(begins)
}

/// Whether it is a task that is done.
pub(crate) fn is_done(object: &[u8]) -> bool {
    calendar::summary(object).is_ok_and(|summary| summary.completed)
}

/// Whether it is an event whose last instance ends then or later. What cannot be read counts as
/// one: it is shown as broken. `clock` is the user's.
pub(crate) fn reaches(object: &[u8], clock: &ZoneId, since: Timestamp) -> bool {
    calendar::summary(object)
        .map_or(true, |summary| summary.last_end.is_none_or(|end| end.on(clock) >= since))
}

/// When an event takes its owner's time; never where it cannot be read. `zone` is that of times
/// that have none.
pub(crate) fn busy(
    object: &[u8],
    owner: &[String],
    zone: &ZoneId,
    query: &BusyQuery,
) -> Vec<BusyPeriod> {
    let times = calendar::busy_within(object, owner, zone, query.start, query.end);
    let period =
        |it: calendar::Busy| BusyPeriod { start: it.start, end: it.end, status: it.status };
    times.unwrap_or_default().into_iter().map(period).collect()
}

/// Whether it is the event with this UID.
pub(crate) fn is_event(object: &[u8], uid: &str) -> bool {
    calendar::summary(object).is_ok_and(|summary| summary.kind == Kind::Event && summary.uid == uid)
}

/// Whether it is an event of someone else's that the user declined.
pub(crate) fn is_declined(object: &[u8], owner: &[String]) -> bool {
    let item = calendar::read(object, owner, &ZoneId::utc(), &BodyView::default());
    matches!(item, Ok(Item::Event(event))
        if !event.own && event.participation == Participation::Declined)
}

/// An object with an edit carried out, the same bytes where it changes nothing; a new one where
/// there is none yet.
pub(crate) fn edited(
    object: Option<&[u8]>,
    edit: &ItemEdit,
    writing: &Writing,
) -> Result<Rewritten, Error> {
    match edit {
        ItemEdit::Patch(ItemPatch::Contact(patch)) => {
            contact::apply(object, patch, &writing.key, writing.now).map(Rewritten::from)
        }
        _ => calendar::apply(object, edit, writing).map(Rewritten::from),
    }
    .map_err(told)
}

/// In the words of those above.
pub(crate) fn told(error: dme_pim::Error) -> Error {
    let kind = match &error {
        dme_pim::Error::TooLarge { .. } => ErrorKind::MessageTooLarge,
        dme_pim::Error::NoSuchPart(_) => ErrorKind::NotFound,
        // The series is there: "not found" would take all of it from the phone.
        dme_pim::Error::NoSuchInstance | dme_pim::Error::Misfit(_) => ErrorKind::Invalid,
        _ => ErrorKind::Unconvertible,
    };
    Error::new(kind, format!("dav: {error}"))
}

/// Now.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_is_not_there_leaves_its_series() {
        assert_eq!(told(dme_pim::Error::NoSuchInstance).kind, ErrorKind::Invalid);
        assert_eq!(told(dme_pim::Error::NoSuchPart("1".into())).kind, ErrorKind::NotFound);
    }
}
