//! When an event takes its owner's time.

use super::clock::{Clock, When, Zones};
use super::event::{self, Reading, Times};
use super::exceptions::NO_TEXT;
use super::object::{Component, Object};
use super::people::Owner;
use super::series::{self, Beat, Series};
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
    for component in &series.overrides {
        elsewhere.extend(series::original(component, &beat, &reading));
        if let Ok(times) = Times::of(component, &zones) {
            out.push(&Claim::of(component, &times, owner), &times.start.clock, times.start.local);
        }
    }
    let clock = out.clock(&times.start.clock);
    let claim = Claim::of(series.main, &times, owner);
    let length = claim.length;
    // Of a day around, because a clock's day is not UTC's.
    let first = clock.to_local(from).plus_seconds(-length.max(0));
    let last = clock.to_local(to);
    let start = times.start.local;
    let starts: Vec<LocalTime> = match event::recurrence(series.main, &times.start) {
        None => vec![start],
        Some(rule) => recurrence::instances_from(start, &rule, first)
            .take_while(|start| *start <= last)
            .take(MAX_BUSY)
            .collect(),
    };
    let added = series.main.all("RDATE").flat_map(|line| zones.list(line));
    let added: Vec<LocalTime> = added.map(|date: When| beat.original(&date)).collect();
    for start in starts.into_iter().chain(added) {
        if elsewhere.insert(start) {
            out.push(&claim, &times.start.clock, start);
        }
    }
    out.periods.sort_by_key(|period| (period.start, period.end));
    Ok(out.periods)
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
