//! The zone of a calendar: that of times that have none (RFC 4791 §5.2.2, RFC 7809 §5.2).

use crate::collections::Place;
use crate::error::WireError;
use crate::href::Path;
use crate::mailbox::DavMailbox;
use crate::multistatus::Response;
use crate::object::now;
use crate::xml::Ns;
use dme_model::{Class, UserId, ZoneId};
use dme_pim::calendar::{zone_defined, zone_named};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long what was told is taken to hold.
const FRESH: Duration = Duration::from_secs(600);
/// Calendars whose zones are kept.
const MAX_KEPT: usize = 20_000;

/// What was told of calendars, for a while; each user may be told another zone.
#[derive(Default)]
pub(crate) struct Zones(Mutex<HashMap<(UserId, Path), (Instant, ZoneId)>>);

impl Zones {
    fn of(&self, calendar: &(UserId, Path)) -> Option<ZoneId> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, zone) = kept.get(calendar)?;
        (since.elapsed() < FRESH).then(|| zone.clone())
    }

    fn keep(&self, calendar: (UserId, Path), zone: ZoneId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KEPT {
            all.retain(|_, (since, _)| since.elapsed() < FRESH);
        }
        if all.len() < MAX_KEPT {
            all.insert(calendar, (Instant::now(), zone));
        }
    }
}

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
            // Whoever does not know the question has no zone to tell.
            Err(WireError::Refused(refusal)) => {
                tracing::debug!(%refusal, "the zone of a calendar is not told");
                ZoneId::utc()
            }
            Err(error) => return Err(error),
        };
        self.shared.zones.keep(calendar, zone.clone());
        Ok(zone)
    }
}

fn told_zone(response: &Response) -> Option<ZoneId> {
    let named = response.text(Ns::CalDav, "calendar-timezone-id").and_then(zone_named);
    named.or_else(|| {
        let definition = response.text(Ns::CalDav, "calendar-timezone")?;
        zone_defined(definition.as_bytes(), now())
    })
}
