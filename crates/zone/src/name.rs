//! What calendars call their zones. `TZID` is free text (RFC 5545 §3.2.19), and others' calendars
//! make use of that.

use crate::offset;
use crate::windows;
use crate::zone::Zone;

/// Longer names say nothing.
const LONGEST: usize = 255;

impl Zone {
    /// The zone that a `TZID` means to those who read it: an IANA name, also at the end of a path
    /// (`/mozilla.org/20050126_1/Europe/Berlin`) or with a number behind it (`Europe/Berlin-1`); a
    /// Windows name or description (`W. Europe Standard Time`, `(UTC+01:00) Amsterdam, Berlin`); an
    /// offset (`GMT+0100`); POSIX rules. None for names that say nothing (`Customized Time Zone`).
    pub fn from_tzid(tzid: &str) -> Option<Self> {
        let tzid = tzid.trim().trim_matches('"').trim();
        if tzid.is_empty() || tzid.len() > LONGEST {
            return None;
        }
        let path_ends = tzid.match_indices('/').filter_map(|(slash, _)| tzid.get(slash + 1..));
        let ends = || std::iter::once(tzid).chain(path_ends.clone());
        known(tzid)
            .or_else(|| Self::fixed(offset_name(tzid)?))
            .or_else(|| ends().find_map(|end| known(end).or_else(|| known(without_number(end)?))))
            // `EST5` could be anything; rules are recognised by their comma or brackets.
            .or_else(|| tzid.contains([',', '<']).then(|| Self::posix(tzid))?)
    }

    /// What Windows calls the zone (`W. Europe Standard Time`). None where it knows none like it.
    pub fn windows_name(&self) -> Option<&'static str> {
        windows::name_of(self)
    }
}

fn known(name: &str) -> Option<Zone> {
    Zone::iana(name).or_else(|| windows::zone(name)).or_else(|| described(name))
}

/// `(UTC+01:00) Amsterdam, Berlin`, `(GMT-05.00) Eastern Time (US & Canada)`.
fn described(name: &str) -> Option<Zone> {
    let (offset, description) = name.strip_prefix('(')?.split_once(')')?;
    windows::described(description.trim(), offset_name(offset))
}

/// `GMT+0100`, `UTC-5`, `+01:00`, in seconds.
fn offset_name(name: &str) -> Option<i32> {
    let name = name.trim();
    let offset = match name.split_at_checked(3) {
        Some((zone, rest)) if ["GMT", "UTC"].iter().any(|it| it.eq_ignore_ascii_case(zone)) => rest,
        _ => name,
    };
    if offset.is_empty() { Some(0) } else { offset::parse(offset.trim()) }
}

/// Some calendars number the definitions of a zone that they have met in different forms.
fn without_number(name: &str) -> Option<&str> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem =
        if stem.len() < name.len() { stem.strip_suffix(['-', '_', ' '])? } else { return None };
    (!stem.is_empty()).then_some(stem)
}

#[cfg(test)]
mod tests;
