//! When an event takes its owner's time.

use super::beat::Beat;
use super::clock::{Clock, When, Zones};
use super::event::{self, Reading, Times};
use super::exceptions::NO_TEXT;
use super::irregular;
use super::object::{Component, Object};
use super::people::Owner;
use super::series::{self, Series};
use super::value::DAY;
use super::{Kind, kind};
use crate::{Error, recurrence};
use dme_model::{BusyStatus, EventStatus, LocalTime, Participation, Timestamp, ZoneId};
use std::collections::BTreeSet;

/// How many times of one event are told at the most.
pub const MAX_BUSY: usize = 2000;

/// A time that an event takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy {
    /// Begin.
    pub start: Timestamp,
    /// End, exclusive; later than the begin.
    pub end: Timestamp,
    /// How busy; never [`BusyStatus::Free`].
    pub status: BusyStatus,
}

pub(crate) fn within(
    bytes: &[u8],
    owner: Owner<'_>,
    zone: &ZoneId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Busy>, Error> {
    let object = Object::parse(bytes)?;
    if kind(&object.calendar)? != Kind::Event {
        return Ok(Vec::new());
    }
    let zones = Zones::of(&object.calendar);
    let reading = Reading { owner, view: &NO_TEXT, zones: &zones };
    let Some(series) = Series::find(&object.calendar, "VEVENT") else { return Ok(Vec::new()) };
    let times = Times::of(series.main, &zones)?;
    let beat = Beat::of(&times);
    // Floating times and whole days are the user's own.
    let mut out = Taken { from, to, home: Clock::of(Some(zone)), periods: Vec::new() };

    let mut elsewhere: BTreeSet<LocalTime> =
        series::excluded(series.main, &beat, &reading).into_iter().collect();
    let mut onward: Vec<Onward> = Vec::new();
    for component in &series.overrides {
        let original = series::original(component, &beat, &reading);
        elsewhere.extend(original);
        let Ok(times) = Times::of(component, &zones) else { continue };
        let claim = Claim::of(component, &times, owner);
        out.push(&claim, &times.start.clock, times.start.local);
        if let Some(from) = original.filter(|_| irregular::is_onward(component)) {
            let start = times.start.on(&beat.start.clock);
            let later = start.as_seconds().saturating_sub(from.as_seconds());
            onward.push(Onward { from, later, claim });
        }
    }
    onward.sort_by_key(|onward| onward.from);
    let claim = Claim::of(series.main, &times, owner);
    // From the start of the series on it is as it says itself.
    onward.insert(0, Onward { from: times.start.local, later: 0, claim });
    let clock = &times.start.clock;
    for start in starts(&series, &times, &zones, &out, &onward) {
        if elsewhere.insert(start) {
            let of = onward.iter().rev().find(|onward| onward.from <= start);
            let Some(Onward { later, claim, .. }) = of.or(onward.first()) else { continue };
            out.push(claim, clock, start.plus_seconds(*later));
        }
    }
    out.periods.sort_by_key(|period| (period.start, period.end));
    Ok(out.periods)
}

/// Instances that were moved farther than this together are not looked for.
const FARTHEST: i64 = 366 * DAY;

/// How instances from one on take time.
struct Onward {
    /// The first, by the rule.
    from: LocalTime,
    /// By how many seconds they are later than the rule has them.
    later: i64,
    claim: Claim,
}

/// When instances begin by the rules, as far as they may take time then.
fn starts(
    series: &Series<'_>,
    times: &Times,
    zones: &Zones,
    taken: &Taken,
    onward: &[Onward],
) -> Vec<LocalTime> {
    let beat = Beat::of(times);
    let clock = taken.clock(&times.start.clock);
    // Of a day around, because a clock's day is not UTC's.
    let later = || onward.iter().map(|onward| onward.later.clamp(-FARTHEST, FARTHEST));
    let length = onward.iter().map(|onward| onward.claim.length).max().unwrap_or_default();
    let latest = later().max().unwrap_or_default().saturating_add(length.max(0));
    let first = clock.to_local(taken.from).plus_seconds(latest.max(0).saturating_neg());
    let earliest = later().min().unwrap_or_default();
    let last = clock.to_local(taken.to).plus_seconds(earliest.min(0).saturating_neg());
    let start = times.start.local;
    let rule = event::recurrence(series.main, &times.start);
    let irregular = irregular::rules(series.main, &beat);
    let mut starts = match &rule {
        None => vec![start],
        Some(rule) => {
            let all = recurrence::Series::new(start, rule, &irregular);
            let all = all.instances_from(first).take_while(|start| *start <= last);
            all.take(MAX_BUSY).collect()
        }
    };
    let dates = series.main.all("RDATE").flat_map(|line| zones.list(line));
    let dates = dates.map(|date: When| beat.original(&date)).filter(|date| {
        !irregular.excluded.iter().any(|rule| recurrence::is_by_rule(start, rule, *date))
    });
    starts.extend(dates);
    starts
}

/// What of a component tells whether it takes time, and how much.
struct Claim {
    /// None where it takes none.
    status: Option<BusyStatus>,
    /// In seconds on the clock.
    length: i64,
}

impl Claim {
    fn of(component: &Component, times: &Times, owner: Owner<'_>) -> Self {
        let participation = event::participation(component, owner);
        let busy = event::busy(component, participation);
        let absent = participation == Participation::Declined;
        let free = busy == BusyStatus::Free || event::status(component) == EventStatus::Cancelled;
        let length = times.end.as_seconds() - times.start.local.as_seconds();
        Self { status: (!absent && !free).then_some(busy), length }
    }
}

/// What was found so far.
struct Taken {
    from: Timestamp,
    to: Timestamp,
    home: Clock,
    periods: Vec<Busy>,
}

impl Taken {
    fn clock<'a>(&'a self, clock: &'a Clock) -> &'a Clock {
        if *clock == Clock::Floating { &self.home } else { clock }
    }

    /// Takes an instance in, if it is one that takes time then.
    fn push(&mut self, claim: &Claim, clock: &Clock, start: LocalTime) {
        let Claim { status: Some(status), length } = *claim else { return };
        if length <= 0 || self.periods.len() >= MAX_BUSY {
            return;
        }
        let clock = self.clock(clock);
        let (start, end) = (clock.to_utc(start), clock.to_utc(start.plus_seconds(length)));
        if start < self.to && end > self.from && start < end {
            self.periods.push(Busy { start, end, status });
        }
    }
}
