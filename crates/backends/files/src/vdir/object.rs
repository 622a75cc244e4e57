//! What a file is, in the words of its class.

use dme_mailbox::{Account, Error, ErrorKind, PartContent};
use dme_model::{BodyView, Class, Item, ItemEdit, ItemPatch, Notice, PartId, Timestamp, ZoneId};
use dme_pim::calendar::{self, AttachmentContent, Kind, LastEnd, Writing};
use dme_pim::contact;

/// What the index keeps of an item, for lists and filters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// An event; when its last instance ends, none for one without end.
    Event(Option<LastEnd>),
    /// A task; whether it is done.
    Task(bool),
    /// A note.
    Note,
    /// A person.
    Contact,
    /// It can't be read.
    Broken,
    /// It is of no concern here: of another class, or a group of people.
    LeftOut,
}

/// An object that was written.
pub(super) struct Made {
    pub(super) object: Vec<u8>,
    /// What others must be told.
    pub(super) notices: Vec<Notice>,
    /// Of each file that was attached, in order, which part it is.
    pub(super) attached: Vec<PartId>,
}

impl Made {
    /// One that nobody needs to be told of.
    pub(super) fn quietly(object: Vec<u8>) -> Self {
        Self { object, notices: Vec::new(), attached: Vec::new() }
    }
}

impl From<calendar::Applied> for Made {
    fn from(applied: calendar::Applied) -> Self {
        let calendar::Applied { object, notices, attached, .. } = applied;
        Self { object, notices, attached }
    }
}

/// How the names of a class's files end.
pub(super) fn ending(class: Class) -> &'static str {
    if class == Class::Contacts { ".vcf" } else { ".ics" }
}

/// What kind of item a calendar object's kind is of.
pub(super) fn class_of(kind: Kind) -> Class {
    match kind {
        Kind::Event => Class::Calendar,
        Kind::Task => Class::Tasks,
        Kind::Note => Class::Notes,
    }
}

/// The largest file of a class that is read, in bytes.
pub(super) fn max_size(class: Class) -> usize {
    if class == Class::Contacts { contact::MAX_OBJECT } else { calendar::MAX_OBJECT }
}

/// What an object is in a collection of this class, and its `UID`.
pub(super) fn sort(class: Class, object: &[u8]) -> (Sort, String) {
    if class == Class::Contacts {
        return match contact::uid(object) {
            Ok(uid) => (Sort::Contact, uid.unwrap_or_default()),
            Err(dme_pim::Error::Group) => (Sort::LeftOut, String::new()),
            Err(_) => (Sort::Broken, String::new()),
        };
    }
    let Ok(summary) = calendar::summary(object) else { return (Sort::Broken, String::new()) };
    let sort = match summary.kind {
        kind if class_of(kind) != class => Sort::LeftOut,
        Kind::Event => Sort::Event(summary.last_end),
        Kind::Task => Sort::Task(summary.completed),
        Kind::Note => Sort::Note,
    };
    (sort, summary.uid)
}

/// An object as an item.
pub(super) fn read(
    class: Class,
    object: &[u8],
    user: &User,
    view: &BodyView,
) -> Result<Item, dme_pim::Error> {
    if class == Class::Contacts {
        return contact::read(object, view).map(|contact| Item::Contact(Box::new(contact)));
    }
    calendar::read(object, std::slice::from_ref(&user.account.address), &user.clock, view)
}

/// A part of an object, or with none the whole of it.
pub(super) fn part(
    class: Class,
    object: Vec<u8>,
    part: Option<&PartId>,
) -> Result<PartContent, Error> {
    let Some(part) = part else {
        let media_type = if class == Class::Contacts { "text/vcard" } else { "text/calendar" };
        let full_size = object.len() as u64;
        let (media_type, data) = (media_type.into(), object.into());
        return Ok(PartContent { media_type, name: None, full_size, data });
    };
    if class == Class::Contacts {
        return Err(failed(dme_pim::Error::NoSuchPart(part.clone())));
    }
    let found = calendar::attachment(&object, part).map_err(failed)?;
    let AttachmentContent { media_type, data } = found;
    let full_size = data.len() as u64;
    Ok(PartContent { media_type, name: None, full_size, data: data.into() })
}

/// Carries an edit out on an object, or makes a new one by it.
pub(super) fn apply(
    class: Class,
    object: Option<&[u8]>,
    edit: &ItemEdit,
    key: &str,
    user: &User,
    now: Timestamp,
) -> Result<Made, Error> {
    let of = match edit {
        ItemEdit::Patch(patch) => Some(patch.class()),
        ItemEdit::Instance { .. } | ItemEdit::DropInstance { .. } => Some(Class::Calendar),
        ItemEdit::Cancel => None,
    };
    if of.is_some_and(|of| of != class) {
        let context = format!("a {class:?} collection holds nothing else");
        return Err(Error::new(ErrorKind::Invalid, context));
    }
    match (class, edit) {
        (Class::Contacts, ItemEdit::Patch(ItemPatch::Contact(patch))) => {
            let done = contact::apply(object, patch, key, now).map_err(failed)?;
            Ok(Made::quietly(done.object))
        }
        (Class::Contacts, _) => Ok(Made::quietly(object.unwrap_or_default().to_vec())),
        _ => {
            let done = calendar::apply(object, edit, &writing(key, user, now));
            done.map(Made::from).map_err(failed)
        }
    }
}

/// Whose collections they are.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) account: Account,
    /// That of times without a time zone.
    pub(super) clock: ZoneId,
}

/// Who writes, when, by which act. Nothing here tells others by itself, so that notices are made.
pub(super) fn writing(key: &str, user: &User, now: Timestamp) -> Writing {
    Writing {
        owner: vec![user.account.address.clone()],
        name: user.account.display_name.clone(),
        now,
        key: key.to_owned(),
        schedules: false,
        zone: user.clock.clone(),
    }
}

/// What a failed conversion means to the caller.
pub(super) fn failed(error: dme_pim::Error) -> Error {
    let kind = match &error {
        dme_pim::Error::NoSuchPart(_) => ErrorKind::NotFound,
        dme_pim::Error::NoSuchInstance | dme_pim::Error::Misfit(_) => ErrorKind::Invalid,
        _ => ErrorKind::Unconvertible,
    };
    Error::new(kind, error.to_string())
}
