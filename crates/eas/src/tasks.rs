//! Tasks as they stand in `ApplicationData` (MS-ASTASK).
//!
//! The server tells a task with [`to_elements`] and reads what a phone writes with
//! [`patch_from_elements`]; a phone reads with [`from_elements`] and writes with
//! [`patch_to_elements`].
//!
//! Begin and due date stand there twice: as the user's clock shows them (`StartDate`, `DueDate`),
//! and as the moment at which it does (`UtcStartDate`, `UtcDueDate`). The first is what is meant.

use crate::body::{put_native, read_native, read_text, text_element};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::ghosting::{Writing, keep_text, patch, whole_text};
use crate::line::one_line;
use crate::recurrence::{self, OF_TASKS};
use crate::sensitivity::{importance_code, privacy_code, read_importance, read_privacy};
use crate::version::ProtocolVersion;
use crate::{categories, date};
use dme_model::{LocalTime, Regeneration, Task, TaskField, TaskPatch, Timestamp};
use dme_wbxml::{Element, Tag, pages::air_sync_base, pages::tasks as page};
use dme_zone::Zone;

/// The elements of a task for this version, in the documents' order. `home` is the user's clock,
/// on which a task is that names none.
pub fn to_elements(task: &Task, version: ProtocolVersion, home: &Zone) -> Vec<Element> {
    let mut children = Vec::with_capacity(16);
    children.put(page::SUBJECT, one_line(&task.title));
    children.put_number(page::IMPORTANCE, importance_code(task.importance));
    for (utc, local, time) in [
        (page::UTC_START_DATE, page::START_DATE, task.start),
        (page::UTC_DUE_DATE, page::DUE_DATE, task.due),
    ] {
        if let Some(time) = time.map(|time| at_home(task, time, home)) {
            children.put(utc, date::format(home.to_utc(time)));
            children.put(local, date::format(time.as_utc()));
        }
    }
    categories::put(&mut children, page::CATEGORIES, page::CATEGORY, &task.categories);
    children.extend(recurrence_element(task, version));
    children.put_boolean(page::COMPLETE, task.complete);
    children.put_some(page::DATE_COMPLETED, task.completed.map(date::format));
    children.put_number(page::SENSITIVITY, privacy_code(task.privacy));
    children.put_boolean(page::REMINDER_SET, task.reminder.is_some());
    children.put_some(page::REMINDER_TIME, task.reminder.map(date::format));
    if let Some(ordinal) = task.ordinal {
        children.put(page::ORDINAL_DATE, date::format(ordinal));
        children.put_some(page::SUB_ORDINAL_DATE, task.sub_ordinal.as_deref());
    }
    children.extend(task.text.as_ref().map(text_element));
    put_native(&mut children, task.native);
    children
}

/// What the user's clock shows when the task's own shows this; a day is the same day everywhere.
fn at_home(task: &Task, time: LocalTime, home: &Zone) -> LocalTime {
    match task.zone.as_ref().and_then(Zone::of) {
        Some(zone) if !task.whole_days => home.to_local(zone.to_utc(time)),
        _ => time,
    }
}

/// `Recurrence` with `Start` after `Type`; none for a task without a day to count from.
fn recurrence_element(task: &Task, version: ProtocolVersion) -> Option<Element> {
    let start = task.start.or(task.due)?;
    let until = |last| date::format(recurrence::last_begin(last, start).as_utc());
    let rule = task.recurrence.as_ref()?;
    let mut children = recurrence::children(&OF_TASKS, rule, start, version, until)?;
    let after = children.len().min(1);
    children.insert(after, Element::text(page::START, date::format(start.as_utc())));
    let Regeneration { regenerate, dead } = task.regeneration;
    if regenerate {
        children.put_boolean(page::REGENERATE, true);
    }
    if dead {
        children.put_boolean(page::DEAD_OCCUR, true);
    }
    Some(Element::parent(page::RECURRENCE, children))
}

/// Reads a task as the other side wrote it; `home` is the user's clock, which its days are on.
///
/// # Errors
/// Where an element does not hold what it must, the task is due before it begins, or it shall
/// remind without a time to do so.
pub fn from_elements(data: &[Element], home: &Zone) -> Result<Task> {
    let mut task = Task::default();
    let (mut remind, mut remind_at) = (None, None);
    let (mut utc_start, mut utc_due, mut first) = (None, None, None);
    for element in data {
        match element.tag {
            page::SUBJECT => task.title = one_line(element.text_value()?),
            page::IMPORTANCE => task.importance = read_importance(element)?,
            page::SENSITIVITY => task.privacy = read_privacy(element)?,
            page::START_DATE => task.start = moment(element)?.map(clock_reading),
            page::DUE_DATE => task.due = moment(element)?.map(clock_reading),
            page::UTC_START_DATE => utc_start = moment(element)?,
            page::UTC_DUE_DATE => utc_due = moment(element)?,
            page::COMPLETE => task.complete = element.boolean_value()?,
            page::DATE_COMPLETED => task.completed = moment(element)?,
            page::CATEGORIES => task.categories = categories::read(element, page::CATEGORY)?,
            page::RECURRENCE => {
                read_recurrence(element, &mut task)?;
                first = element.child(page::START).map(moment).transpose()?.flatten();
            }
            page::REMINDER_SET => remind = Some(element.boolean_value()?),
            page::REMINDER_TIME => remind_at = moment(element)?,
            page::ORDINAL_DATE => task.ordinal = moment(element)?,
            page::SUB_ORDINAL_DATE => {
                let text = element.text_value()?.trim();
                task.sub_ordinal = (!text.is_empty()).then(|| one_line(text));
            }
            air_sync_base::BODY => task.text = read_text(element)?,
            air_sync_base::NATIVE_BODY_TYPE => task.native = read_native(element)?,
            _ => {}
        }
    }
    task.start = task.start.or(utc_start.map(|moment| home.to_local(moment)));
    task.due = task.due.or(utc_due.map(|moment| home.to_local(moment)));
    if task.start.or(task.due).is_none() {
        task.start = first.map(clock_reading);
    }
    if task.start.zip(task.due).is_some_and(|(start, due)| due < start) {
        return Err(Error::Conflict(page::START_DATE, page::DUE_DATE));
    }
    task.whole_days = task.start.iter().chain(&task.due).all(|time| is_midnight(*time));
    task.zone = (!task.whole_days).then(|| home.id().clone());
    task.completed = task.completed.filter(|_| task.complete);
    task.reminder = remind_at.filter(|_| remind != Some(false));
    if remind == Some(true) && task.reminder.is_none() {
        let parent = dme_wbxml::pages::air_sync::APPLICATION_DATA;
        return Err(Error::Missing { parent, element: page::REMINDER_TIME });
    }
    if task.native.is_none() {
        task.native = task.text.as_ref().map(|text| text.kind);
    }
    Ok(task)
}

