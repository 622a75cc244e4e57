//! When an event is: begin, end and zone on the wire, and the clock readings they stand for.

use super::Context;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::version::ProtocolVersion;
use base64::{Engine, engine::general_purpose::STANDARD};
use dme_model::{Event, LocalTime, Timestamp, ZoneId};
use dme_wbxml::{Content, Element, pages::calendar as page};
use dme_zone::Zone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// On the average.
const YEAR: i64 = 31_556_952;

/// How long an event is whose end is not told (MS-ASCAL 3.2.4.4).
const DEFAULT_LENGTH: i64 = 30 * MINUTE;

/// By so much a phone may be off midnight: its clocks changed on another day than the zone's.
const OFF_MIDNIGHT: i64 = 3 * HOUR;

/// The clock on which an event is: its own zone, or the user's for one that names none.
pub(crate) fn clock(zone: Option<&ZoneId>, home: &Zone) -> Zone {
    zone.and_then(Zone::of).unwrap_or_else(|| home.clone())
}

/// The moment that stands for a clock reading. From 16.0 on a day alone is told as its midnight in
/// UTC.
pub(crate) fn to_wire(
    time: LocalTime,
    all_day: bool,
    clock: &Zone,
    version: ProtocolVersion,
) -> Timestamp {
    match all_day && version >= ProtocolVersion::V16_0 {
        true => time.as_utc(),
        false => clock.to_utc(time),
    }
}

/// The zone of an event as the wire has it: the rules of one year. They depend on when it begins, and
/// on whether it does so again.
pub(crate) fn blob(start: LocalTime, recurs: bool, clock: &Zone, now: Timestamp) -> String {
    STANDARD.encode(clock.to_blob(rules_at(start, recurs, clock, now)))
}

/// When the rules hold that are told: those of its begin. A series that began under others than hold
/// now is told with the present ones, unless by these it would have begun at another hour.
fn rules_at(start: LocalTime, recurs: bool, clock: &Zone, now: Timestamp) -> Timestamp {
    let start = clock.to_utc(start);
    let age = now.as_seconds().saturating_sub(start.as_seconds());
    if !recurs || age < YEAR {
        return start;
    }
    let years = age / YEAR + 1;
    let anniversary = Timestamp::from_seconds(start.as_seconds().saturating_add(years * YEAR));
    match clock.offset_at(anniversary) == clock.offset_at(start) {
        true => now,
        false => start,
    }
}

/// What a phone told of an event's time.
#[derive(Default)]
pub(super) struct Told {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub all_day: Option<bool>,
    /// The zone; none where it is empty or says nothing, being all zeros.
    pub blob: Option<Vec<u8>>,
}

/// When an event is, and on what clock that was read.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub start: LocalTime,
    pub end: LocalTime,
    pub zone: Option<ZoneId>,
    pub all_day: bool,
    /// The clock its moments on the wire are of.
    pub clock: Zone,
}

impl Times {
    /// Those of an event.
    pub fn of(event: &Event, home: &Zone) -> Self {
        Self {
            start: event.start,
            end: event.end,
            zone: event.zone.clone(),
            all_day: event.all_day,
            clock: clock(event.zone.as_ref(), home),
        }
    }

    /// Puts them into an event.
    pub fn put(&self, event: &mut Event) {
        (event.start, event.end) = (self.start, self.end);
        event.zone.clone_from(&self.zone);
        event.all_day = self.all_day;
    }
}

