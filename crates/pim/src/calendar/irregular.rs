//! What of a series its first rule does not say: further rules, rules that take instances out
//! (`EXRULE`, RFC 2445 §4.8.5.2), added dates (`RDATE`), and overrides that hold for all later
//! instances as well (`RANGE=THISANDFUTURE`, RFC 5545 §3.2.13).

use super::event::Reading;
use super::object::Component;
use super::rule::{self, Rule};
use super::series::{Beat, Series, overridden};
use super::value::DAY;
use crate::recurrence;
use dme_model::{Event, EventPatch, Irregular, LocalTime, Onward, Recurrence};
use std::collections::BTreeMap;

/// How many further rules, and rules that take instances out, are read.
const MAX_RULES: usize = 5;

/// How many added dates are read, and how many changes from some instance on.
const MAX_DATES: usize = 1000;

/// Reads what there is beside the rule of an event that was read with it. `listed`: the dates added to
/// the series are in the rule already.
pub(crate) fn read(
    series: &Series<'_>,
    event: &Event,
    beat: &Beat,
    listed: bool,
    reading: &Reading<'_>,
) -> Irregular {
    let rules = rules(series.main, beat);
    let added = match &event.recurrence {
        Some(rule) if !listed => added(series.main, rule, &rules.rules, beat, reading),
        _ => Vec::new(),
    };
    Irregular { added, onward: onward(series, event, beat, reading), ..rules }
}

/// The rules beside the first, and those that take instances out, as far as they can be told.
pub(crate) fn rules(main: &Component, beat: &Beat) -> Irregular {
    Irregular {
        rules: rules_of(main, "RRULE", 1, beat).filter_map(neutral).collect(),
        excluded: rules_of(main, "EXRULE", 0, beat).filter_map(neutral).collect(),
        ..Irregular::default()
    }
}

/// Whether a rule beside the first has instances that are not told.
pub(crate) fn is_part(main: &Component, beat: &Beat) -> bool {
    let mut rules = rules_of(main, "RRULE", 1, beat);
    rules.any(|rule| matches!(rule, Some(Rule::Part(_) | Rule::Beyond)))
}

/// Whether nobody can tell when the rules beside the first end.
pub(crate) fn is_beyond(main: &Component, beat: &Beat) -> bool {
    rules_of(main, "RRULE", 1, beat).any(|rule| rule == Some(Rule::Beyond))
}

/// The rules of this name after the first so many, each read when it is come to.
fn rules_of<'a>(
    main: &'a Component,
    name: &'a str,
    skipped: usize,
    beat: &'a Beat,
) -> impl Iterator<Item = Option<Rule>> + 'a {
    let lines = main.all(name).take(MAX_RULES).skip(skipped);
    lines.map(|line| {
        let clock = &beat.start.clock;
        rule::parse(line.value(), beat.start.local, |at| clock.to_local(at.as_utc()))
    })
}

/// Of a rule with several times a day that of the start: at the others nothing is told.
fn neutral(rule: Option<Rule>) -> Option<Recurrence> {
    match rule? {
        Rule::Neutral(rule) | Rule::Part(rule) => Some(rule),
        Rule::Beyond => None,
    }
}

/// The added dates that no rule has anyway. A series is at one time of day for a phone, and has
/// nothing before its start.
fn added(
    main: &Component,
    rule: &Recurrence,
    rules: &[Recurrence],
    beat: &Beat,
    reading: &Reading<'_>,
) -> Vec<LocalTime> {
    let start = beat.start.local;
    let lines = main.all("RDATE").flat_map(|line| reading.zones.list(line));
    let mut dates: Vec<LocalTime> = lines
        .map(|date| beat.original(&date))
        .filter(|date| *date > start && (date.as_seconds() - start.as_seconds()) % DAY == 0)
        .take(MAX_DATES)
        .filter(|date| {
            let mut rules = std::iter::once(rule).chain(rules);
            !rules.any(|rule| recurrence::is_instance(start, rule, *date))
        })
        .collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

/// Whether what a component says of an instance holds for the later ones too.
pub(crate) fn is_onward(component: &Component) -> bool {
    let id = component.line("RECURRENCE-ID");
    id.is_some_and(|id| id.parameter_is("RANGE", "THISANDFUTURE"))
}

fn onward(series: &Series<'_>, event: &Event, beat: &Beat, reading: &Reading<'_>) -> Vec<Onward> {
    let mut found = BTreeMap::new();
    let components = series.overrides.iter().filter(|component| is_onward(component));
    for component in components.take(MAX_DATES) {
        let Some((from, differs)) = overridden(component, event, beat, reading) else { continue };
        // The fields that differ alone: there is one for many instances.
        let patch = EventPatch::only(differs.fields, &differs.value);
        found.insert(from, Onward { from, patch });
    }
    found.into_values().collect()
}
