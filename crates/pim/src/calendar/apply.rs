//! An edit carried out on an object, or a new object made by it.

use super::clock::Zones;
use super::event::{Reading, Times};
use super::event_fields as fields;
use super::exceptions::Editing;
use super::line::Line;
use super::object::{Component, Node, Object};
use super::people::{self, Owner};
use super::series::{self, Beat, Series};
use super::{Applied, Writing, kind, note, task, text, timezone, value};
use crate::Error;
use dme_model::{
    Address, BodyView, Event, EventField, EventPatch, ItemEdit, ItemPatch, Note, NotePatch, Task,
    TaskPatch, Timestamp,
};
use dme_zone::Zone;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

pub(crate) fn apply(
    bytes: Option<&[u8]>,
    edit: &ItemEdit,
    writing: &Writing,
) -> Result<Applied, Error> {
    match (bytes, edit) {
        (None, ItemEdit::Patch(patch)) => create(patch, writing),
        (None, _) => Err(Error::Misfit("there is no series of which to change an instance")),
        (Some(bytes), edit) => change(bytes, edit, writing),
    }
}

// === New objects ===

fn create(patch: &ItemPatch, writing: &Writing) -> Result<Applied, Error> {
    let mut object = Object::new();
    let zones = Zones::default();
    let uid = match patch {
        ItemPatch::Event(patch) => &patch.value.uid,
        ItemPatch::Task(patch) => &patch.value.uid,
        ItemPatch::Note(patch) => &patch.value.uid,
        ItemPatch::Contact(_) => return Err(Error::Misfit("a contact is no calendar object")),
    };
    let uid = if uid.is_empty() { uid_of(&writing.key) } else { text::one_line(uid) };
    let now = value::utc(writing.now);
    let mut component = Component::new(match patch {
        ItemPatch::Task(_) => "VTODO",
        ItemPatch::Note(_) => "VJOURNAL",
        ItemPatch::Event(_) | ItemPatch::Contact(_) => "VEVENT",
    });
    component.push(Line::new("UID", text::escape(&uid)));
    for name in ["DTSTAMP", "CREATED", "LAST-MODIFIED"] {
        component.push(Line::new(name, now.clone()));
    }
    match patch {
        ItemPatch::Event(patch) => {
            component.push(Line::new("SEQUENCE", "0"));
            if !patch.fields.contains(&EventField::Time) {
                return Err(Error::Misfit("an event needs a time"));
            }
            object.calendar.push_component(component);
            create_event(&mut object, patch, writing, &zones)?;
        }
        ItemPatch::Task(patch) => {
            task::write(&mut component, &Task::default(), &patch.value, &patch.fields, &zones);
            object.calendar.push_component(component);
        }
        ItemPatch::Note(patch) => {
            note::write(&mut component, &Note::default(), &patch.value, &patch.fields);
            object.calendar.push_component(component);
        }
        ItemPatch::Contact(_) => {}
    }
    add_zones(&mut object.calendar, &BTreeSet::new());
    Ok(Applied { object: object.to_bytes(), uid, notices: Vec::new() })
}

fn create_event(
    object: &mut Object,
    patch: &EventPatch,
    writing: &Writing,
    zones: &Zones,
) -> Result<(), Error> {
    let owner = Owner(&writing.owner);
    let mut new = Event::default();
    patch.apply(&mut new);
    if new.zone.is_none() && !new.all_day && !new.attendees.is_empty() {
        // Others have other clocks.
        new.zone = Some(writing.zone.clone());
    }
    let Some(component) = object.calendar.components_mut().next() else { return Ok(()) };
    // So that the time is written whatever it is.
    let shown = Event { start: new.start.plus_seconds(-1), ..Event::default() };
    fields::write(component, &shown, &new, &patch.fields, owner, zones);
    name_organizer(component, writing);
    if new.exceptions.is_empty() {
        return Ok(());
    }
    let mut editing = Editing::of(&mut object.calendar, owner, zones)?;
    editing.set(&[], &new.exceptions);
    Ok(())
}

/// A name that is the same whenever the act is repeated.
fn uid_of(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let mut digits: Vec<char> = digest
        .iter()
        .take(16)
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .map(char::from)
        .collect();
    // A UUID of the version for names made in one's own way (RFC 9562 §5.8).
    for (at, digit) in [(12, '8'), (16, '8')] {
        if let Some(place) = digits.get_mut(at) {
            *place = digit;
        }
    }
    for at in [20, 16, 12, 8] {
        digits.insert(at, '-');
    }
    digits.into_iter().collect()
}

/// Who asks others is named (RFC 5545 §3.8.4.3).
fn name_organizer(event: &mut Component, writing: &Writing) {
    if event.line("ATTENDEE").is_none() || event.line("ORGANIZER").is_some() {
        return;
    }
    if let Some(email) = writing.owner.first() {
        let who = Address { name: writing.name.clone(), email: email.clone() };
        event.push(people::line("ORGANIZER", &who));
    }
}

// === Changed objects ===

