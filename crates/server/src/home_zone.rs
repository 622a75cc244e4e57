//! The clock of users: on it are events without a time zone, and the days of those who last whole
//! days.

use crate::config::PhonesConfig;
use dme_zone::Zone;

/// The time zone that is configured, else that of the host, else UTC.
///
/// # Errors
/// In words that fit after `phones.time_zone`, where the setting names none.
pub(crate) fn home_zone(config: &PhonesConfig) -> Result<Zone, String> {
    match &config.time_zone {
        Some(name) => Zone::from_tzid(name).ok_or_else(|| {
            format!("is \"{name}\": no time zone; give a name such as \"Europe/Berlin\"")
        }),
        None => Ok(Zone::of_host(|link| std::fs::read_link(link))),
    }
}
