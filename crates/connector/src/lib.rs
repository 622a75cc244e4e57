//! The connector: which backends it runs, by its configuration, and its link to the server.

mod address_book;
mod address_list;
pub mod config;
pub mod configuration;
mod diagnosis;
mod fit;
mod link;
mod role;
mod services;
mod tally;
mod tokens;
mod upkeep;

pub use address_book::AddressBookConfig;
pub use address_list::AddressListConfig;
pub use link::{LinkConfig, Profile, WindowsConfig, WrongLink};
pub use role::{Running, StartError, enroll, enroll_again, reach, start};
pub use services::{Offered, services};
pub use upkeep::Surroundings;
