//! The connector: which backends it runs, by its configuration, and its link to the server.

mod address_book;
mod address_list;
pub mod config;
mod role;
mod tokens;

pub use address_book::AddressBookConfig;
pub use address_list::AddressListConfig;
pub use role::{Offered, Running, StartError, enroll, reach, services, start};
