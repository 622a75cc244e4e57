//! The server's door, as a link found it: its connections are made here, each with the same identity and
//! for the same link.

use super::config::Proxy;
use super::dial;
use crate::traffic::{Counted, Meter};
use crate::wire::hello::{self, Hello, Lane, Reply, Welcome};
use crate::{Error, Result};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A connection to the server.
pub(super) type Wire = TlsStream<Counted<TcpStream>>;

/// Where the connections of one link are made.
pub(super) struct Door {
    /// `host:port`.
    pub address: String,
    pub proxy: Option<Proxy>,
    pub congestion: Option<String>,
    pub tls: Arc<ClientConfig>,
    pub meter: Arc<Meter>,
    /// What is said on the connection for calls.
    pub hello: Hello,
    /// How long one connection may take.
    pub limit: Duration,
}

impl Door {
    /// Makes one more connection of the link that stands, in the time that one may take.
    pub async fn open_in_time(&self, lane: Lane) -> Result<(Wire, Welcome)> {
        in_time(self.limit, &self.address, self.open(lane)).await
    }

    /// Makes a connection, up to the server's welcome.
    pub async fn open(&self, lane: Lane) -> Result<(Wire, Welcome)> {
        let counter = self.meter.lane(lane).clone();
        let (proxy, congestion) = (self.proxy.as_ref(), self.congestion.as_deref());
        let mut io = dial::tls(&self.address, proxy, congestion, self.tls.clone(), counter).await?;
        hello::send(&mut io, &Hello { lane, ..self.hello.clone() }).await?;
        match hello::receive(&mut io).await? {
            Reply::Welcome(welcome) => Ok((io, welcome)),
            Reply::Refused(refused) => Err(Error::Refused(refused)),
        }
    }
}

/// What is done at an address, if it is done in time.
pub(super) async fn in_time<T>(
    limit: Duration,
    address: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let late = |_| {
        let (address, reason) = (address.to_owned(), "it took too long".to_owned());
        Err(Error::Unreachable { address, reason })
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(late)
}
