//! Overrides that hold for all later instances too (`RANGE=THISANDFUTURE`, RFC 5545 §3.2.13). What is
//! done to one instance is done to that alone.

use super::Editing;
use crate::calendar::clock;
use crate::calendar::event_fields as fields;
use crate::calendar::irregular;
use crate::calendar::object::Component;
use crate::calendar::series;
use crate::recurrence;
use dme_model::{LocalTime, Onward};
use std::collections::BTreeSet;

impl Editing<'_, '_> {
    /// The override of an earlier instance that holds for this one.
    pub(super) fn onward_over(&self, original: LocalTime) -> Option<&Component> {
        let from = self.event.irregular.onward.iter().map(|onward| onward.from);
        let from = from.filter(|from| *from < original).max()?;
        let component = self.component(self.find_override(from)?)?;
        irregular::is_onward(component).then_some(component)
    }

    /// Whether the override of this instance holds for all later ones too.
    pub(super) fn is_onward(&self, original: LocalTime) -> bool {
        let component = self.find_override(original).and_then(|at| self.component(at));
        component.is_some_and(irregular::is_onward)
    }

    /// Makes an override that holds for all later instances too one of its own instance alone. The
    /// next instance without an override gets one that says the same of itself and of those after it.
    pub(super) fn narrow(&mut self, original: LocalTime) {
        let Some(place) = self.find_override(original) else { return };
        let Some(onward) = self.component(place).filter(|one| irregular::is_onward(one)) else {
            return;
        };
        let next = self.next_unchanged(original);
        let rest = next.and_then(|next| {
            let mut rest = self.new_override(next, &self.without_own(next))?;
            let old = onward.line("RECURRENCE-ID");
            let id = self.beat.id(next);
            let tzid = fields::tzid(&id.clock, old, self.reading.zones);
            rest.replace(clock::line("RECURRENCE-ID", old, &id, tzid.as_deref()));
            Some(rest)
        });
        let irregular = &mut self.event.irregular;
        let patch = next.and_then(|next| Some((next, irregular.change_at(next)?)));
        irregular.onward.retain(|onward| onward.from != original);
        if let Some((from, patch)) = patch {
            irregular.onward.push(Onward { from, patch });
            irregular.onward.sort_by_key(|onward| onward.from);
        }
        if let Some(component) = self.component_mut(place) {
            single(component);
        }
        if let Some(rest) = rest {
            self.put(rest);
        }
    }

    /// Makes each override one of its own instance alone.
    pub(crate) fn narrow_all(&mut self) {
        for (place, _) in self.overrides() {
            if let Some(component) = self.component_mut(place) {
                single(component);
            }
        }
        self.event.irregular.onward.clear();
    }

    /// The first instance after this one that nothing is said of by itself; none where something else
    /// holds from an instance before that on.
    fn next_unchanged(&self, original: LocalTime) -> Option<LocalTime> {
        let series = recurrence::Series::of(&self.event)?;
        let irregular = &self.event.irregular;
        let next = irregular.onward.iter().map(|onward| onward.from).find(|from| *from > original);
        let mut taken: BTreeSet<LocalTime> =
            self.overrides().into_iter().map(|(_, at)| at).collect();
        if let Some(main) = self.main() {
            taken.extend(series::excluded(main, &self.beat, &self.reading));
        }
        let mut all = series.instances_from(original.plus_seconds(1));
        all.find(|at| !taken.contains(at)).filter(|at| next.is_none_or(|next| *at < next))
    }
}

/// Makes what a component says of an instance hold for that alone.
pub(super) fn single(component: &mut Component) {
    if let Some(id) = component.line_mut("RECURRENCE-ID") {
        id.set_parameter("RANGE", None);
    }
}
