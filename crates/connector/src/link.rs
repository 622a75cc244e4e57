//! How the link is kept: the settings of `[link]`, and what they mean to it.

use dme_link::{BulkHours, Hours, KeepAlive, NoHours, Packing, Thrift, Windows};
use dme_model::{ByteSize, OutOfRange, Span, ZoneId, within};
use dme_zone::Zone;
use serde::Deserialize;
use std::time::Duration;

/// What sort of line it is: decides what is not set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// One that costs nothing to use.
    #[default]
    Normal,
    /// One that is paid by volume.
    Metered,
}

/// How the link is kept. What is not set is as the profile has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkConfig {
    /// What sort of line it is.
    pub profile: Profile,
    /// Silence after which the other end is asked for a sign of life.
    pub keepalive: Option<Span>,
    /// How long it may take to give one before the link counts as lost.
    pub keepalive_timeout: Option<Span>,
    /// Whether records are packed, where the server knows how.
    pub packing: Option<bool>,
    /// The congestion control asked of the kernel; its own where empty.
    pub congestion: Option<String>,
    /// How long changes are gathered before they are told.
    pub gather: Option<Span>,
    /// The size beyond which content asked for by itself has to wait for its hours.
    pub bulk_over: ByteSize,
    /// Those hours, `22:00-06:00`; at any time where there are none.
    pub bulk_hours: Vec<String>,
    /// The IANA name of the zone whose clock they are on; this machine's where not set.
    pub zone: Option<String>,
    /// Millions of bytes a month beyond which there are warnings.
    pub budget: Option<u64>,
    /// When it is linked; always where not set.
    pub windows: Option<WindowsConfig>,
    /// How long dialling one address may take.
    pub dial: Span,
    /// How long running calls may take to end at shutdown.
    pub drain: Span,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            profile: Profile::Normal,
            keepalive: None,
            keepalive_timeout: None,
            packing: None,
            congestion: None,
            gather: None,
            bulk_over: ByteSize(1 << 20),
            bulk_hours: Vec::new(),
            zone: None,
            budget: None,
            windows: None,
            dial: Span::seconds(30),
            drain: Span::seconds(15),
        }
    }
}

/// When a connector is linked: once each so long, or at certain hours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WindowsConfig {
    /// From one dial to the next.
    pub every: Option<Span>,
    /// How long a link then stands.
    pub lasting: Option<Span>,
    /// The hours, `22:00-06:00`, on the clock of `link.zone`.
    pub hours: Vec<String>,
}

/// Why the settings of the link make no sense.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WrongLink {
    /// A value is beyond what makes sense.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Hours that are none.
    #[error("{key}: {error}")]
    Hours {
        /// Which setting.
        key: &'static str,
        /// What is wrong.
        error: NoHours,
    },
    /// Windows that are two things or none.
    #[error("link.windows: set either every and lasting, or hours")]
    Windows,
    /// A zone that nobody knows.
    #[error("link.zone: there is no zone `{0}`; write it as \"Africa/Johannesburg\"")]
    Zone(String),
}

/// A million bytes, as carriers count.
const MEGABYTE: u64 = 1_000_000;
/// How often counts are told over a line that is spared.
const HOUR: Duration = Duration::from_secs(3_600);

impl LinkConfig {
    pub(crate) fn check(&self) -> Result<(), WrongLink> {
        let (second, keepalive) = (Span::seconds(1), self.keep_alive());
        within("link.keepalive", Span(keepalive.interval), second..=Span::seconds(900))?;
        within("link.keepalive_timeout", Span(keepalive.timeout), second..=Span::seconds(120))?;
        within("link.gather", Span(self.gather()), Span::seconds(0)..=Span::seconds(300))?;
        within("link.budget", self.budget.unwrap_or(1), 1..=100_000_000)?;
        within("link.dial", self.dial, second..=Span::seconds(600))?;
        within("link.drain", self.drain, Span::seconds(0)..=Span::seconds(3_600))?;
        if let Some(WindowsConfig { every: Some(every), lasting: Some(lasting), .. }) = self.windows
        {
            within("link.windows.every", every, Span::seconds(60)..=Span::seconds(7 * 86_400))?;
            within("link.windows.lasting", lasting, Span::seconds(10)..=every)?;
        }
        self.windows()?;
        self.thrift().map(drop)
    }

    /// When it is linked.
    pub(crate) fn windows(&self) -> Result<Option<Windows>, WrongLink> {
        let Some(config) = &self.windows else { return Ok(None) };
        let windows = match (config.every, config.lasting, config.hours.as_slice()) {
            (Some(every), Some(lasting), []) => {
                Windows::Every { every: every.0, lasting: lasting.0 }
            }
            (None, None, hours @ [_, ..]) => {
                Windows::Hours(self.hours("link.windows.hours", hours)?)
            }
            _ => return Err(WrongLink::Windows),
        };
        Ok(Some(windows))
    }

    /// How the two ends ask after each other, with the profile's values for what is not set.
    pub fn keep_alive(&self) -> KeepAlive {
        let profile = match self.profile {
            Profile::Normal => KeepAlive::default(),
            Profile::Metered => KeepAlive::METERED,
        };
        KeepAlive {
            interval: self.keepalive.map_or(profile.interval, |span| span.0),
            timeout: self.keepalive_timeout.map_or(profile.timeout, |span| span.0),
        }
    }

