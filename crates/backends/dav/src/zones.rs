//! The zone of a calendar: that of times that have none (RFC 4791 §5.2.2, RFC 7809 §5.2).

use crate::collections::Place;
use crate::error::WireError;
use crate::href::Path;
use crate::lately::Lately;
use crate::mailbox::DavMailbox;
use crate::multistatus::Response;
use crate::object::now;
use crate::xml::Ns;
use dme_model::{Class, UserId, ZoneId};
use dme_pim::calendar::{zone_defined, zone_named};

/// What was told of calendars; each user may be told another zone.
pub(crate) type Zones = Lately<(UserId, Path), ZoneId>;

impl DavMailbox {
    /// The zone of a calendar, from memory where it was asked for lately. UTC where the server
    /// tells none, and for contacts.
    pub(crate) async fn zone_of(&self, place: &Place) -> Result<ZoneId, WireError> {
        if place.class == Class::Contacts {
            return Ok(ZoneId::utc());
        }
        let calendar = (self.account.user.clone(), place.path.clone());
        if let Some(known) = self.shared.zones.of(&calendar) {
            return Ok(known);
        }
        let props = "<C:calendar-timezone-id/><C:calendar-timezone/>";
        let zone = match self.propfind(&place.path, "0", props).await {
            Ok(told) => told.responses.first().and_then(told_zone).unwrap_or_else(ZoneId::utc),
            // Whoever does not know the question has no zone to tell; whoever cannot answer now may.
            Err(WireError::Refused(refusal)) if is_final(refusal.status) => {
                tracing::debug!(%refusal, "the zone of a calendar is not told");
                ZoneId::utc()
            }
            Err(error) => return Err(error),
        };
        self.shared.zones.keep(calendar, zone.clone());
        Ok(zone)
    }
}

/// Whether a refusal says that no zone will be told.
const fn is_final(status: u16) -> bool {
    matches!(status, 400 | 403..=405 | 409 | 501)
}

fn told_zone(response: &Response) -> Option<ZoneId> {
    let named = response.text(Ns::CalDav, "calendar-timezone-id").and_then(zone_named);
    named.or_else(|| {
        let definition = response.text(Ns::CalDav, "calendar-timezone")?;
        zone_defined(definition.as_bytes(), now())
    })
}
