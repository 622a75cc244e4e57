//! What of a series its first rule does not say: further rules, rules that take instances out
//! (`EXRULE`, RFC 2445 §4.8.5.2), added dates (`RDATE`), and overrides that hold for all later
//! instances as well (`RANGE=THISANDFUTURE`, RFC 5545 §3.2.13).

use super::beat::Beat;
use super::dates;
use super::event::Reading;
use super::object::Component;
use super::rule::{self, Rule};
use super::series::{Series, excluded, original, overridden};
use crate::recurrence;
use dme_model::{Event, EventPatch, Irregular, LocalTime, Onward, Recurrence};
use std::collections::{BTreeMap, BTreeSet};

/// How many further rules, and rules that take instances out, are read.
const MAX_RULES: usize = 5;

/// How many added dates are read, and how many changes from some instance on.
const MAX_DATES: usize = 1000;

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

/// Dates added to a series.
#[derive(Default)]
pub(crate) struct Dates {
    /// What they count as, ascending, but for those that the rules have anyway.
    pub(crate) added: Vec<LocalTime>,
    /// Those at another time of day than the series, by what they count as.
    pub(crate) odd: BTreeMap<LocalTime, LocalTime>,
}

/// The dates added to a series with this rule and these others, as far as they can be told. A phone's
/// series has nothing before its start, and one time of day: a date at another counts as the instance
/// of its day, where there is none by anything else, and nothing is said of one.
pub(crate) fn dates(
    series: &Series<'_>,
    rule: &Recurrence,
    others: &Irregular,
    beat: &Beat,
    reading: &Reading<'_>,
) -> Dates {
    let (main, start) = (series.main, beat.start.local);
    let lines = main.all("RDATE").flat_map(|line| reading.zones.list(line));
    let later = lines.map(|date| beat.local(&date)).filter(|date| *date > start);
    let listed: BTreeSet<LocalTime> = later.take(MAX_DATES).collect();
    if listed.is_empty() {
        return Dates::default();
    }
    let are_all = dates::are_all(main);
    let is_by_rule = |at: LocalTime| {
        let mut rules = std::iter::once(rule).chain(&others.rules);
        rules.any(|rule| recurrence::is_instance(start, rule, at))
    };
    let is_taken_out =
        |at: LocalTime| others.excluded.iter().any(|rule| recurrence::is_by_rule(start, rule, at));
    let mut named: BTreeSet<LocalTime> = excluded(main, beat, reading).into_iter().collect();
    named.extend(series.overrides.iter().filter_map(|one| original(one, beat, reading)));
    let mut dates = Dates::default();
    for date in &listed {
        let counted = beat.on_day_of(*date);
        let has_rule = is_by_rule(counted);
        if counted == *date {
            dates.added.extend(Some(counted).filter(|_| !has_rule && !are_all));
            continue;
        }
        // A list without a rule is told as a rule that has the days of all its dates.
        let is_free = has_rule == are_all
            && counted > start
            && !listed.contains(&counted)
            && !named.contains(&counted)
            && !is_taken_out(counted);
        if is_free && !dates.odd.contains_key(&counted) {
            dates.odd.insert(counted, *date);
            dates.added.extend(Some(counted).filter(|_| !are_all));
        }
    }
    dates.added.sort_unstable();
    dates
}

/// Whether what a component says of an instance holds for the later ones too.
pub(crate) fn is_onward(component: &Component) -> bool {
    let id = component.line("RECURRENCE-ID");
    id.is_some_and(|id| id.parameter_is("RANGE", "THISANDFUTURE"))
}

/// What differs from some instance on.
pub(crate) fn onward(
    series: &Series<'_>,
    event: &Event,
    beat: &Beat,
    reading: &Reading<'_>,
) -> Vec<Onward> {
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
