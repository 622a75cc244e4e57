//! The settings of a connector's link.

use super::backoff::BackoffConfig;
use super::windows::Windows;
use crate::{Hours, Packing};
use dme_model::{Secret, Timestamp};
use std::path::PathBuf;
use std::time::Duration;

/// The settings of a connector's link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectorConfig {
    /// Where the identity is, made by [`super::enroll`].
    pub identity: PathBuf,
    /// Addresses of the server's link port, `host:port`, in the order to try them; where empty,
    /// those of the token.
    pub servers: Vec<String>,
    /// The way out, where there is no direct one.
    pub proxy: Option<Proxy>,
    /// How the two ends ask after each other.
    pub keepalive: KeepAlive,
    /// When it is linked; always where not set.
    pub windows: Option<Windows>,
    /// How the line is spared.
    pub thrift: Thrift,
    /// When to dial again.
    pub backoff: BackoffConfig,
    /// The connection for content is made when the server asks for it, where the server does so.
    /// Without this it is made with the link, as a release before does.
    pub content_on_demand: bool,
    /// How long dialling one address may take, up to the server's welcome.
    pub dial_limit: Duration,
    /// How long running calls may take to end when the link is to go.
    pub drain_limit: Duration,
}

impl ConnectorConfig {
    /// The defaults, with the identity in this directory.
    pub fn new(identity: impl Into<PathBuf>) -> Self {
        Self {
            identity: identity.into(),
            servers: Vec::new(),
            proxy: None,
            keepalive: KeepAlive::default(),
            windows: None,
            thrift: Thrift::default(),
            backoff: BackoffConfig::default(),
            content_on_demand: true,
            dial_limit: Duration::from_secs(20),
            drain_limit: Duration::from_secs(10),
        }
    }
}

/// How the two ends of a link ask after each other (rule L4). The server does it at the same
/// interval, within its bounds (1 s to 15 min; timeout 1 s to 2 min).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeepAlive {
    /// How often.
    pub interval: Duration,
    /// How long to wait for the answer before the link counts as lost.
    pub timeout: Duration,
}

impl KeepAlive {
    /// For a line paid by volume, or thin: under 15 MB a month when idle. A dead peer is noticed
    /// within seven minutes; a line that is gone for two is waited for.
    pub const METERED: Self =
        Self { interval: Duration::from_secs(300), timeout: Duration::from_secs(120) };
}

impl Default for KeepAlive {
    /// A dead peer is noticed within 25 seconds.
    fn default() -> Self {
        Self { interval: Duration::from_secs(15), timeout: Duration::from_secs(10) }
    }
}

/// How a line that is paid by volume is spared. The default spares nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thrift {
    /// How records are packed, where the server knows how.
    pub packing: Packing,
    /// The congestion control asked of the kernel, such as `bbr`, which does better on lines that
    /// lose packets; the kernel's own where not set, or not lent.
    pub congestion: Option<String>,
    /// Changes in mailboxes are told at intervals of this length, and no more often; nothing tells
    /// each at once.
    pub gather: Duration,
    /// The server is told at this interval what is counted of calls; nothing where nothing happened.
    pub counts: Duration,
    /// When large content may cross; at any time where not set.
    pub bulk: Option<BulkHours>,
    /// Bytes a month beyond which there are warnings, the first at four fifths of it.
    pub budget: Option<u64>,
}

impl Default for Thrift {
    fn default() -> Self {
        Self {
            packing: Packing::Plain,
            congestion: None,
            gather: Duration::ZERO,
            counts: Duration::from_secs(15),
            bulk: None,
            budget: None,
        }
    }
}

/// Hours for large content. Outside of them a part of a message, or a whole one, that is asked for
/// by itself and is larger than this is answered with `Busy` and the time until they begin. Items
/// that are fetched as phones sync them are not held back: they are cut to what was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BulkHours {
    /// Bytes.
    pub over: u64,
    /// When.
    pub hours: Hours,
}

impl BulkHours {
    /// How long content of this size has to wait.
    pub(super) fn wait(&self, size: u64, now: Timestamp) -> Option<Duration> {
        let wait = (size > self.over).then(|| self.hours.until_begin(now));
        wait.filter(|wait| !wait.is_zero())
    }
}

/// A forward proxy, asked by HTTP `CONNECT` (RFC 9110 §9.3.6). One that breaks TLS open cannot be
/// used: the link's two ends show each other certificates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proxy {
    /// `host:port`.
    pub address: String,
    /// Name and password for Basic authentication (RFC 7617).
    pub login: Option<(String, Secret)>,
}