fn read_recurrence(element: &Element, task: &mut Task) -> Result<()> {
    let until = |last: &Element| last.moment_value().map(clock_reading);
    task.recurrence = recurrence::read(&OF_TASKS, element, until)?;
    task.regeneration = Regeneration {
        regenerate: element.boolean_of(page::REGENERATE)?.unwrap_or(false),
        dead: element.boolean_of(page::DEAD_OCCUR)?.unwrap_or(false),
    };
    Ok(())
}

/// What a phone writes of a task. Left out of a change, dates, categories, rule and reminder are
/// deleted; all else stays. A task that is done without a time was done `now`.
///
/// # Errors
/// As [`from_elements`].
pub fn patch_from_elements(
    data: &[Element],
    version: ProtocolVersion,
    writing: Writing<'_, Task>,
    home: &Zone,
    now: Timestamp,
) -> Result<TaskPatch> {
    let mut value = from_elements(data, home)?;
    whole_text(&mut value.text, &mut value.native);
    if value.complete {
        value.completed = value.completed.or(Some(now));
    }
    if matches!(writing, Writing::Add) {
        return Ok(TaskPatch::whole(value));
    }
    let told = writing.present().map(|task| from_elements(&to_elements(task, version, home), home));
    let mut told = told.transpose()?;
    if let Some((told, present)) = told.as_mut().zip(writing.present()) {
        keep_text((&mut value.text, &mut value.native), (&told.text, told.native));
        let rule = present.recurrence.as_ref();
        recurrence::keep_first_day(&mut value.recurrence, &mut told.recurrence, rule);
    }
    let named = data.iter().filter_map(|element| field_of(element.tag));
    let mut patch = patch(named.chain(DELETABLE), &value, told.as_ref());
    if [TaskField::Start, TaskField::Due].iter().any(|field| patch.fields.contains(field)) {
        // A clock means nothing without its readings, nor they without it.
        for field in [TaskField::Start, TaskField::Due, TaskField::Clock] {
            patch.set(field, &value);
        }
    }
    Ok(patch)
}

/// What is deleted when a change leaves it out.
const DELETABLE: [TaskField; 5] = [
    TaskField::Start,
    TaskField::Due,
    TaskField::Categories,
    TaskField::Recurrence,
    TaskField::Reminder,
];

/// What a phone of this version says to bring about a patch.
pub fn patch_to_elements(patch: &TaskPatch, version: ProtocolVersion, home: &Zone) -> Vec<Element> {
    let mut children = to_elements(&patch.value, version, home);
    let named = |tag| field_of(tag).is_some_and(|field| patch.fields.contains(&field));
    children.retain(|element| named(element.tag));
    if patch.fields.contains(&TaskField::Text) && patch.value.text.is_none() {
        children.push(Element::empty(air_sync_base::BODY));
    }
    children
}

fn field_of(tag: Tag) -> Option<TaskField> {
    Some(match tag {
        page::SUBJECT => TaskField::Title,
        page::IMPORTANCE => TaskField::Importance,
        page::SENSITIVITY => TaskField::Privacy,
        page::START_DATE | page::UTC_START_DATE => TaskField::Start,
        page::DUE_DATE | page::UTC_DUE_DATE => TaskField::Due,
        page::COMPLETE | page::DATE_COMPLETED => TaskField::Complete,
        page::CATEGORIES => TaskField::Categories,
        page::RECURRENCE => TaskField::Recurrence,
        page::REMINDER_SET | page::REMINDER_TIME => TaskField::Reminder,
        page::ORDINAL_DATE | page::SUB_ORDINAL_DATE => TaskField::Ordinal,
        air_sync_base::BODY => TaskField::Text,
        _ => return None,
    })
}

/// None where the element is empty: the date is taken off.
fn moment(element: &Element) -> Result<Option<Timestamp>> {
    match element.text_value()?.trim() {
        "" => Ok(None),
        _ => element.moment_value().map(Some),
    }
}

/// What a clock shows, written as if it were a moment in UTC.
fn clock_reading(moment: Timestamp) -> LocalTime {
    LocalTime::from_seconds(moment.as_seconds())
}

fn is_midnight(time: LocalTime) -> bool {
    time == LocalTime::from_days(time.as_days())
}

#[cfg(test)]
mod tests;
