//! Events as they stand in `ApplicationData` (MS-ASCAL).
//!
//! The server tells an event with [`to_elements`] and reads what a phone writes with
//! [`patch_from_elements`], from 16.0 on for one instance of a series with
//! [`instance_from_elements`]. A phone reads with [`from_elements`] and writes with
//! [`patch_to_elements`].
//!
//! Times stand there as moments in UTC beside the zone they are meant on; days of events that last
//! whole days are until 14.1 midnights of that zone and from 16.0 on days alone.

mod attendees;
mod cover;
mod exceptions;
mod instance;
pub(crate) mod meeting;
mod patch;
mod place;
mod read;
pub(crate) mod time;
mod write;

pub use crate::attachment::{AttachedFile, attached_to_elements};
pub use instance::{drop_instance, instance_from_elements, instance_id, original};
pub use patch::{attachment_client_ids, patch_from_elements, patch_to_elements};
pub use read::from_elements;
pub use write::to_elements;

use dme_model::Timestamp;
use dme_zone::Zone;

/// Against what events are told and read.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The user's clock: of floating times and, until 14.1, of days; and where a phone tells no zone.
    pub home: &'a Zone,
    /// The server's time: for events without a begin, and for the rules of zones that are told.
    pub now: Timestamp,
}

#[cfg(test)]
mod tests;
