//! The first words on a connection, before HTTP/2 begins.

use super::packing::Packing;
use super::record::{Assembler, Limits, Record};
use crate::{Capabilities, Error, Fingerprint, Refusal, Refused, Result};
use dme_model::{ConnectorId, Realm, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a connection is for (rule L5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Lane {
    /// Small calls, watches, control.
    Calls,
    /// Content.
    Bulk,
}

/// What a connector says first on each of a link's connections.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The newest version it speaks.
    pub version: u32,
    /// The oldest it still speaks.
    pub oldest_version: u32,
    /// Made anew for each link: the connections with the same are one link.
    pub session: String,
    /// What this connection is for.
    pub lane: Lane,
    /// Its release.
    pub software: String,
    /// Both ends ask after each other at this interval, in milliseconds.
    pub keepalive_ms: u64,
    /// And wait so long for an answer.
    pub keepalive_timeout_ms: u64,
    /// What it offers.
    pub capabilities: Capabilities,
    /// The realms its directory is the source of. A release from before this field does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realms: Option<BTreeSet<Realm>>,
    /// How it wants records packed: the names of ways that both ends may use, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packing: Vec<String>,
    /// It makes the connection for content when it is asked to. A release from before this field
    /// makes both at once, and so does this one where the server does not agree.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bulk_on_demand: bool,
    /// It serves phones near it from a store of its own, which the server is to replicate with. A
    /// release from before this field does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edge: bool,
}

/// What the server says to a hello.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// HTTP/2 begins.
    Welcome(Welcome),
    /// The connection ends.
    Refused(Refused),
}

/// The server takes the connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Welcome {
    /// The version to speak.
    pub version: u32,
    /// Who the connector is to the server.
    pub connector: ConnectorId,
    /// Its name there.
    pub name: String,
    /// The server's release.
    pub software: String,
    /// The one of the connector's ways of packing that both ends use from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packing: Option<String>,
    /// Where the server is to be reached from now on, `host:port`, in the order to try them; nothing
    /// where it does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
    /// The server asks for the connection for content when it needs it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bulk_on_demand: bool,
}

impl Welcome {
    /// How this link's records may be packed.
    pub(crate) fn packing(&self) -> Packing {
        Packing::known(&self.packing)
    }
}

/// What a connector says to be enrolled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct EnrollRequest {
    /// The token's secret; empty where a code is proven.
    pub secret: Secret,
    /// The request for a certificate, in PEM.
    pub request: String,
    /// Its release.
    pub software: String,
    /// That it has a connector's code, and made this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What the server says to that.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EnrollReply {
    /// Done.
    Enrolled(EnrolledReply),
    /// Not so.
    Refused(Refused),
}

/// The connector is in the server's book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct EnrolledReply {
    /// Who the connector is to the server.
    pub connector: ConnectorId,
    /// Its name there.
    pub name: String,
    /// The key the server entered.
    pub fingerprint: Fingerprint,
    /// Its certificate, in PEM.
    pub certificate: String,
    /// The authority's certificate, in PEM.
    pub authority: String,
    /// It may not serve until an administrator unlocks it.
    pub locked: bool,
    /// That the server has the code that was proven to it, and these certificates are its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The shortest and longest interval at which the ends of a link may ask after each other.
const KEEPALIVE: std::ops::RangeInclusive<u64> = 1_000..=900_000;
/// The shortest and longest wait for an answer to it.
const KEEPALIVE_TIMEOUT: std::ops::RangeInclusive<u64> = 1_000..=120_000;

impl Hello {
    /// The version both speak: the newest of those.
    pub(crate) fn agree(&self) -> Result<u32, Refused> {
        let version = self.version.min(super::VERSION);
        if version >= self.oldest_version && version >= super::OLDEST_VERSION {
            return Ok(version);
        }
        let detail = format!(
            "server {} speaks {} to {}, connector {} speaks {} to {}",
            crate::SOFTWARE,
            super::OLDEST_VERSION,
            super::VERSION,
            self.software,
            self.oldest_version,
            self.version
        );
        Err(Refused::because(Refusal::Incompatible, detail))
    }

    /// The way of packing that both know, where the connector wants one.
    pub(crate) fn packing(&self) -> Packing {
        Packing::known(&self.packing)
    }

    /// Interval and timeout of the keepalive, within bounds.
    pub(crate) fn keepalive(&self) -> (Duration, Duration) {
        let (low, high) = KEEPALIVE.into_inner();
        let (timeout_low, timeout_high) = KEEPALIVE_TIMEOUT.into_inner();
        (
            Duration::from_millis(self.keepalive_ms.clamp(low, high)),
            Duration::from_millis(self.keepalive_timeout_ms.clamp(timeout_low, timeout_high)),
        )
    }
}

