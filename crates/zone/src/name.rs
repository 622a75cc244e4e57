//! What calendars call their zones. `TZID` is free text (RFC 5545 §3.2.19), and others' calendars
//! make use of that.

use crate::offset;
use crate::windows;
use crate::zone::Zone;

/// Characters of rules, and those that stand for them in a `TZID`.
const PLAIN: [(char, char); 4] = [(',', ' '), (':', '_'), ('<', '('), ('>', ')')];

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
            .or_else(|| rules(tzid))
    }

    /// What to call the zone in a calendar: its IANA name, or its rules without the characters that
    /// parameters have (RFC 5545 §3.1), over which others stumble even where they are quoted.
    /// [`Zone::from_tzid`] reads it again.
    pub fn tzid(&self) -> String {
        let plain = |c| PLAIN.iter().find(|(own, _)| *own == c).map_or(c, |(_, plain)| *plain);
        match self.clock.iana_name() {
            Some(_) => self.id().as_str().to_owned(),
            None => self.id().as_str().chars().map(plain).collect(),
        }
    }

    /// What Windows calls the zone (`W. Europe Standard Time`). None where it knows none like it.
    pub fn windows_name(&self) -> Option<&'static str> {
        windows::name_of(self)
    }
}

/// POSIX rules, as they are or as [`Zone::tzid`] writes them.
fn rules(name: &str) -> Option<Zone> {
    let own = |c| PLAIN.iter().find(|(_, plain)| *plain == c).map_or(c, |(own, _)| *own);
    let rules: String = name.chars().map(own).collect();
    // `EST5` could be anything; rules are recognised by their comma or brackets.
    rules.contains([',', '<']).then(|| Zone::posix(&rules))?
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