fn change(bytes: &[u8], edit: &ItemEdit, writing: &Writing) -> Result<Applied, Error> {
    let mut object = Object::parse(bytes)?;
    let kind = kind(&object.calendar)?;
    let zones = Zones::of(&object.calendar);
    let known = tzids(&object.calendar);
    let uid = object.calendar.components().find(|one| one.is(kind.component()));
    let uid = uid.and_then(|one| one.value("UID")).map(text::unescape).unwrap_or_default();
    let changed = match edit {
        ItemEdit::Patch(ItemPatch::Event(patch)) if kind == super::Kind::Event => {
            change_event(&mut object, patch, writing, &zones)?
        }
        ItemEdit::Patch(ItemPatch::Task(patch)) if kind == super::Kind::Task => {
            change_task(&mut object, patch, writing.now, &zones)
        }
        ItemEdit::Patch(ItemPatch::Note(patch)) if kind == super::Kind::Note => {
            change_note(&mut object, patch, writing.now, &zones)
        }
        ItemEdit::Patch(_) => return Err(Error::Misfit("it is of another class")),
        ItemEdit::Instance { .. } | ItemEdit::DropInstance { .. } if kind != super::Kind::Event => {
            return Err(Error::Misfit("only events have instances"));
        }
        ItemEdit::Instance { original, patch } => {
            change_instance(&mut object, *original, patch, writing, &zones)?
        }
        ItemEdit::DropInstance { original } => {
            drop_instance(&mut object, *original, writing, &zones)?
        }
        ItemEdit::Cancel => false,
    };
    if !changed {
        return Ok(Applied { object: bytes.to_vec(), uid, notices: Vec::new() });
    }
    add_zones(&mut object.calendar, &known);
    Ok(Applied { object: object.to_bytes(), uid, notices: Vec::new() })
}

impl<'a, 'r> Editing<'a, 'r> {
    /// # Errors
    /// [`Error::Unconvertible`] where there is no event, or none that begins.
    fn of(calendar: &'a mut Component, owner: Owner<'r>, zones: &'r Zones) -> Result<Self, Error> {
        let reading = Reading { owner, view: &NO_TEXT, zones };
        let series = Series::find(calendar, "VEVENT");
        let series = series.ok_or(Error::Unconvertible("there is no event in it"))?;
        let event = series::read(&series, &reading)?;
        let beat = Beat::of(&Times::of(series.main, zones)?);
        Ok(Self { calendar, reading, event, beat })
    }
}

/// Texts are compared where they are written.
static NO_TEXT: BodyView = BodyView {
    preferences: Vec::new(),
    mime: dme_model::MimeSupport::Never,
    part_preference: None,
};

fn change_event(
    object: &mut Object,
    patch: &EventPatch,
    writing: &Writing,
    zones: &Zones,
) -> Result<bool, Error> {
    let owner = Owner(&writing.owner);
    let before = Editing::of(&mut object.calendar, owner, zones)?;
    let (shown, was) = (before.event, before.beat);
    let mut new = shown.clone();
    patch.apply(&mut new);
    let Some(main) = main_mut(&mut object.calendar, "VEVENT") else { return Ok(false) };
    let mut changed = fields::write(main, &shown, &new, &patch.fields, owner, zones);
    name_organizer(main, writing);
    let series = shown.recurrence.is_some() || main.line("RRULE").is_some();
    if shown.recurrence.is_some()
        && new.recurrence.is_none()
        && changed.contains(&EventField::Recurrence)
    {
        drop_overrides(&mut object.calendar);
    } else if series {
        let mut editing = Editing::of(&mut object.calendar, owner, zones)?;
        if changed.contains(&EventField::Time) || changed.contains(&EventField::Recurrence) {
            editing.realign(&was);
        }
        if patch.fields.contains(&EventField::Exceptions) {
            let mut editing = Editing::of(&mut object.calendar, owner, zones)?;
            let now = editing.event.exceptions.clone();
            if editing.set(&now, &new.exceptions) {
                changed.insert(EventField::Exceptions);
            }
        }
    }
    if let Some(main) = main_mut(&mut object.calendar, "VEVENT") {
        stamp_event(main, &changed, writing);
    }
    Ok(!changed.is_empty())
}

fn drop_overrides(calendar: &mut Component) {
    let main = Series::find(calendar, "VEVENT").map(|series| series.main);
    let uid = main.and_then(|main| main.value("UID").map(str::to_owned));
    calendar.retain_components(|one| {
        !one.is("VEVENT")
            || one.line("RECURRENCE-ID").is_none()
            || one.value("UID") != uid.as_deref()
    });
}

fn change_instance(
    object: &mut Object,
    original: Timestamp,
    patch: &EventPatch,
    writing: &Writing,
    zones: &Zones,
) -> Result<bool, Error> {
    let owner = Owner(&writing.owner);
    let mut editing = Editing::of(&mut object.calendar, owner, zones)?;
    let at = editing.instance(original)?;
    let Some(at) = at else {
        return change_event(object, patch, writing, zones);
    };
    let changed = editing.change(at, patch);
    if let Some(component) = editing.overriding(at) {
        stamp_event(component, &changed, writing);
    }
    Ok(!changed.is_empty())
}

