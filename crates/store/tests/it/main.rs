//! The store from outside.

#[cfg(test)]
mod api_tokens;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod books;
#[cfg(test)]
mod configurations;
#[cfg(test)]
mod connector_orders;
#[cfg(test)]
mod connectors;
#[cfg(test)]
mod copied_devices;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod events;
#[cfg(test)]
mod handing_over;
#[cfg(test)]
mod in_place;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod own;
#[cfg(test)]
mod places;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod signing_in;
#[cfg(test)]
mod states;
#[cfg(test)]
mod statistics;
