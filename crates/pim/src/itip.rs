//! Meetings between people on different systems: iTIP (RFC 5546) in mails (RFC 6047).
//!
//! - [`organise`]: whom the organiser's act concerns, and the mails that tell them.
//! - [`respond`]: the user's answer to an invitation.
//! - [`take_in`]: what arrives from others.
//! - [`by_server`]: what a calendar's own server tells, so that no mail has to.
//! - [`invitation`]: the meeting as the mail that brings it shows it.
//!
//! Nothing here answers by itself: a mail goes out because the user did something, never because
//! a mail came in, but for an attendee who asks for the meeting anew (`REFRESH`). So no two
//! systems can keep each other busy.

pub(crate) mod by_server;
pub(crate) mod invitation;
mod message;
pub(crate) mod organise;
pub(crate) mod respond;
pub(crate) mod take_in;
mod words;
