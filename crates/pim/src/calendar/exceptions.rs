//! The exceptions of a series, written: `EXDATE`s, and components that override an instance.

use super::beat::Beat;
use super::clock::{self, Zones};
use super::event::{self, Reading, Times};
use super::event_fields as fields;
use super::irregular;
use super::object::{Component, Node};
use super::people::Owner;
use super::series::{self, Series};
use super::summary::LastEnd;
use crate::{Error, recurrence};
use dme_model::{
    BodyView, Event, EventField, EventPatch, Exception, Fields, InstanceChange, LocalTime,
    MimeSupport, Recurrence, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

mod onward;
mod realign;

use onward::single;

/// A calendar whose series is changed.
pub(crate) struct Editing<'a, 'r> {
    pub(crate) calendar: &'a mut Component,
    pub(crate) reading: Reading<'r>,
    /// The series as it is now.
    pub(crate) event: Event,
    /// When its last instance is over; none where nobody can tell.
    pub(crate) last_end: Option<LastEnd>,
    pub(crate) beat: Beat,
    /// Whether there are instances that its rule does not have.
    pub(crate) is_part: bool,
}

/// Texts are compared where they are written.
pub(crate) static NO_TEXT: BodyView =
    BodyView { preferences: Vec::new(), mime: MimeSupport::Never, part_preference: None };

/// What no override takes over from its series: what makes it one, and what was done to it and to other
/// instances.
const OF_THE_SERIES: [&str; 7] =
    ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", super::ACT, super::ANSWER];

impl<'a, 'r> Editing<'a, 'r> {
    /// # Errors
    /// [`Error::Unconvertible`] where there is no event, or none that begins.
    pub(crate) fn of(
        calendar: &'a mut Component,
        owner: Owner<'r>,
        zones: &'r Zones,
    ) -> Result<Self, Error> {
        let reading = Reading { owner, view: &NO_TEXT, zones };
        let series = Series::find(calendar, "VEVENT");
        let series = series.ok_or(Error::Unconvertible("there is no event in it"))?;
        let series::Read { event, last_end, beat } = series::read(&series, &reading)?;
        let is_part = series::is_part(series.main, &Times::of(series.main, zones)?);
        Ok(Self { calendar, reading, event, last_end, beat, is_part })
    }
}

impl Editing<'_, '_> {
    /// Makes the exceptions these; says whether anything had to be done for that. `shown` are those
    /// there are.
    pub(crate) fn set(&mut self, shown: &[Exception], new: &[Exception]) -> bool {
        let by_original = |list: &[Exception]| -> BTreeMap<LocalTime, InstanceChange> {
            let original = |one: &Exception| self.beat.original(&self.beat.id(one.original));
            list.iter().map(|one| (original(one), one.change.clone())).collect()
        };
        let (shown, new) = (by_original(shown), by_original(new));
        let mut changed = false;
        for (original, before) in &shown {
            if !new.contains_key(original) {
                changed |= match before {
                    InstanceChange::Deleted => self.include(*original),
                    // Told or not, what holds of later instances is not said anew by a list.
                    InstanceChange::Changed(_) if self.is_onward(*original) => false,
                    InstanceChange::Changed(_) => self.remove_override(*original),
                };
            }
        }
        for (original, change) in &new {
            // What is told of an instance where it is told of all from some other on.
            let onward = self.event.irregular.change_at(*original);
            let onward = onward.map(|patch| InstanceChange::Changed(Box::new(patch)));
            let known = shown.get(original).or(onward.as_ref());
            changed |= match change {
                InstanceChange::Deleted if known == Some(change) => false,
                InstanceChange::Deleted => self.exclude(*original),
                InstanceChange::Changed(patch) => {
                    let patch = self.told_whole(*original, patch, known);
                    !self.change(*original, &patch).is_empty()
                }
            };
        }
        changed
    }

    /// An exception in a whole list says what differs from the series; what it does not name does
    /// not differ. Fields of which no exception in such a list can tell (MS-ASCAL 2.2.2.21, 12.1 to
    /// 14.1) stay as they were.
    fn told_whole(
        &self,
        original: LocalTime,
        patch: &EventPatch,
        known: Option<&InstanceChange>,
    ) -> EventPatch {
        const TOLD: [EventField; 6] = [
            EventField::Title,
            EventField::Time,
            EventField::Place,
            EventField::Busy,
            EventField::Privacy,
            EventField::Reminder,
        ];
        let mut whole = patch.clone();
        if let Some(InstanceChange::Changed(known)) = known {
            let base = series::instance(&self.event, original);
            for field in TOLD {
                if known.fields.contains(&field) && !patch.fields.contains(&field) {
                    whole.set(field, &base);
                }
            }
        }
        whole
    }

    /// One instance as it is now.
    pub(crate) fn shown(&self, original: LocalTime) -> Event {
        let shown = self
            .find_override(original)
            .and_then(|at| self.component(at))
            .and_then(|component| event::read(component, &self.reading).ok())
            .map(|mut changed| {
                series::rebase(&mut changed, &self.event, &self.beat);
                changed
            });
        shown.unwrap_or_else(|| self.without_own(original))
    }

    /// One instance as it is without an override of its own.
    fn without_own(&self, original: LocalTime) -> Event {
        series::unchanged(&self.event, original, &self.beat)
    }

    /// Changes one instance; says which fields.
    pub(crate) fn change(
        &mut self,
        original: LocalTime,
        patch: &EventPatch,
    ) -> BTreeSet<EventField> {
        let place = self.find_override(original);
        let shown = self.shown(original);
        let mut new = shown.clone();
        patch.apply(&mut new);
        if patch.fields.contains(&EventField::Time) && !new.all_day && new.zone.is_none() {
            new.zone = self.event.zone.clone();
        }
        let mut writable = patch.fields.clone();
        for field in [EventField::Recurrence, EventField::Exceptions, EventField::Organizer] {
            writable.remove(&field);
        }
        let (owner, zones) = (self.reading.owner, self.reading.zones);
        if let Some(at) = place {
            self.include(original);
            // What an override says of later instances is taken from what it was.
            let onward = self.component(at).filter(|one| irregular::is_onward(one)).cloned();
            if let Some(mut component) = onward {
                let changed = fields::write(&mut component, &shown, &new, &writable, owner, zones);
                if !changed.is_empty() {
                    single(&mut component);
                    self.put_override(original, component);
                }
                return changed;
            }
            let Some(component) = self.component_mut(at) else { return BTreeSet::new() };
            let changed = fields::write(component, &shown, &new, &writable, owner, zones);
            if !changed.is_empty() {
                single(component);
            }
            return changed;
        }
        let Some(mut component) = self.new_override(original, &shown) else {
            return BTreeSet::new();
        };
        let changed = fields::write(&mut component, &shown, &new, &writable, owner, zones);
        let was_excluded = self.is_excluded(original);
        if !changed.is_empty() || was_excluded {
            self.include(original);
            self.put(component);
        }
        changed
    }

    /// Takes one instance out; says whether it was there.
    pub(crate) fn exclude(&mut self, original: LocalTime) -> bool {
        self.narrow(original);
        let removed = self.remove_override(original);
        if self.is_excluded(original) {
            return removed;
        }
        let id = self.beat.id(original);
        let zones = self.reading.zones;
        let Some(main) = self.main_mut() else { return removed };
        let start = main.line("DTSTART").cloned();
        let tzid = fields::tzid(&id.clock, start.as_ref(), zones);
        main.push(clock::line("EXDATE", None, &id, tzid.as_deref()));
        true
    }

    /// Which instance begins at a moment; none where the event has no instances and is meant
    /// itself.
    ///
    /// # Errors
    /// [`Error::NoSuchInstance`].
    pub(crate) fn instance(&self, at: Timestamp) -> Result<Option<LocalTime>, Error> {
        let original = self.beat.original_at(at);
        let main = self.main();
        let rule = |name| main.is_some_and(|main| main.line(name).is_some());
        if main.is_none() && self.find_override(original).is_some() {
            return Ok(Some(original));
        }
        if !rule("RRULE") && !rule("RDATE") {
            let alone = original == self.event.start || main.is_none();
            return if alone { Ok(None) } else { Err(Error::NoSuchInstance) };
        }
        let known = self.may_have(original);
        let dates = main.into_iter().flat_map(|main| main.all("RDATE"));
        let mut dates = dates.flat_map(|line| self.reading.zones.list(line));
        let there = known
            || dates.any(|date| self.beat.original(&date) == original)
            || self.find_override(original).is_some();
        if there { Ok(Some(original)) } else { Err(Error::NoSuchInstance) }
    }

    /// The rule, where it has every instance there is.
    fn told_rule(&self) -> Option<&Recurrence> {
        self.event.recurrence.as_ref().filter(|_| !self.is_part)
    }

    /// Whether the rule has an instance there, as far as that can be told.
    fn may_have(&self, original: LocalTime) -> bool {
        let series = recurrence::Series::of(&self.event).filter(|_| !self.is_part);
        series.is_none_or(|series| series.has(original))
    }

    /// Whether the series has an instance there, by its rule or otherwise.
    pub(crate) fn has(&self, original: LocalTime) -> bool {
        matches!(self.instance(self.beat.start.clock.to_utc(original)), Ok(Some(_)))
    }

    /// Makes this the component that overrides an instance. Where the one there is held for all later
    /// ones too, and this does not, these stay as they are.
    pub(crate) fn put_override(&mut self, original: LocalTime, component: Component) {
        if !irregular::is_onward(&component) {
            self.narrow(original);
        }
        let place = self.find_override(original).and_then(|at| self.component_mut(at));
        match place {
            Some(there) => *there = component,
            None => self.put(component),
        }
    }

    /// The component that overrides an instance.
    pub(crate) fn overriding(&mut self, original: LocalTime) -> Option<&mut Component> {
        let at = self.find_override(original)?;
        self.component_mut(at)
    }

    pub(crate) fn is_excluded(&self, original: LocalTime) -> bool {
        let main = self.main();
        main.is_some_and(|main| {
            series::excluded(main, &self.beat, &self.reading).contains(&original)
        })
    }

    /// Puts an instance that was taken out back; says whether it was out.
    fn include(&mut self, original: LocalTime) -> bool {
        if !self.is_excluded(original) {
            return false;
        }
        let (beat, zones) = (self.beat.clone(), self.reading.zones);
        let Some(main) = self.main_mut() else { return false };
        for line in main.lines_mut().filter(|line| line.is("EXDATE")) {
            let kept: Vec<&str> = line
                .value()
                .split(',')
                .filter(|one| {
                    let id = zones.value(line, one);
                    id.is_none_or(|id| beat.original(&id) != original)
                })
                .collect();
            let kept = kept.join(",");
            line.set_value(kept);
        }
        main.retain_lines(|line| !line.is("EXDATE") || !line.value().is_empty());
        true
    }

    /// The component that overrides an instance, which as yet says what is said of it already: by the
    /// series, or by an override of an earlier instance and all later ones.
    fn new_override(&self, original: LocalTime, base: &Event) -> Option<Component> {
        let onward = self.onward_over(original);
        let mut component = match onward {
            Some(onward) => onward.clone(),
            None => self.main()?.clone(),
        };
        for name in OF_THE_SERIES {
            component.remove(name);
        }
        let id = self.beat.id(original);
        let zones = self.reading.zones;
        let start = component.line("DTSTART").cloned();
        let tzid = fields::tzid(&id.clock, start.as_ref(), zones);
        let of = onward.and_then(|onward| event::read(onward, &self.reading).ok());
        let (start, end) = match of {
            Some(mut of) => {
                series::rebase(&mut of, &self.event, &self.beat);
                (of.start, of.end)
            }
            None => (self.event.start, self.event.end),
        };
        let shown = Event { start, end, ..base.clone() };
        if !shown.same(base, EventField::Time) {
            let time = BTreeSet::from([EventField::Time]);
            fields::write(&mut component, &shown, base, &time, self.reading.owner, zones);
        }
        component.push(clock::line("RECURRENCE-ID", None, &id, tzid.as_deref()));
        Some(component)
    }

    /// Adds an override after the last component of the event.
    fn put(&mut self, component: Component) {
        let last = self.calendar.nodes.iter().rposition(
            |node| matches!(node, Node::Component(one) if one.name() == component.name()),
        );
        let place = last.map_or(self.calendar.nodes.len(), |at| at + 1);
        self.calendar.nodes.insert(place, Node::Component(component));
    }

    /// The components of the event, the series first.
    pub(crate) fn components(&self) -> impl Iterator<Item = &Component> {
        let series = Series::find(self.calendar, "VEVENT");
        series.into_iter().flat_map(|series| std::iter::once(series.main).chain(series.overrides))
    }

    /// The component that overrides an instance, or would.
    pub(crate) fn override_or_new(&self, original: LocalTime) -> Option<Component> {
        let there = self.find_override(original).and_then(|at| self.component(at)).cloned();
        let there = there.map(|mut there| {
            single(&mut there);
            there
        });
        there.or_else(|| self.new_override(original, &self.without_own(original)))
    }

    fn remove_override(&mut self, original: LocalTime) -> bool {
        let mut removed = false;
        while let Some(at) = self.find_override(original) {
            self.calendar.nodes.remove(at);
            removed = true;
        }
        removed
    }

    /// Of several for one instance the last, which is what is shown.
    fn find_override(&self, original: LocalTime) -> Option<usize> {
        self.overrides().into_iter().rev().find(|(_, one)| *one == original).map(|(at, _)| at)
    }

    /// Where overrides stand, and which instances they override.
    fn overrides(&self) -> Vec<(usize, LocalTime)> {
        let series = Series::find(self.calendar, "VEVENT");
        let uid = series.and_then(|series| series.main.value("UID").map(str::to_owned));
        let nodes = self.calendar.nodes.iter().enumerate();
        nodes
            .filter_map(|(at, node)| match node {
                Node::Component(one) if one.is("VEVENT") && one.value("UID") == uid.as_deref() => {
                    Some((at, series::original(one, &self.beat, &self.reading)?))
                }
                _ => None,
            })
            .collect()
    }

    pub(crate) fn main(&self) -> Option<&Component> {
        self.calendar.components().find(|one| is_main(one))
    }

    fn main_mut(&mut self) -> Option<&mut Component> {
        self.calendar.components_mut().find(|one| is_main(one))
    }

    fn component(&self, at: usize) -> Option<&Component> {
        self.calendar.nodes.get(at)?.component()
    }

    fn component_mut(&mut self, at: usize) -> Option<&mut Component> {
        self.calendar.nodes.get_mut(at)?.component_mut()
    }
}

fn is_main(component: &Component) -> bool {
    component.is("VEVENT") && component.line("RECURRENCE-ID").is_none()
}
