//! A neutral item's fields → a component, one by one: what did not change is not touched.

use super::object::Component;
use dme_model::Fields;
use std::collections::BTreeSet;

/// Writes those of the fields that differ between what was shown and what is wanted; says which
/// changed the component. `always` names those that are written even where they are the same: their
/// writer knows better.
pub(crate) fn write<T: Fields>(
    component: &mut Component,
    (shown, new): (&T, &T),
    fields: &BTreeSet<T::Field>,
    always: &[T::Field],
    mut write_field: impl FnMut(&mut Component, T::Field),
) -> BTreeSet<T::Field> {
    let mut before = component.clone();
    let mut changed = BTreeSet::new();
    for field in fields {
        if !always.contains(field) && shown.same(new, *field) {
            continue;
        }
        write_field(component, *field);
        if *component != before {
            changed.insert(*field);
            before = component.clone();
        }
    }
    changed
}