fn drop_instance(
    object: &mut Object,
    original: Timestamp,
    writing: &Writing,
    zones: &Zones,
) -> Result<bool, Error> {
    let owner = Owner(&writing.owner);
    let mut editing = Editing::of(&mut object.calendar, owner, zones)?;
    let at = editing.instance(original)?;
    let at = at.ok_or(Error::Misfit("an event without instances is deleted as a whole"))?;
    let changed = editing.exclude(at);
    if changed && let Some(main) = main_mut(&mut object.calendar, "VEVENT") {
        stamp_event(main, &BTreeSet::from([EventField::Exceptions]), writing);
    }
    Ok(changed)
}

/// Marks a changed event as changed now. What others organise keeps their stamp: by it their next
/// update is told from an older one (RFC 5546 §2.1.5). A change for which people must decide anew
/// whether they come is counted (RFC 5545 §3.8.7.4).
fn stamp_event(event: &mut Component, changed: &BTreeSet<EventField>, writing: &Writing) {
    if changed.is_empty() {
        return;
    }
    let now = value::utc(writing.now);
    event.set("LAST-MODIFIED", Some(&now));
    if !Owner(&writing.owner).organises(event) {
        return;
    }
    event.set("DTSTAMP", Some(&now));
    let weighty =
        [EventField::Time, EventField::Recurrence, EventField::Exceptions, EventField::Status];
    let counted = event.line("SEQUENCE").is_some() || event.line("ATTENDEE").is_some();
    if counted && weighty.iter().any(|field| changed.contains(field)) {
        let sequence = sequence(event).saturating_add(1);
        event.set("SEQUENCE", Some(&sequence.to_string()));
    }
}

/// How often the event was changed in a way that matters.
pub(crate) fn sequence(event: &Component) -> u32 {
    event.value("SEQUENCE").and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn change_task(object: &mut Object, patch: &TaskPatch, now: Timestamp, zones: &Zones) -> bool {
    let Some(main) = main_mut(&mut object.calendar, "VTODO") else { return false };
    let shown = task::read(main, &NO_TEXT, zones);
    let mut new = shown.clone();
    patch.apply(&mut new);
    let changed = task::write(main, &shown, &new, &patch.fields, zones);
    stamp(main, !changed.is_empty(), now)
}

fn change_note(object: &mut Object, patch: &NotePatch, now: Timestamp, zones: &Zones) -> bool {
    let Some(main) = main_mut(&mut object.calendar, "VJOURNAL") else { return false };
    let shown = note::read(main, &NO_TEXT, zones);
    let mut new = shown.clone();
    patch.apply(&mut new);
    let changed = note::write(main, &shown, &new, &patch.fields);
    stamp(main, !changed.is_empty(), now)
}

fn stamp(component: &mut Component, changed: bool, now: Timestamp) -> bool {
    if changed {
        for name in ["LAST-MODIFIED", "DTSTAMP"] {
            component.set(name, Some(&value::utc(now)));
        }
    }
    changed
}

/// The component that stands for the item: the one of the series, or the only one.
fn main_mut<'a>(calendar: &'a mut Component, kind: &str) -> Option<&'a mut Component> {
    let is_kind = |node: &Node| matches!(node, Node::Component(one) if one.is(kind));
    let is_main = |node: &Node| matches!(node, Node::Component(one) if one.is(kind) && one.line("RECURRENCE-ID").is_none());
    let place = calendar.nodes.iter().position(is_main);
    let place = place.or_else(|| calendar.nodes.iter().position(is_kind))?;
    match calendar.nodes.get_mut(place)? {
        Node::Component(component) => Some(component),
        Node::Line(_) => None,
    }
}

/// The zones that the calendar's items name.
fn tzids(calendar: &Component) -> BTreeSet<String> {
    let items = calendar.components().filter(|one| !one.is("VTIMEZONE"));
    let lines = items.flat_map(Component::lines);
    lines.filter_map(|line| line.parameter("TZID").map(str::to_owned)).collect()
}

/// Defines the zones that are named and were not before (RFC 5545 §3.2.19).
fn add_zones(calendar: &mut Component, known: &BTreeSet<String>) {
    for tzid in tzids(calendar) {
        let defined = calendar
            .components()
            .any(|one| one.is("VTIMEZONE") && one.value("TZID") == Some(tzid.as_str()));
        if defined || known.contains(&tzid) {
            continue;
        }
        let Some(zone) = Zone::from_tzid(&tzid) else { continue };
        let starts = calendar.components().filter_map(|one| one.line("DTSTART"));
        let starts = starts.filter_map(|line| Some(value::DateTime::parse(line.value())?.local));
        let from = starts.min().unwrap_or_default();
        let place = calendar.nodes.iter().position(|node| matches!(node, Node::Component(_)));
        let place = place.unwrap_or(calendar.nodes.len());
        let definition = timezone::write(&tzid, &zone, from);
        calendar.nodes.insert(place, Node::Component(definition));
    }
}