    /// How the line is spared.
    pub(crate) fn thrift(&self) -> Result<Thrift, WrongLink> {
        let metered = self.profile == Profile::Metered;
        let bulk = match self.bulk_hours.as_slice() {
            [] => None,
            hours => {
                let hours = self.hours("link.bulk_hours", hours)?;
                Some(BulkHours { over: self.bulk_over.0, hours })
            }
        };
        Ok(Thrift {
            packing: match self.packing.unwrap_or(metered) {
                true => Packing::Zstd,
                false => Packing::Plain,
            },
            congestion: match &self.congestion {
                Some(name) => Some(name.clone()).filter(|name| !name.is_empty()),
                None => metered.then(|| "bbr".to_owned()),
            },
            gather: self.gather(),
            counts: match self.profile {
                Profile::Normal => Thrift::default().counts,
                Profile::Metered => HOUR,
            },
            bulk,
            budget: self.budget.map(|megabytes| megabytes.saturating_mul(MEGABYTE)),
        })
    }

    fn gather(&self) -> Duration {
        let profile = match self.profile {
            Profile::Normal => Span::seconds(0),
            Profile::Metered => Span::seconds(5),
        };
        self.gather.unwrap_or(profile).0
    }

    /// The hours that a setting says.
    fn hours(&self, key: &'static str, texts: &[String]) -> Result<Hours, WrongLink> {
        Hours::read(texts, self.zone()?).map_err(|error| WrongLink::Hours { key, error })
    }

    /// The zone whose clock the hours are on.
    fn zone(&self) -> Result<Zone, WrongLink> {
        match &self.zone {
            Some(name) => {
                Zone::of(&ZoneId::from(name.as_str())).ok_or_else(|| WrongLink::Zone(name.clone()))
            }
            None => Ok(Zone::of_host(|link| std::fs::read_link(link))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> LinkConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_profile_decides_what_is_not_set_and_nothing_else() {
        let normal = read("");
        assert_eq!(normal.thrift().unwrap(), Thrift::default());
        assert_eq!(normal.keep_alive().interval, Duration::from_secs(15));
        let metered = read("profile = \"metered\"");
        assert_eq!(metered.keep_alive(), KeepAlive::METERED);
        let thrift = metered.thrift().unwrap();
        assert_eq!((thrift.packing, thrift.gather), (Packing::Zstd, Duration::from_secs(5)));
        assert_eq!((thrift.bulk, thrift.budget), (None, None));
        assert_eq!(thrift.congestion.as_deref(), Some("bbr"));
        let kernel = read("profile = \"metered\"\ncongestion = \"\"").thrift().unwrap();
        assert_eq!(kernel.congestion, None);
        let mixed = read("profile = \"metered\"\nkeepalive = \"1m\"\npacking = false");
        let keepalive = KeepAlive { interval: Duration::from_secs(60), ..KeepAlive::METERED };
        assert_eq!(mixed.keep_alive(), keepalive);
        assert_eq!(mixed.thrift().unwrap().packing, Packing::Plain);
    }

    #[test]
    fn a_budget_is_in_millions_of_bytes_and_large_content_has_its_hours() {
        let config = read(
            "budget = 500\nbulk_over = \"64KiB\"\nbulk_hours = [\"22:00-06:00\"]\n\
             zone = \"Africa/Bujumbura\"",
        );
        let thrift = config.thrift().unwrap();
        assert_eq!(thrift.budget, Some(500_000_000));
        assert_eq!(thrift.bulk.unwrap().over, 65_536);
    }

    #[test]
    fn a_connector_is_linked_always_or_each_so_long_or_at_hours() {
        assert_eq!(read("").windows().unwrap(), None);
        let each = read("windows = { every = \"30m\", lasting = \"5m\" }");
        let (every, lasting) = (Duration::from_secs(1_800), Duration::from_secs(300));
        assert_eq!(each.windows().unwrap(), Some(Windows::Every { every, lasting }));
        let hours = read("windows = { hours = [\"22:00-06:00\"] }");
        assert!(matches!(hours.windows().unwrap(), Some(Windows::Hours(_))));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words_that_say_how_to_mend_it() {
        for (text, words) in [
            ("keepalive = \"1h\"", "link.keepalive is 1h: 1s to 15m are allowed"),
            ("gather = \"10m\"", "link.gather is 10m: 0s to 5m are allowed"),
            ("budget = 0", "link.budget is 0: 1 to 100000000 are allowed"),
            ("windows = {}", "link.windows: set either every and lasting, or hours"),
            ("windows = { every = \"5m\" }", "link.windows: set either"),
            ("windows = { every = \"5m\", lasting = \"10m\" }", "lasting is 10m: 10s to 5m"),
            ("windows = { hours = [\"late\"] }", "link.windows.hours: `late` are no hours"),
            ("bulk_hours = [\"late\"]", "link.bulk_hours: `late` are no hours"),
            ("bulk_hours = [\"22:00-06:00\"]\nzone = \"Moon\"", "there is no zone `Moon`"),
        ] {
            let error = read(text).check().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
