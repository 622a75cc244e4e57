//! Exceptions of a series whose time or rule changes.

use super::Editing;
use crate::calendar::beat::Beat;
use crate::calendar::clock::{self, When};
use crate::calendar::event::{self, Reading, Times};
use crate::calendar::event_fields as fields;
use crate::calendar::irregular;
use crate::calendar::series;
use crate::calendar::value::DAY;
use crate::recurrence;
use dme_model::{Event, EventField, LocalTime};
use std::collections::BTreeSet;

impl Editing<'_, '_> {
    /// Moves the exceptions of a series whose time or rule changed with it: to the same day at the
    /// new time, else by as much as the start moved. `was` is how it counted before. Exceptions of
    /// instances that there are no more go.
    pub(crate) fn realign(&mut self, was: &Beat) {
        let moved = self.event.start.as_seconds() - was.start.local.as_seconds();
        self.move_dates(was);
        self.read_anew();
        let (rule, start) = (self.told_rule().cloned(), self.event.start);
        let irregular = self.event.irregular.clone();
        let series = rule.as_ref().map(|rule| recurrence::Series::new(start, rule, &irregular));
        let is_instance = |at: LocalTime| series.is_none_or(|series| series.has(at));
        let now = std::mem::replace(&mut self.beat, was.clone());
        let map = |original: LocalTime| {
            if was.is_odd(original) {
                // The date is there, whether or not it is told.
                return Some(now.original(&now.when(was.begin(original).plus_seconds(moved))));
            }
            let same_day = now.on_day_of(original);
            [same_day, original.plus_seconds(moved)].into_iter().find(|at| is_instance(*at))
        };
        // What holds for all later instances begins with the next there is.
        let map_onward = |original: LocalTime| {
            let from = original.plus_seconds(moved);
            map(original).or_else(|| series?.instances_from(from).next())
        };
        let mut places = self.overrides();
        // From the last one on, so that the places before stay what they are.
        places.reverse();
        for (at, original) in places {
            let mapped = match self.component(at).is_some_and(irregular::is_onward) {
                true => map_onward(original),
                false => map(original),
            };
            match mapped {
                None => {
                    self.calendar.nodes.remove(at);
                }
                Some(new) => self.move_override(at, original, new, &now),
            }
        }
        let excluded = {
            let main = self.main();
            main.map(|main| series::excluded(main, was, &self.reading)).unwrap_or_default()
        };
        let mapped: Vec<LocalTime> = excluded.iter().filter_map(|one| map(*one)).collect();
        self.beat = now;
        if self.beat.start.clock == was.start.clock
            && mapped == excluded
            && self.beat.all_day == was.all_day
        {
            return;
        }
        if let Some(main) = self.main_mut() {
            main.remove("EXDATE");
        }
        for original in mapped {
            self.exclude(original);
        }
    }

    /// Reads the series as its lines are now.
    fn read_anew(&mut self) {
        let Reading { owner, zones, .. } = self.reading;
        // It began before its dates were moved, and does so still.
        let Ok(Editing { event, last_end, beat, is_part, .. }) =
            Editing::of(self.calendar, owner, zones)
        else {
            return;
        };
        (self.event, self.last_end, self.beat, self.is_part) = (event, last_end, beat, is_part);
    }

    /// Moves the dates added to a series by as much as its start moved. What periods there were
    /// become dates: they last as long as the event does.
    fn move_dates(&mut self, was: &Beat) {
        let (beat, zones) = (self.beat.clone(), self.reading.zones);
        let moved = beat.start.local.as_seconds() - was.start.local.as_seconds();
        if moved == 0 && beat.start.clock == was.start.clock && beat.all_day == was.all_day {
            return;
        }
        let Some(main) = self.main_mut() else { return };
        let start = main.line("DTSTART").cloned();
        let tzid = fields::tzid(&beat.start.clock, start.as_ref(), zones);
        for line in main.lines_mut().filter(|line| line.is("RDATE")) {
            let dates = zones.list(line);
            let dates: Vec<When> =
                dates.iter().map(|date| beat.when(was.local(date).plus_seconds(moved))).collect();
            if let Some(first) = dates.first() {
                let texts: Vec<String> = dates.iter().map(clock::text).collect();
                *line = clock::line("RDATE", None, first, tzid.as_deref());
                line.set_value(texts.join(","));
            }
        }
    }

    /// Tells which instance a component overrides by the new beat; one that was not moved goes with
    /// the series.
    fn move_override(&mut self, at: usize, original: LocalTime, new: LocalTime, now: &Beat) {
        let (zones, was) = (self.reading.zones, self.beat.clone());
        let length = self.event.end.as_seconds() - self.event.start.as_seconds();
        let start = self.main().and_then(|main| main.line("DTSTART").cloned());
        let id = now.id(new);
        let tzid = fields::tzid(&id.clock, start.as_ref(), zones);
        let reading = self.reading;
        let series = self.event.clone();
        let Some(component) = self.component_mut(at) else { return };
        let unmoved = Times::of(component, zones).is_ok_and(|times| {
            times.start.on(&was.start.clock) == was.begin(original) && times.all_day == was.all_day
        });
        if id != was.id(original) {
            let old = component.line("RECURRENCE-ID").cloned();
            component.replace(clock::line("RECURRENCE-ID", old.as_ref(), &id, tzid.as_deref()));
        }
        // What was moved by hand stays there; where it holds for later instances too and begins with
        // another day's, they are moved by as much as before.
        let days = (new.as_days() - original.as_days()) * DAY;
        if !unmoved && (days == 0 || !irregular::is_onward(component)) {
            return;
        }
        if let Ok(shown) = event::read(component, &reading) {
            let moved = match unmoved {
                true => Event {
                    start: now.begin(new),
                    end: now.begin(new).plus_seconds(length),
                    zone: series.zone,
                    all_day: series.all_day,
                    ..shown.clone()
                },
                false => Event {
                    start: shown.start.plus_seconds(days),
                    end: shown.end.plus_seconds(days),
                    ..shown.clone()
                },
            };
            let time = BTreeSet::from([EventField::Time]);
            fields::write(component, &shown, &moved, &time, reading.owner, zones);
        }
    }
}
