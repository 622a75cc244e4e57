//! When a connector is linked, as it says itself: a server that was restarted knows from it which
//! connectors are away by arrangement.

use crate::{Hours, Windows};
use dme_model::{Timestamp, ZoneId};
use dme_zone::Zone;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// So many hours a day are believed.
const MOST: usize = 48;

/// The windows of a connector, as they cross the link and are kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTimes {
    /// Once each so long, from dial to dial.
    Every {
        /// Milliseconds from one begin to the next.
        every_ms: u64,
        /// Milliseconds for which a link stands.
        lasting_ms: u64,
    },
    /// At these hours.
    Hours {
        /// `22:00-06:00` each.
        spans: Vec<String>,
        /// On the clock of this zone.
        zone: ZoneId,
    },
}

impl From<&Windows> for LinkTimes {
    fn from(windows: &Windows) -> Self {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        match windows {
            Windows::Every { every, lasting } => {
                Self::Every { every_ms: millis(*every), lasting_ms: millis(*lasting) }
            }
            Windows::Hours(hours) => {
                Self::Hours { spans: hours.texts(), zone: hours.zone().clone() }
            }
        }
    }
}

impl LinkTimes {
    /// When a connector that has no link and was linked last then links again; none where it is to
    /// be linked now, so that it is not away by arrangement.
    pub fn away_until(&self, linked: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every { every_ms, lasting_ms } => {
                let after = |ms: &u64| linked.map(|linked| linked.plus(Duration::from_millis(*ms)));
                let (hangs_up, back) = (after(lasting_ms)?, after(every_ms)?);
                (hangs_up <= now && now < back).then_some(back)
            }
            Self::Hours { spans, zone } => {
                let hours = Hours::read(spans, Zone::of(zone)?).ok()?;
                match hours.until_begin(now) {
                    Duration::ZERO | Duration::MAX => None,
                    wait => Some(now.plus(wait)),
                }
            }
        }
    }

    /// These, if they are of a size that can be kept.
    pub(crate) fn bounded(self) -> Option<Self> {
        match &self {
            Self::Hours { spans, .. } if spans.len() > MOST => None,
            Self::Hours { .. } | Self::Every { .. } => Some(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_seconds(1_768_176_000 + hour * 3_600 + minute * 60)
    }

    fn every(every: u64, lasting: u64) -> LinkTimes {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        LinkTimes::from(&Windows::Every { every: minutes(every), lasting: minutes(lasting) })
    }

    fn hours(texts: &[&str], zone: &str) -> LinkTimes {
        let zone = Zone::of(&ZoneId::from(zone)).unwrap();
        LinkTimes::from(&Windows::Hours(Hours::read(texts, zone).unwrap()))
    }

    #[test]
    fn between_its_windows_a_connector_is_away_and_within_them_it_is_missed() {
        let nights = || hours(&["22:00-06:00", "12:00-12:30"], "UTC");
        for (times, linked, now, until) in [
            (every(30, 5), Some(at(8, 0)), at(8, 3), None),
            (every(30, 5), Some(at(8, 0)), at(8, 5), Some(at(8, 30))),
            (every(30, 5), Some(at(8, 0)), at(8, 29), Some(at(8, 30))),
            // It did not come: nobody knows when it will.
            (every(30, 5), Some(at(8, 0)), at(8, 30), None),
            (every(30, 5), None, at(8, 10), None),
            (nights(), None, at(23, 0), None),
            (nights(), None, at(6, 0), Some(at(12, 0))),
            (nights(), Some(at(5, 0)), at(13, 0), Some(at(22, 0))),
            // Two hours ahead.
            (hours(&["08:00-09:00"], "Africa/Bujumbura"), None, at(4, 0), Some(at(6, 0))),
            (hours(&["18:00-24:00"], "UTC"), None, at(17, 0), Some(at(18, 0))),
        ] {
            assert_eq!(times.away_until(linked, now), until, "{times:?} {now:?}");
            let kept = serde_json::to_string(&times).unwrap();
            assert_eq!(serde_json::from_str::<LinkTimes>(&kept).unwrap(), times);
        }
    }

    #[test]
    fn what_makes_no_sense_is_nobodys_hours() {
        let spans = vec!["late".to_owned()];
        let (utc, nowhere) = (ZoneId::utc(), ZoneId::from("Nowhere/At-all"));
        let late = LinkTimes::Hours { spans, zone: utc.clone() };
        assert_eq!(late.away_until(None, at(1, 0)), None);
        let spans = vec!["12:00-13:00".to_owned()];
        let lost = LinkTimes::Hours { spans: spans.clone(), zone: nowhere };
        assert_eq!(lost.away_until(None, at(1, 0)), None);
        let many = LinkTimes::Hours { spans: vec![spans[0].clone(); MOST + 1], zone: utc };
        assert_eq!(many.bounded(), None);
    }
}
