//! Writing items that are no mail. All clocks are on UTC here; of a meeting that changes the first
//! one asked is told.

use super::state::{Content, State, User, no_item};
use crate::{Edit, Error, ErrorKind, NewItem, Result, Written};
use dme_model::{
    Answer, BodyView, CollectionId, Event, EventPatch, Exception, Flags, InstanceChange, Item,
    ItemEdit, ItemId, ItemPatch, LocalTime, Notice, Text, Timestamp, UserId,
};

pub(super) fn create(
    state: &mut State,
    user: &UserId,
    collection: &CollectionId,
    new: &NewItem,
) -> Result<Written> {
    let now = state.now();
    let user = state.user(user)?;
    let class = user.folder(collection)?.collection.class;
    if class != new.patch.class() {
        let context = format!("a {class:?} collection holds nothing else");
        return Err(Error::new(ErrorKind::Invalid, context));
    }
    let item = match user.folder(collection)?.made_by(&new.key) {
        Some(made) => made,
        None => {
            let mut item = empty(&new.patch);
            apply(&mut item, &new.patch)?;
            name(&mut item, &new.key.0);
            settle(&mut item, now);
            let (content, key) = (Content::Other(item), Some(new.key.clone()));
            user.append(collection, content, Flags::default(), now, key)?
        }
    };
    let mark = user.folder(collection)?.mark(&item);
    Ok(Written::quietly(item, mark))
}

pub(super) fn change(
    state: &mut State,
    user: &UserId,
    collection: &CollectionId,
    item: &ItemId,
    edit: &Edit,
) -> Result<Written> {
    let now = state.now();
    let user = state.user(user)?;
    let mut asked = None;
    let before = user.folder(collection)?.mark(item);
    let mark = user.rewrite(collection, item, |there| {
        asked = guest(there);
        match &edit.edit {
            ItemEdit::Patch(patch) => apply(there, patch)?,
            ItemEdit::Instance { original, patch } => change_instance(there, *original, patch)?,
            ItemEdit::DropInstance { original } => {
                set_exception(event(there)?, *original, InstanceChange::Deleted);
            }
            ItemEdit::Cancel => return Ok(()),
        }
        settle(there, now);
        Ok(())
    })?;
    let changed = before.as_ref() != Some(&mark);
    if let Some(guest) = asked.filter(|_| changed) {
        user.told.insert(edit.key.clone(), notice(&guest, &edit.key.0));
    }
    let notices = user.told.get(&edit.key).cloned().into_iter().collect();
    Ok(Written { notices, ..Written::quietly(item.clone(), Some(mark)) })
}

/// The first one asked to a meeting of the user's own.
fn guest(item: &Item) -> Option<String> {
    match item {
        Item::Event(event) if event.own => {
            event.attendees.first().map(|attendee| attendee.address.email.clone())
        }
        _ => None,
    }
}

fn notice(guest: &str, act: &str) -> Notice {
    let message = format!("To: {guest}\r\nSubject: a meeting changed\r\n\r\nIt did.\r\n");
    Notice { name: act.to_owned(), message: message.into() }
}

pub(super) fn respond(
    user: &mut User,
    collection: &CollectionId,
    item: &ItemId,
    answer: &Answer,
    now: Timestamp,
) -> Result<Written> {
    if user.folder(collection)?.item(item).is_none() {
        return Err(no_item(item));
    }
    let mark = user.rewrite(collection, item, |there| {
        let event = event(there)?;
        if event.own {
            return Err(Error::new(ErrorKind::Invalid, "nobody asked the user to come"));
        }
        event.participation = answer.participation;
        event.replied = Some(now);
        Ok(())
    })?;
    Ok(Written::quietly(item.clone(), Some(mark)))
}

fn event(item: &mut Item) -> Result<&mut Event> {
    match item {
        Item::Event(event) => Ok(event),
        _ => Err(Error::new(ErrorKind::Invalid, "it is no event")),
    }
}

fn empty(patch: &ItemPatch) -> Item {
    match patch {
        ItemPatch::Event(_) => Item::Event(Box::new(Event { own: true, ..Event::default() })),
        ItemPatch::Contact(_) => Item::Contact(Box::default()),
        ItemPatch::Task(_) => Item::Task(Box::default()),
        ItemPatch::Note(_) => Item::Note(Box::default()),
    }
}

fn apply(item: &mut Item, patch: &ItemPatch) -> Result<()> {
    match (item, patch) {
        (Item::Event(event), ItemPatch::Event(patch)) => patch.apply(event),
        (Item::Contact(contact), ItemPatch::Contact(patch)) => patch.apply(contact),
        (Item::Task(task), ItemPatch::Task(patch)) => patch.apply(task),
        (Item::Note(note), ItemPatch::Note(patch)) => patch.apply(note),
        _ => return Err(Error::new(ErrorKind::Invalid, "the item is of another class")),
    }
    Ok(())
}

/// Gives a new item the UID it lacks.
fn name(item: &mut Item, key: &str) {
    let uid = match item {
        Item::Event(event) => &mut event.uid,
        Item::Contact(contact) => &mut contact.uid,
        Item::Task(task) => &mut task.uid,
        Item::Note(note) => &mut note.uid,
        Item::Mail(_) => return,
    };
    if uid.is_empty() {
        *uid = format!("{key}@memory.invalid");
    }
}

/// Sets what follows from the rest.
fn settle(item: &mut Item, now: Timestamp) {
    match item {
        Item::Event(event) => {
            event.last_end = event.recurrence.is_none().then(|| event.end.as_utc());
            event.attach.clear();
            event.detach.clear();
        }
        Item::Note(note) => note.modified = now,
        _ => {}
    }
}

/// The item with as much of its text as the view asks for; never in another form.
pub(super) fn viewed(mut item: Item, view: &BodyView) -> Item {
    let text = match &mut item {
        Item::Event(event) => &mut event.text,
        Item::Contact(contact) => &mut contact.text,
        Item::Task(task) => &mut task.text,
        Item::Note(note) => &mut note.text,
        Item::Mail(_) => return item,
    };
    let wanted = |text: &Text| {
        let same = view.preferences.iter().find(|one| one.kind == text.kind);
        same.or(view.preferences.first()).map(|one| one.truncation)
    };
    *text = text.take().and_then(|text| Some((wanted(&text)?, text))).map(|(limit, mut text)| {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        if text.text.len() > limit {
            let end = (0..=limit).rev().find(|at| text.text.is_char_boundary(*at));
            text.text.truncate(end.unwrap_or_default());
            text.truncated = true;
        }
        text
    });
    item
}

fn change_instance(item: &mut Item, original: Timestamp, patch: &EventPatch) -> Result<()> {
    let event = event(item)?;
    let start = local(original);
    let before = event.exceptions.iter().find(|exception| exception.original == start);
    let mut changed = match before.map(|exception| &exception.change) {
        Some(InstanceChange::Changed(changed)) => (**changed).clone(),
        _ => EventPatch::default(),
    };
    for field in &patch.fields {
        changed.set(*field, &patch.value);
    }
    set_exception(event, original, InstanceChange::Changed(Box::new(changed)));
    Ok(())
}

fn set_exception(event: &mut Event, original: Timestamp, change: InstanceChange) {
    let original = local(original);
    event.exceptions.retain(|exception| exception.original != original);
    event.exceptions.push(Exception { original, change });
    event.exceptions.sort_by_key(|exception| exception.original);
}

fn local(moment: Timestamp) -> LocalTime {
    LocalTime::from_seconds(moment.as_seconds())
}
