//! When people are free (`Availability` of ResolveRecipients, MS-ASCMD 2.2.3.16): asked of the
//! user's calendar system once for all recipients of a request.

use super::exchange::Exchange;
use dme_eas::CommonStatus;
use dme_eas::free_busy::{Busy, half_hours, no_data};
use dme_eas::resolve_recipients::Status;
use dme_mailbox::{BusyPeriod, BusyQuery};
use dme_model::Timestamp;
use std::collections::HashMap;

/// People asked for at once; for more the phone asks again (MS-ASCMD 2.2.3.177.12: status 160).
const MOST: usize = 100;

/// What a calendar system said of some people.
pub(super) struct Availability {
    start: Timestamp,
    end: Timestamp,
    said: Result<HashMap<String, Option<Vec<BusyPeriod>>>, CommonStatus>,
}

impl Availability {
    /// Asks when these people are free from one moment to another.
    pub async fn ask(
        exchange: &Exchange<'_>,
        (start, end): (Timestamp, Timestamp),
        addresses: Vec<String>,
    ) -> Self {
        if addresses.len() > MOST {
            return Self { start, end, said: Err(CommonStatus::AvailabilityTooManyRecipients) };
        }
        let query = BusyQuery { addresses, start, end };
        let said = match exchange.engine().busy(exchange.session(), &query).await {
            Ok(times) => Ok(times.into_iter().map(|one| (one.address, one.periods)).collect()),
            Err(dme_sync::Error::Mailbox(error)) if error.is_transient() => {
                Err(CommonStatus::AvailabilityTransientFailure)
            }
            Err(error) => {
                tracing::info!(request = %exchange.request, %error, "free and busy times not told");
                Err(CommonStatus::AvailabilityFailure)
            }
        };
        Self { start, end, said }
    }

    /// Of one of them: how it went, and a digit for each half hour.
    pub fn of(&self, address: &str) -> (Status, Option<String>) {
        let (start, end) = (self.start, self.end);
        match &self.said {
            Err(status) => ((*status).into(), None),
            Ok(said) => match said.get(address) {
                Some(Some(periods)) => {
                    let busy = periods.iter().map(|period| Busy {
                        start: period.start,
                        end: period.end,
                        status: period.status,
                    });
                    (Status::Success, Some(half_hours(start, end, busy)))
                }
                // Nothing is known: so it is told, as a digit of its own.
                _ => (Status::Success, Some(no_data(start, end))),
            },
        }
    }
}