impl Told {
    /// Takes in what an element tells; false where it tells nothing of the time.
    pub fn take(&mut self, element: &Element) -> Result<bool> {
        match element.tag {
            page::START_TIME => self.start = moment(element)?,
            page::END_TIME => self.end = moment(element)?,
            page::ALL_DAY_EVENT => self.all_day = Some(element.boolean_value()?),
            page::TIMEZONE => self.blob = read_blob(element)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether anything was told.
    pub fn is_something(&self) -> bool {
        self.start.is_some() || self.end.is_some() || self.all_day.is_some() || self.blob.is_some()
    }

    /// The times meant, where the event has been `present` at others.
    ///
    /// # Errors
    /// Where it ends before it begins, or has ended and no begin is told.
    pub fn resolve(
        &self,
        present: Option<&Times>,
        version: ProtocolVersion,
        context: &Context<'_>,
    ) -> Result<Times> {
        let all_day = self.all_day.or(present.map(|present| present.all_day)).unwrap_or(false);
        let clock = self.clock(present, context);
        let (start, end) = self.moments(present, all_day, version, context)?;
        if end < start {
            return Err(Error::Conflict(page::START_TIME, page::END_TIME));
        }
        if !all_day {
            // A floating time stays one as long as it is on the user's clock.
            let floating = present
                .is_some_and(|present| present.zone.is_none() && !present.all_day)
                && clock.id() == context.home.id();
            let zone = (!floating).then(|| clock.id().clone());
            let (start, end) = (clock.to_local(start), clock.to_local(end));
            return Ok(Times { start, end: end.max(start), zone, all_day, clock });
        }
        let start = day(start, &clock, version, Round::Down);
        let end = day(end, &clock, version, Round::Up).max(start.plus_seconds(DAY));
        Ok(Times { start, end, zone: None, all_day, clock })
    }

    fn clock(&self, present: Option<&Times>, context: &Context<'_>) -> Zone {
        let own = present.and_then(|present| present.zone.clone());
        if let Some(blob) = &self.blob {
            let prefer: Vec<_> = own.iter().chain([context.home.id()]).cloned().collect();
            // The rules are those of the begin or, of an old series, those that hold now.
            let start = self.start.or(self.end).unwrap_or(context.now);
            let read = |at| Zone::from_blob(blob, &prefer, at);
            let preferred = |zone: &Zone| prefer.contains(zone.id());
            let zone = read(start);
            let present = || read(context.now).filter(preferred);
            if let Some(zone) = zone.clone().filter(preferred).or_else(present).or(zone) {
                return zone;
            }
        }
        clock(own.as_ref(), context.home)
    }

    /// Begin and end; what is not told stays or has its default.
    fn moments(
        &self,
        present: Option<&Times>,
        all_day: bool,
        version: ProtocolVersion,
        context: &Context<'_>,
    ) -> Result<(Timestamp, Timestamp)> {
        let wire = |time, of: &Times| to_wire(time, of.all_day, &of.clock, version);
        let before = present.map(|of| (wire(of.start, of), wire(of.end, of)));
        let length = match before {
            Some((start, end)) => end.as_seconds().saturating_sub(start.as_seconds()),
            None if all_day => DAY,
            None => DEFAULT_LENGTH,
        };
        let later =
            |moment: Timestamp, by| Timestamp::from_seconds(moment.as_seconds().saturating_add(by));
        let this_half_hour =
            later(context.now, -context.now.as_seconds().rem_euclid(DEFAULT_LENGTH));
        Ok(match (self.start, self.end, before) {
            (Some(start), Some(end), _) => (start, end),
            (Some(start), None, Some((_, end))) if end > start => (start, end),
            (Some(start), None, _) => (start, later(start, length)),
            (None, Some(end), Some((start, _))) => (start, end),
            (None, Some(end), None) if end > context.now => (this_half_hour, end),
            (None, Some(_), None) => {
                let parent = dme_wbxml::pages::air_sync::APPLICATION_DATA;
                return Err(Error::Missing { parent, element: page::START_TIME });
            }
            (None, None, Some(before)) => before,
            (None, None, None) => (this_half_hour, later(this_half_hour, length)),
        })
    }
}

/// Which midnight a moment within a day belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    Down,
    Up,
}

/// The midnight that a moment stands for, as a clock reading. Phones are off it where their clock
/// is not the one they tell.
pub(super) fn day(
    moment: Timestamp,
    clock: &Zone,
    version: ProtocolVersion,
    round: Round,
) -> LocalTime {
    let of_utc = LocalTime::from_seconds(moment.as_seconds());
    let local = clock.to_local(moment);
    let is_midnight = |time: LocalTime| time == LocalTime::from_days(time.as_days());
    if version >= ProtocolVersion::V16_0 && is_midnight(of_utc) {
        return of_utc;
    }
    match (is_midnight(local), is_midnight(of_utc)) {
        (true, _) => local,
        (false, true) => of_utc,
        (false, false) => {
            let shift = match round {
                Round::Down => OFF_MIDNIGHT,
                Round::Up => DAY - OFF_MIDNIGHT,
            };
            LocalTime::from_days(local.plus_seconds(shift).as_days())
        }
    }
}

/// None where it is empty.
pub(super) fn moment(element: &Element) -> Result<Option<Timestamp>> {
    match element.text_value()?.trim() {
        "" => Ok(None),
        _ => element.moment_value().map(Some),
    }
}

fn read_blob(element: &Element) -> Result<Option<Vec<u8>>> {
    let blob = match &element.content {
        Content::Opaque(bytes) => bytes.to_vec(),
        _ => {
            let text: String = element.text_value()?.split_ascii_whitespace().collect();
            STANDARD.decode(text).map_err(|_| Error::Value {
                element: page::TIMEZONE,
                expected: "a time zone in base64",
            })?
        }
    };
    Ok(Some(blob).filter(|blob| blob.iter().any(|byte| *byte != 0)))
}
