//! An edit carried out on an object, or a new object made by it.

use super::change_event::{self, Change};
use super::clock::Zones;
use super::exceptions::NO_TEXT;
use super::line::Line;
use super::object::{Component, Object};
use super::series::Series;
use super::{Applied, Kind, Writing, attachment, kind, note, task, text, timezone, value};
use crate::{Error, uid};
use dme_model::{ItemEdit, ItemPatch, Note, NotePatch, PartId, Task, TaskPatch, Timestamp};
use dme_zone::Zone;
use std::collections::BTreeSet;

pub(crate) fn apply(
    bytes: Option<&[u8]>,
    edit: &ItemEdit,
    writing: &Writing,
) -> Result<Applied, Error> {
    let mut applied = match (bytes, edit) {
        (None, ItemEdit::Patch(patch)) => create(patch, writing)?,
        (None, _) => return Err(Error::Misfit("there is no event yet")),
        (Some(bytes), edit) => change(bytes, edit, writing)?,
    };
    applied.attached = attached(edit);
    Ok(applied)
}

/// Of each file that is attached, which part it is.
fn attached(edit: &ItemEdit) -> Vec<PartId> {
    let files = match edit {
        ItemEdit::Patch(ItemPatch::Event(patch)) => &patch.value.attach,
        ItemEdit::Instance { patch, .. } => &patch.value.attach,
        _ => return Vec::new(),
    };
    files.iter().map(attachment::part_of).collect()
}

fn create(patch: &ItemPatch, writing: &Writing) -> Result<Applied, Error> {
    let mut object = Object::new();
    let calendar = &mut object.calendar;
    let (uid, name) = match patch {
        ItemPatch::Event(patch) => (&patch.value.uid, "VEVENT"),
        ItemPatch::Task(patch) => (&patch.value.uid, "VTODO"),
        ItemPatch::Note(patch) => (&patch.value.uid, "VJOURNAL"),
        ItemPatch::Contact(_) => return Err(Error::Misfit("a contact is no calendar object")),
    };
    let uid = if uid.is_empty() { uid::of(&writing.key) } else { text::one_line(uid) };
    let mut item = Component::new(name);
    item.push(Line::new("UID", text::escape(&uid)));
    for name in ["DTSTAMP", "CREATED", "LAST-MODIFIED"] {
        item.push(Line::new(name, value::utc(writing.now)));
    }
    let zones = Zones::default();
    let mut change = Change::default();
    match patch {
        ItemPatch::Event(patch) => {
            calendar.push_component(item);
            change = change_event::create(calendar, patch, writing, &zones)?;
        }
        ItemPatch::Task(patch) => {
            task::write(&mut item, &Task::default(), &patch.value, &patch.fields, &zones);
            calendar.push_component(item);
        }
        ItemPatch::Note(patch) => {
            note::write(&mut item, &Note::default(), &patch.value, &patch.fields);
            calendar.push_component(item);
        }
        ItemPatch::Contact(_) => {}
    }
    add_zones(calendar, &BTreeSet::new());
    let notices = change_event::tell(calendar, &change, writing);
    let by_server = change.is_told_by_server(writing);
    Ok(Applied { object: object.to_bytes(), uid, notices, by_server, attached: Vec::new() })
}

