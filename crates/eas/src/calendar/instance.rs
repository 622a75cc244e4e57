//! One instance of a series, as phones of 16.0 and later change it: by the `InstanceId` beside the
//! series' `ServerId` (MS-ASAIRS 2.2.2.25).

use super::time::Round;
use super::{Context, patch, time};
use crate::date;
use crate::error::{Error, Result};
use crate::ghosting::{Ghosting, Writing};
use crate::version::ProtocolVersion;
use dme_model::{
    Event, InstanceChange, Irregular, Item, ItemEdit, LocalTime, MailKind, Timestamp, ZoneId,
};
use dme_wbxml::{Element, pages::air_sync_base};
use dme_zone::Zone;

/// What a phone changes of one instance of a series; the series as it is now must be known.
///
/// # Errors
/// Where the instance is not named by a moment, or an element does not hold what it must.
pub fn instance_from_elements(
    instance_id: &str,
    data: &[Element],
    version: ProtocolVersion,
    series: &Event,
    context: &Context<'_>,
) -> Result<ItemEdit> {
    let original = known_as(read(instance_id)?, series, context.home);
    let present = present(series, original);
    // From 16.0 on nothing that is left out is deleted.
    let writing = Writing::Change { ghosting: &Ghosting::default(), present: Some(&present) };
    let patch = patch::patch_from_elements(data, version, writing, context)?;
    Ok(ItemEdit::Instance { original, patch: Box::new(patch) })
}

/// One instance of a series is taken out; the series as it is now where it is known.
///
/// # Errors
/// Where the instance is not named by a moment.
pub fn drop_instance(instance_id: &str, series: Option<&Event>, home: &Zone) -> Result<ItemEdit> {
    let moment = read(instance_id)?;
    let original = series.map_or(moment, |series| known_as(moment, series, home));
    Ok(ItemEdit::DropInstance { original })
}

/// The `InstanceId` of the instance that begins then by the rule.
pub fn instance_id(original: Timestamp) -> String {
    date::format_compact(original)
}

/// The moment by which backends know an instance, from the one by which a phone of this version does
/// (MeetingResponse's `InstanceId`, MS-ASCMD 2.2.3.87.2): of whole days, midnight in UTC rather than
/// on the user's clock; of a series without a time zone, what that clock shows, taken for UTC. `of`
/// is what is answered: the series, or the mail that asks to it, which tells the same times.
pub fn original(moment: Timestamp, of: &Item, version: ProtocolVersion, home: &Zone) -> Timestamp {
    let (zone, all_day) = match of {
        Item::Event(series) => (series.zone.as_ref(), series.all_day),
        Item::Mail(mail) => match &mail.kind {
            MailKind::Meeting(asked) => (asked.zone.as_ref(), asked.all_day),
            _ => return moment,
        },
        _ => return moment,
    };
    match all_day {
        true => time::day(moment, home, version, Round::Down).as_utc(),
        false => known_by(moment, zone, home),
    }
}

fn read(instance_id: &str) -> Result<Timestamp> {
    let wrong = Error::Value { element: air_sync_base::INSTANCE_ID, expected: "a date and time" };
    date::parse(instance_id).ok_or(wrong)
}

/// The same of a phone of 16.0 or later, which names days as backends do.
fn known_as(moment: Timestamp, series: &Event, home: &Zone) -> Timestamp {
    match series.all_day {
        true => moment,
        false => known_by(moment, series.zone.as_ref(), home),
    }
}

/// The moment by which backends know an instance of times, from the one at which it is. A series
/// without a time zone is on the user's clock, which they do not know.
fn known_by(moment: Timestamp, zone: Option<&ZoneId>, home: &Zone) -> Timestamp {
    match zone {
        None => home.to_local(moment).as_utc(),
        Some(_) => moment,
    }
}

/// The instance as it is now, by the moment by which backends know it.
fn present(series: &Event, original: Timestamp) -> Event {
    let original = match series.zone.as_ref().and_then(Zone::of).filter(|_| !series.all_day) {
        Some(zone) => zone.to_local(original),
        None => LocalTime::from_seconds(original.as_seconds()),
    };
    let mut event = by_rule(series, original);
    let exception = series.exceptions.iter().find(|exception| exception.original == original);
    match exception.map(|exception| &exception.change) {
        Some(InstanceChange::Changed(patch)) => patch.apply(&mut event),
        Some(InstanceChange::Deleted) => {}
        None => {
            if let Some(patch) = series.irregular.change_at(original) {
                patch.apply(&mut event);
            }
        }
    }
    event
}

/// The instance as the rule makes it.
pub(super) fn by_rule(series: &Event, original: LocalTime) -> Event {
    let length = series.end.as_seconds().saturating_sub(series.start.as_seconds());
    Event {
        start: original,
        end: original.plus_seconds(length),
        recurrence: None,
        exceptions: vec![],
        irregular: Irregular::default(),
        ..series.clone()
    }
}
