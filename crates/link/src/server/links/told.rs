//! What is told of links to whoever looks at them from outside.

use crate::traffic::Traffic;
use crate::{Capabilities, Segments, Used, Validity};
use dme_model::{ConnectorId, Realm, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// A link that stands, as seen from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkState {
    /// Whose.
    pub id: ConnectorId,
    /// The connector's name.
    pub name: String,
    /// What it offers.
    pub capabilities: Capabilities,
    /// The realms its directory says it is the source of; none where its release does not say.
    pub realms: Option<BTreeSet<Realm>>,
    /// Whether it serves phones near it, from a store that the server replicates with.
    pub is_edge: bool,
    /// Its release.
    pub software: String,
    /// The address it came from; nothing for one in this process.
    pub peer: Option<String>,
    /// Since when. No two links have the same.
    pub since: Timestamp,
    /// The round trip as last measured.
    pub round_trip: Option<Duration>,
    /// What crossed it and the connector's links before it.
    pub traffic: Traffic,
    /// Segments sent over it, and sent again, as of the last round trip; nothing where the kernel does
    /// not tell.
    pub segments: Option<Segments>,
    /// What the connector says of its budget, where it has one.
    pub used: Option<Used>,
    /// Calls and fetches that run.
    pub outstanding: usize,
    /// Calls and fetches that wait for a place.
    pub queued: usize,
    /// Watches that stand.
    pub watches: usize,
    /// It is going away: new work should go elsewhere.
    pub draining: bool,
    /// As many run as may, and as many wait as may.
    pub exhausted: bool,
    /// How long the certificate it came with holds; nothing for one in this process.
    pub certificate: Option<Validity>,
}

/// What happened to a link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkEvent {
    /// A connector has linked.
    Connected(ConnectorId),
    /// A connector has no link any more.
    Lost {
        /// Whose.
        id: ConnectorId,
        /// Why, for people.
        reason: String,
    },
    /// An edge has something to tell: an exchange is due.
    News(ConnectorId),
}

/// How connectors are to go away and come back (rule L3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DrainOrder {
    /// When to dial again; connectors spread themselves over as long again. Without a wait nothing
    /// ends before there is something else: the link goes on until another stands in its place.
    pub after: Duration,
    /// Addresses, `host:port`, to try before the configured ones.
    pub servers: Vec<String>,
}
