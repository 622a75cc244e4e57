//! Everything that can be asked for, in one table: by REST, by `dme`, by the pages. Each area has its
//! part of the table beside what does it.

mod about;
mod account;
pub(crate) mod admission;
mod api_tokens;
mod away;
mod behaviour;
pub(crate) mod certificates;
mod connectors;
mod devices;
mod directory;
mod outbox;
pub(crate) mod overview;
mod own;
mod parts;
mod passwords;
pub(crate) mod policies;
mod records;
mod revised;
mod routes;
mod terms;
mod users;
mod webhooks;
mod wipes;

pub(crate) use api_tokens::Makers;
pub(crate) use parts::word;
pub(crate) use records::{event_filter, kinds};
pub(crate) use users::account as account_of;

use crate::endpoint::Endpoint;

/// Every endpoint. The first that fits is taken.
pub fn table() -> Vec<Endpoint> {
    let areas = [
        about::table(),
        overview::table(),
        account::table(),
        api_tokens::table(),
        connectors::table(),
        routes::table(),
        directory::table(),
        outbox::table(),
        devices::table(),
        devices::decided::table(),
        policies::table(),
        admission::table(),
        behaviour::table(),
        wipes::table(),
        users::table(),
        terms::table(),
        own::table(),
        records::table(),
        webhooks::table(),
    ];
    areas.into_iter().flatten().collect()
}
