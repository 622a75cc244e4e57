//! The clock of users: on it are events without a time zone, and the days of those who last whole
//! days.

use crate::config::PhonesConfig;
use dme_model::ZoneId;
use dme_zone::Zone;
use std::path::Path;

/// Where a host says which time zone it is in: a link into the time zone database.
const LOCALTIME: &str = "/etc/localtime";
/// After this part of the link comes the zone's name.
const DATABASE: &str = "/zoneinfo/";

/// The time zone that is configured, else that of the host, else UTC.
///
/// # Errors
/// In words that fit after `phones.time_zone`, where the setting names none.
pub(crate) fn home_zone(config: &PhonesConfig) -> Result<Zone, String> {
    match &config.time_zone {
        Some(name) => Zone::from_tzid(name).ok_or_else(|| {
            format!("is \"{name}\": no time zone; give a name such as \"Europe/Berlin\"")
        }),
        None => Ok(std::fs::read_link(LOCALTIME)
            .ok()
            .and_then(|to| named_by(&to))
            .unwrap_or_else(Zone::utc)),
    }
}

fn named_by(link: &Path) -> Option<Zone> {
    let (_, name) = link.to_str()?.split_once(DATABASE)?;
    Zone::of(&ZoneId::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_into_the_database_names_a_zone() {
        let zone = |link: &str| named_by(Path::new(link)).map(|zone| zone.id().as_str().to_owned());
        let berlin = Some("Europe/Berlin".to_owned());
        assert_eq!(zone("/usr/share/zoneinfo/Europe/Berlin"), berlin);
        assert_eq!(zone("/usr/share/zoneinfo/Middle/Earth"), None);
        assert_eq!(zone("/etc/other"), None);
    }
}
