//! The store from outside.

#[cfg(test)]
mod configurations;
#[cfg(test)]
mod connectors;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod states;
