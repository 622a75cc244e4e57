//! The link: the connection a connector dials, over which the server calls it.

mod authority;
mod book;
mod capabilities;
mod certificate;
mod clock;
mod code;
mod configuration;
mod connector;
mod countersigning;
mod enrolments;
mod error;
mod files;
mod fingerprint;
mod h2;
mod hours;
mod ledger;
mod link_times;
mod measured;
mod refused;
mod sealing;
mod segments;
mod server;
mod socket;
mod tls;
mod token;
mod traffic;
mod wire;

pub use authority::{
    Authority, DeviceIdentity, Identity, LINK_NAME, SigningRequest, Validity, verify_signature,
};
pub use book::{BookError, ConnectorBook, ConnectorRecord, ConnectorState, MemoryBook};
pub use capabilities::{Capabilities, Counting, CredentialsNeeded, Mailboxes, Services};
pub use code::{Code, CodeKey};
pub use configuration::{
    Configuration, ConfigurationReport, Configurations, MemoryConfigurations, RefusedConfiguration,
};
pub use connector::{
    BackoffConfig, BulkHours, Connector, ConnectorConfig, ConnectorStatus, EdgeService, Enrolled,
    Identities, KeepAlive, Proxy, Reached, Thrift, Upkeep, Windows, enroll, enroll_again, random,
    reach, seed_random,
};
pub use enrolments::{Approval, Enrolment, Enrolments, MemoryEnrolments, Rejection};
pub use error::{Error, Result};
pub use fingerprint::Fingerprint;
pub use hours::{Hours, NoHours};
pub use ledger::{Changed, Delta, Facts, Held, Ledger, NotFromHere, Replica};
pub use link_times::LinkTimes;
pub use measured::Measured;
pub use refused::{Refusal, Refused};
pub use sealing::{SealingKey, SealingPair, Secrets};
pub use segments::Segments;
pub use server::{
    CallObserver, CallSeen, DrainOrder, LinkEvent, LinkState, Links, LinksConfig, ListenConfig,
    NotAnswered, Registrar, WorkLimits, serve,
};
pub use tls::device_verifier;
pub use token::{Token, TokenHash};
pub use traffic::{Flow, Kind, Traffic, Used};
pub use wire::countersign::Countersigned;
pub use wire::edge::{Exchange, Exchanged};
#[doc(hidden)]
pub use wire::fuzz::read_frames;
pub use wire::packing::Packing;
pub use wire::upkeep::{Check, CheckVerdict, Diagnosis};

/// The release, as the two ends tell each other.
pub(crate) const SOFTWARE: &str = env!("CARGO_PKG_VERSION");
