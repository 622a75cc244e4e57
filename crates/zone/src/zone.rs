//! A time zone: clock readings to moments and back.

use dme_model::{LocalTime, Timestamp, ZoneId};
use jiff::tz::{Offset, TimeZone};
use std::io;
use std::path::{Path, PathBuf};

/// Longer than any IANA name and any rules that are written sensibly.
const LONGEST_ID: usize = 128;

/// The names under which IANA knows coordinated universal time.
const UTC_NAMES: [&str; 7] =
    ["UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "Etc/UCT"];

/// A time zone whose rules are known. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    id: ZoneId,
    pub(crate) clock: TimeZone,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { id: ZoneId::utc(), clock: TimeZone::UTC }
    }

    /// The zone with this IANA name, in whatever case, or with these POSIX rules. None where it is
    /// neither. An alias (`Asia/Calcutta`) stays what it is, but all names of UTC are one.
    pub fn of(id: &ZoneId) -> Option<Self> {
        Self::iana(id.as_str()).or_else(|| Self::posix(id.as_str()))
    }

    /// The zone with this IANA name.
    pub(crate) fn iana(name: &str) -> Option<Self> {
        if UTC_NAMES.iter().any(|utc| utc.eq_ignore_ascii_case(name)) {
            return Some(Self::utc());
        }
        if name.len() > LONGEST_ID {
            return None;
        }
        let clock = TimeZone::get(name).ok()?;
        let id = ZoneId::from(clock.iana_name()?);
        Some(Self { id, clock })
    }

    /// The zone with these yearly rules (RFC 9636 §3.3.1).
    pub(crate) fn posix(rules: &str) -> Option<Self> {
        if rules.len() > LONGEST_ID {
            return None;
        }
        let clock = TimeZone::posix(rules).ok()?;
        Some(Self { id: ZoneId::from(rules), clock })
    }

    /// The zone that is always so many seconds ahead of UTC, or behind where negative. None beyond
    /// a day.
    pub(crate) fn fixed(seconds: i32) -> Option<Self> {
        if seconds == 0 {
            return Some(Self::utc());
        }
        let hours = seconds / 3600;
        if seconds % 3600 == 0 && (-12..=14).contains(&hours) {
            // These names have the sign of POSIX: hours to be added to get UTC.
            return Self::iana(&format!("Etc/GMT{:+}", -hours));
        }
        Self::posix(&crate::offset::posix(seconds)?)
    }

    /// That of a host: by the link that stands in the place of its rules, into the time zone
    /// database. UTC where there is no such link. `read_link` is [`std::fs::read_link`].
    pub fn of_host(read_link: impl FnOnce(&Path) -> io::Result<PathBuf>) -> Self {
        read_link(Path::new("/etc/localtime"))
            .ok()
            .and_then(|link| Self::iana(link.to_str()?.split_once("/zoneinfo/")?.1))
            .unwrap_or_else(Self::utc)
    }

    /// Its name or rules.
    pub fn id(&self) -> &ZoneId {
        &self.id
    }

    /// The moment at which a clock of this zone shows this. A time that comes twice is the first of
    /// them, one that is skipped is read with the offset before the gap (RFC 5545 §3.3.5). Beyond
    /// the years -9999 to 9999 it is taken as UTC.
    pub fn to_utc(&self, local: LocalTime) -> Timestamp {
        let moment = jiff::Timestamp::from_second(local.as_seconds())
            .map(|shown| Offset::UTC.to_datetime(shown))
            .and_then(|shown| self.clock.to_ambiguous_timestamp(shown).compatible());
        moment.map_or(local.as_utc(), |moment| Timestamp::from_seconds(moment.as_second()))
    }

    /// What a clock of this zone shows at a moment, in whole seconds.
    pub fn to_local(&self, at: Timestamp) -> LocalTime {
        let seconds = at.as_seconds().saturating_add(i64::from(self.offset_at(at)));
        LocalTime::from_seconds(seconds)
    }

    /// How many seconds the zone's clocks are ahead of UTC at a moment, or behind where negative.
    pub fn offset_at(&self, at: Timestamp) -> i32 {
        self.clock.to_offset(instant(at)).seconds()
    }
}

/// The moment, or the nearest that the time zone library knows.
pub(crate) fn instant(at: Timestamp) -> jiff::Timestamp {
    let (first, last) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
    jiff::Timestamp::from_second(at.as_seconds().clamp(first, last))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
