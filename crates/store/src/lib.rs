//! Where the server keeps what it must not forget: the devices' sync states, the devices
//! themselves, the connectors. The only crate that knows SQL.
//!
//! One [`Store`] is one database. Each family of tables has its statements in one file; how such
//! a file is written is said in `session.rs`. All statements number their parameters `$1…$n` in the
//! order in which they appear and use no more than both SQLite and PostgreSQL have.

mod api_tokens;
mod audit;
mod books;
mod configurations;
mod connector_orders;
mod connectors;
mod device_certificates;
mod devices;
mod emergency_accounts;
mod enrolments;
mod error;
mod events;
mod handing_over;
mod migrations;
mod outbox;
mod own;
mod places;
mod postgres;
mod routes;
mod second_factors;
mod session;
mod sqlite;
mod states;
mod statistics;
mod store;
mod terms;
mod users;
mod webhooks;
mod wipe_orders;

pub use api_tokens::ApiToken;
pub use audit::{ActFilter, ActRecord};
pub use books::{Book, Edit};
pub use connector_orders::{ConnectorOrder, WaitingConnectorOrder};
pub use device_certificates::{DeviceCertificate, NewCertificate};
pub use devices::{
    Admission, Applied, Decider, Decision, Device, DeviceFilter, Held, Hold, MOST_USERS, Newcomers,
    Order, Policy, PolicyKey, PolicyReply, Seen, Sighting, Waiting, Wipe, WipeKind,
};
pub use emergency_accounts::EmergencyAccount;
pub use error::{Error, Refused, Result};
pub use events::{Event, EventFilter, EventPage, Level, NewEvent};
pub use handing_over::{DeviceStates, TakenOver, UnfitStates};
pub use outbox::{OutboxLimits, Queued};
pub use own::{DevicePassword, Invitation};
pub use places::Place;
pub use postgres::PostgresConfig;
pub use routes::{RouteRecord, SettingRecord};
pub use second_factors::SecondFactor;
pub use statistics::{By, CountFilter, CountLine, Counted, Counts, DURATIONS_MS};
pub use store::Store;
pub use terms::{Acceptance, Terms};
pub use webhooks::{Delivery, WebhookState};
pub use wipe_orders::{Behind, WipeEntry, WipeOrder, WipeRecord, WipesBefore, Wiping};

#[cfg(test)]
mod tests {
    /// SQLite numbers `$n` by where they appear, PostgreSQL by the digit: both must be the same.
    #[test]
    fn parameters_are_numbered_in_order_of_appearance() {
        let sources = [
            include_str!("api_tokens.rs"),
            include_str!("audit.rs"),
            include_str!("books.rs"),
            include_str!("configurations.rs"),
            include_str!("connector_orders.rs"),
            include_str!("connectors.rs"),
            include_str!("device_certificates.rs"),
            include_str!("devices.rs"),
            include_str!("devices/copying.rs"),
            include_str!("devices/finding.rs"),
            include_str!("emergency_accounts.rs"),
            include_str!("enrolments.rs"),
            include_str!("events.rs"),
            include_str!("handing_over.rs"),
            include_str!("outbox.rs"),
            include_str!("own.rs"),
            include_str!("places.rs"),
            include_str!("routes.rs"),
            include_str!("second_factors.rs"),
            include_str!("states.rs"),
            include_str!("terms.rs"),
            include_str!("statistics.rs"),
            include_str!("users.rs"),
            include_str!("webhooks.rs"),
            include_str!("wipe_orders.rs"),
        ];
        let mut checked = 0;
        let constants = sources.iter().flat_map(|source| source.split("const ").skip(1));
        let is_text = |one: &&str| one.lines().next().is_some_and(|line| line.contains(": &str"));
        for statement in constants.filter(is_text) {
            let statement = statement.split("\";").next().unwrap();
            let numbers: Vec<usize> = statement
                .split('$')
                .skip(1)
                .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>())
                .map(|digits| digits.parse().unwrap())
                .collect();
            assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{statement}");
            checked += usize::from(!numbers.is_empty());
        }
        assert!(checked > 30, "only {checked} statements were found");
    }
}