/// Sends one record without a blob.
pub(crate) async fn send<T: Serialize>(
    io: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<()> {
    let bytes = super::record::write(message, 0).map_err(|e| Error::Protocol(e.to_string()))?;
    io.write_all(&bytes).await.map_err(lost)?;
    io.flush().await.map_err(lost)
}

/// Reads one record and not a byte more, for what follows is HTTP/2.
pub(crate) async fn receive<T: DeserializeOwned>(io: &mut (impl AsyncRead + Unpin)) -> Result<T> {
    let protocol = |error: super::record::RecordError| Error::Protocol(error.to_string());
    let mut assembler = Assembler::new(Limits::HELLO);
    let mut prefix = [0; 8];
    io.read_exact(&mut prefix).await.map_err(lost)?;
    assembler.push(prefix.to_vec().into());
    let record: Record = match assembler.next().map_err(protocol)? {
        Some(record) => record,
        None => {
            let mut rest = vec![0; assembler.missing().map_err(protocol)?];
            io.read_exact(&mut rest).await.map_err(lost)?;
            assembler.push(rest.into());
            let record = assembler.next().map_err(protocol)?;
            record.ok_or_else(|| Error::Protocol("a record that is no record".into()))?
        }
    };
    record.parse().map_err(protocol)
}

fn lost(error: std::io::Error) -> Error {
    Error::Protocol(format!("the connection was lost in its first words: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: u32, oldest_version: u32) -> Hello {
        Hello {
            version,
            oldest_version,
            session: "s".into(),
            lane: Lane::Calls,
            software: "0.9".into(),
            keepalive_ms: 1,
            keepalive_timeout_ms: u64::MAX,
            capabilities: Capabilities::default(),
            realms: Some([Realm::from("example.org")].into()),
            packing: Vec::new(),
            bulk_on_demand: false,
            edge: false,
        }
    }

    #[test]
    fn releases_agree_on_the_newest_version_both_speak() {
        assert_eq!(hello(1, 1).agree(), Ok(1));
        assert_eq!(hello(5, 1).agree(), Ok(1));
        let refused = hello(5, 2).agree().unwrap_err();
        assert_eq!(refused.reason, Refusal::Incompatible);
        assert!(refused.detail.contains("connector 0.9 speaks 2 to 5"), "{}", refused.detail);
        assert_eq!(hello(0, 0).agree().unwrap_err().reason, Refusal::Incompatible);
    }

    #[test]
    fn an_absurd_keepalive_is_brought_within_bounds() {
        let (interval, timeout) = hello(1, 1).keepalive();
        assert_eq!(interval, Duration::from_secs(1));
        assert_eq!(timeout, Duration::from_secs(120));
    }

    #[tokio::test]
    async fn reading_the_first_record_leaves_what_follows_it() {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        send(&mut ours, &hello(1, 1)).await.unwrap();
        ours.write_all(b"PRI").await.unwrap();
        assert_eq!(receive::<Hello>(&mut theirs).await.unwrap(), hello(1, 1));
        let mut rest = [0; 3];
        theirs.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"PRI");
    }

    #[tokio::test]
    async fn an_endless_hello_is_refused_at_its_first_bytes() {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        ours.write_all(&[0xff; 8]).await.unwrap();
        assert!(matches!(receive::<Hello>(&mut theirs).await, Err(Error::Protocol(_))));
    }

    #[test]
    fn unknown_fields_of_a_newer_release_are_passed_over() {
        let mut json = serde_json::to_value(hello(2, 1)).unwrap();
        json["moon"] = "full".into();
        assert_eq!(serde_json::from_value::<Hello>(json).unwrap(), hello(2, 1));
    }

    #[test]
    fn records_are_packed_where_the_connector_wants_it_in_a_way_that_both_know() {
        for (wanted, packing) in [
            (&[][..], Packing::Plain),
            (&["crush"], Packing::Plain),
            (&["crush", "zstd"], Packing::Zstd),
        ] {
            let packing_names = wanted.iter().map(|&way| way.to_owned()).collect();
            assert_eq!(Hello { packing: packing_names, ..hello(1, 1) }.packing(), packing);
        }
        let welcome = |packing: Option<&str>| Welcome {
            version: 1,
            connector: "c1".into(),
            name: "branch".into(),
            software: "0.9".into(),
            packing: packing.map(str::to_owned),
            servers: Vec::new(),
            bulk_on_demand: false,
        };
        assert_eq!(welcome(Some("zstd")).packing(), Packing::Zstd);
        assert_eq!(welcome(Some("crush")).packing(), Packing::Plain);
        // To a release from before it there is nothing new.
        for word in ["packing", "bulk_on_demand", "edge"] {
            assert!(!serde_json::to_string(&welcome(None)).unwrap().contains(word));
            assert!(!serde_json::to_string(&hello(1, 1)).unwrap().contains(word));
        }
    }

    #[test]
    fn a_release_that_did_not_tell_its_realms_is_understood_and_understands() {
        let mut json = serde_json::to_value(hello(1, 1)).unwrap();
        json.as_object_mut().unwrap().remove("realms");
        let older = serde_json::from_value::<Hello>(json).unwrap();
        assert_eq!(older, Hello { realms: None, ..hello(1, 1) });

        /// What such a release reads of a hello.
        #[derive(Deserialize)]
        struct Before {
            capabilities: Capabilities,
        }
        let read: Before =
            serde_json::from_value(serde_json::to_value(hello(1, 1)).unwrap()).unwrap();
        assert_eq!(read.capabilities, Capabilities::default());
    }
}