fn change(bytes: &[u8], edit: &ItemEdit, writing: &Writing) -> Result<Applied, Error> {
    let mut object = Object::parse(bytes)?;
    let calendar = &mut object.calendar;
    let kind = kind(calendar)?;
    let zones = Zones::of(calendar);
    let known = tzids(calendar);
    let uid = Series::find(calendar, kind.component()).and_then(|one| one.main.value("UID"));
    let uid = uid.map(text::unescape).unwrap_or_default();
    let unchanged = |uid, notices| Applied {
        object: bytes.to_vec(),
        uid,
        notices,
        by_server: false,
        attached: Vec::new(),
    };
    if kind == Kind::Event
        && let Some(notices) = change_event::told_already(calendar, writing)
    {
        return Ok(unchanged(uid, notices));
    }
    let change = match (edit, kind) {
        (ItemEdit::Patch(ItemPatch::Event(patch)), Kind::Event) => {
            change_event::change(calendar, patch, writing, &zones)?
        }
        (ItemEdit::Instance { original, patch }, Kind::Event) => {
            change_event::change_instance(calendar, *original, patch, writing, &zones)?
        }
        (ItemEdit::DropInstance { original }, Kind::Event) => {
            change_event::drop_instance(calendar, *original, writing, &zones)?
        }
        (ItemEdit::Cancel, Kind::Event) => change_event::cancel(calendar, writing, &zones)?,
        (ItemEdit::Patch(ItemPatch::Task(patch)), Kind::Task) => {
            Change::quiet(change_task(calendar, patch, writing.now, &zones))
        }
        (ItemEdit::Patch(ItemPatch::Note(patch)), Kind::Note) => {
            Change::quiet(change_note(calendar, patch, writing.now, &zones))
        }
        (ItemEdit::Cancel, _) => Change::default(),
        (ItemEdit::Patch(_), _) => return Err(Error::Misfit("it is of another class")),
        (ItemEdit::Instance { .. } | ItemEdit::DropInstance { .. }, _) => {
            return Err(Error::Misfit("only events have instances"));
        }
    };
    add_zones(calendar, &known);
    let notices = change_event::tell(calendar, &change, writing);
    if !change.any {
        return Ok(unchanged(uid, notices));
    }
    let by_server = change.is_told_by_server(writing);
    Ok(Applied { by_server, object: object.to_bytes(), uid, notices, attached: Vec::new() })
}

fn change_task(calendar: &mut Component, patch: &TaskPatch, now: Timestamp, zones: &Zones) -> bool {
    let Some(main) = main_mut(calendar, "VTODO") else { return false };
    let shown = task::read(main, &NO_TEXT, zones);
    let mut new = shown.clone();
    patch.apply(&mut new);
    let changed = task::write(main, &shown, &new, &patch.fields, zones);
    stamp(main, !changed.is_empty(), now)
}

fn change_note(calendar: &mut Component, patch: &NotePatch, now: Timestamp, zones: &Zones) -> bool {
    let Some(main) = main_mut(calendar, "VJOURNAL") else { return false };
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
pub(crate) fn main_mut<'a>(calendar: &'a mut Component, kind: &str) -> Option<&'a mut Component> {
    let is_kind = |one: &Component| one.is(kind);
    let is_main = |one: &Component| is_kind(one) && one.line("RECURRENCE-ID").is_none();
    let main = calendar.components().position(is_main);
    let at = main.or_else(|| calendar.components().position(is_kind))?;
    calendar.components_mut().nth(at)
}

/// The zones that the calendar's items name.
pub(crate) fn tzids(calendar: &Component) -> BTreeSet<String> {
    let items = calendar.components().filter(|one| !one.is("VTIMEZONE"));
    let lines = items.flat_map(Component::lines);
    lines.filter_map(|line| line.parameter("TZID").map(str::to_owned)).collect()
}

/// Defines the zones that are named and were not before (RFC 5545 §3.2.19).
pub(crate) fn add_zones(calendar: &mut Component, known: &BTreeSet<String>) {
    for tzid in tzids(calendar) {
        let defined = calendar
            .components()
            .any(|one| one.is("VTIMEZONE") && timezone::name(one).as_ref() == Some(&tzid));
        if defined || known.contains(&tzid) {
            continue;
        }
        let Some(zone) = Zone::from_tzid(&tzid) else { continue };
        let starts = calendar.components().filter_map(|one| one.line("DTSTART"));
        let starts = starts.filter_map(|line| Some(value::DateTime::parse(line.value())?.local));
        let from = starts.min().unwrap_or_default();
        calendar.push_component_first(timezone::write(&tzid, &zone, from));
    }
}
