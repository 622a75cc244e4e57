//! Links to a meeting online. Every vendor has a property for it, and RFC 7986 §5.11 has one for
//! all.

use super::object::Component;
use super::text;

/// Where such a link is kept, the most telling first.
const INSIDE: [&str; 1] = ["X-MICROSOFT-ONLINEMEETINGCONFLINK"];
const OUTSIDE: [&str; 5] = [
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-GOOGLE-CONFERENCE",
    "CONFERENCE",
    "X-ZOOM-JOIN-URL",
];

/// The links of an event.
pub(crate) struct Links {
    /// For people of the same organisation.
    pub(crate) inside: Option<String>,
    /// For all.
    pub(crate) outside: Option<String>,
}

pub(crate) fn read(event: &Component) -> Links {
    let first = |names: &[&str]| {
        names.iter().find_map(|name| {
            let link = text::unescape(event.value(name)?);
            (!link.is_empty()).then_some(link)
        })
    };
    Links { inside: first(&INSIDE), outside: first(&OUTSIDE) }
}

pub(crate) fn set_inside(event: &mut Component, link: Option<&str>) {
    set(event, &INSIDE, link);
}

pub(crate) fn set_outside(event: &mut Component, link: Option<&str>) {
    set(event, &OUTSIDE, link);
}

/// Into the property which was shown; taken away it goes from all.
fn set(event: &mut Component, names: &[&str], link: Option<&str>) {
    let Some(link) = link.filter(|link| !link.is_empty()) else {
        names.iter().for_each(|name| event.remove(name));
        return;
    };
    let there = names.iter().find(|name| event.value(name).is_some_and(|value| !value.is_empty()));
    let Some(name) = there.or(names.first()) else { return };
    // `CONFERENCE` is a URI, the others are texts of no type that anybody wrote down.
    event.set(name, Some(&text::one_line(link)));
}
