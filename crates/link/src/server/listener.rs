//! The link port: TLS, the first words, and what comes of them.

use super::guesses::Guesses;
use super::half::Half;
use super::handshakes::Handshakes;
use super::links::{DrainOrder, Links};
use crate::code::Binding;
use crate::tls::ServerTls;
use crate::traffic::Counted;
use crate::wire::hello::{self, EnrollReply, EnrollRequest, Hello, Lane, Reply, Welcome};
use crate::{
    ConnectorRecord, Error, Fingerprint, Refusal, Refused, Result, Validity, socket, wire,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

/// The limits of the link port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenConfig {
    /// Connections whose owner is not known yet; beyond, the one that waited longest is closed.
    pub handshakes: usize,
    /// How long a connection may take to say who it is.
    pub handshake_limit: Duration,
    /// When a locked connector asks again.
    pub locked_retry: Duration,
    /// When connectors come back after this server goes down, at the earliest; where they are many,
    /// they are given more time.
    pub comeback: Duration,
    /// How long running calls may take to end when the server goes down.
    pub drain_limit: Duration,
    /// Where connectors are to look for the server, `host:port`, in the order to try them; where they
    /// found it, as long as none is named.
    pub addresses: Vec<String>,
    /// Connectors that can make the connection for content when it is asked for. Without this they
    /// make it with the link, as those of a release before do.
    pub content_on_demand: bool,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            handshakes: 512,
            handshake_limit: Duration::from_secs(15),
            locked_retry: Duration::from_secs(10),
            comeback: Duration::from_secs(2),
            drain_limit: Duration::from_secs(15),
            addresses: Vec::new(),
            content_on_demand: true,
        }
    }
}

/// The time in which one connector may come back, on average, when all do: several times what its
/// handshakes take.
const HANDSHAKES: Duration = Duration::from_millis(10);

/// Accepts connectors until the shutdown, then drains every link and returns.
///
/// # Errors
/// When TLS cannot be set up. A connection that fails is logged, and the next one taken.
pub async fn serve(
    listener: TcpListener,
    links: Links,
    config: ListenConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let tls = ServerTls::new(links.registrar().authority().clone())?;
    let port = Arc::new(Port {
        tls,
        links: links.clone(),
        handshakes: Handshakes::new(config.handshakes),
        guesses: Guesses::new(Instant::now()),
        down: CancellationToken::new(),
        config,
    });
    let connections = TaskTracker::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((tcp, peer)) => {
                connections.spawn(port.clone().connection(tcp, peer));
            }
            Err(error) => {
                // Out of files, most likely: without a pause this would spin.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    port.down.cancel();
    let after = comeback(port.config.comeback, links.count());
    // Connectors know all addresses, and try this server's before one that stands in for it: nobody
    // waits for a host that is not there while this one only starts anew.
    links.drain_all(&DrainOrder { after, servers: Vec::new() });
    connections.close();
    if tokio::time::timeout(port.config.drain_limit, connections.wait()).await.is_err() {
        links.close_all();
        connections.wait().await;
    }
    Ok(())
}

/// When so many connectors are to come back: so spread, at the earliest then and at the latest in
/// twice the time, that their handshakes leave most of a processor to the phones.
fn comeback(least: Duration, links: usize) -> Duration {
    least.max(HANDSHAKES.saturating_mul(u32::try_from(links).unwrap_or(u32::MAX)))
}

struct Port {
    tls: ServerTls,
    links: Links,
    config: ListenConfig,
    handshakes: Handshakes,
    guesses: Guesses,
    /// The server is going down.
    down: CancellationToken,
}

/// What a connection turned out to be.
enum Arrival {
    /// One of a link's.
    Half(Box<(Half, Hello, ConnectorRecord)>),
    /// An enrolment, which is over.
    Enrolled,
}

impl Port {
    async fn connection(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr) {
        let place = self.handshakes.enter();
        // Boxed, so that a link that lasts does not keep the room its beginning needed.
        let greeting = Box::pin(self.greet(tcp, peer));
        let arrival = tokio::select! {
            arrival = tokio::time::timeout(self.config.handshake_limit, greeting) => {
                arrival.unwrap_or_else(|_| Err(Error::Protocol("too slow".into())))
            }
            () = place.evicted.cancelled() => Err(Error::Protocol("too many at the door".into())),
            () = self.down.cancelled() => return,
        };
        drop(place);
        match arrival {
            Ok(Arrival::Half(half)) => {
                self.links.attach(half, peer.to_string(), &self.down).await;
            }
            Ok(Arrival::Enrolled) => debug!(%peer, "enrolment answered"),
            Err(Error::Refused(refused)) => info!(%peer, %refused, "connector refused"),
            Err(error) => debug!(%peer, %error, "not a connector"),
        }
    }

    /// Finds out who is there.
    async fn greet(&self, tcp: TcpStream, peer: SocketAddr) -> Result<Arrival> {
        let tls = |error: std::io::Error| Error::Tls(error.to_string());
        socket::prepare(&tcp, None).map_err(tls)?;
        let tcp = Counted::new(tcp, Arc::default());
        let started = LazyConfigAcceptor::new(Default::default(), tcp).await.map_err(tls)?;
        let offers = |alpn: &[u8]| {
            started.client_hello().alpn().is_some_and(|mut all| all.any(|offer| offer == alpn))
        };
        if offers(wire::LINK) {
            let mut io = started.into_stream(self.tls.link.clone()).await.map_err(tls)?;
            io.get_mut().1.set_buffer_limit(Some(socket::SEALED));
            return self.greet_connector(io).await;
        }
        if offers(wire::ENROLL) {
            let io = started.into_stream(self.tls.enroll.clone()).await.map_err(tls)?;
            return self.enroll(io, peer).await;
        }
        Err(Error::Tls("it offers neither a link nor an enrolment".into()))
    }

    async fn greet_connector(&self, mut io: TlsStream<Counted<TcpStream>>) -> Result<Arrival> {
        let leaf = io.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let leaf = leaf.ok_or_else(|| Error::Tls("no certificate was shown".into()))?;
        let key = Fingerprint::of_certificate(leaf)?;
        let certificate = Validity::of_certificate(leaf)?;
        let tcp = io.get_ref().0.get_ref();
        let socket = tcp.local_addr().ok().zip(tcp.peer_addr().ok());
        let mut hello: Hello = hello::receive(&mut io).await?;
        hello.bulk_on_demand &= self.config.content_on_demand;
        match self.admit(&key, &hello).await {
            Ok((record, version)) => {
                let welcome = Welcome {
                    version,
                    connector: record.id.clone(),
                    name: record.name.clone(),
                    software: crate::SOFTWARE.into(),
                    packing: hello.packing().name().map(str::to_owned),
                    servers: self.config.addresses.clone(),
                    bulk_on_demand: hello.bulk_on_demand,
                };
                let meter = self.links.meter(&record.id);
                io.get_mut().0.count_into(meter.lane(hello.lane));
                hello::send(&mut io, &Reply::Welcome(welcome)).await?;
                if hello.lane == Lane::Bulk && !hello.bulk_on_demand {
                    let tcp = io.get_ref().0.get_ref();
                    let kept = socket::keep_alive(tcp, hello.keepalive());
                    kept.map_err(|error| Error::Tls(error.to_string()))?;
                }
                let mut half = Half::new(io, &hello);
                half.certificate = Some(certificate);
                half.socket = socket;
                Ok(Arrival::Half(Box::new((half, hello, record))))
            }
            Err(error) => {
                let refused = match &error {
                    Error::Refused(refused) => refused.clone(),
                    other => {
                        warn!(error = %other, "a connector could not be admitted");
                        Refused::new(Refusal::Busy)
                    }
                };
                hello::send(&mut io, &Reply::Refused(self.with_retry(refused))).await?;
                close(io).await;
                Err(error)
            }
        }
    }

    async fn admit(&self, key: &Fingerprint, hello: &Hello) -> Result<(ConnectorRecord, u32)> {
        if self.down.is_cancelled() {
            return Err(Error::Refused(Refused::new(Refusal::Busy)));
        }
        let record = self.links.registrar().admit(key).await?;
        let version = hello.agree().map_err(Error::Refused)?;
        // Said of the connection for calls. That for content comes whenever it is wanted, also while the
        // book can only be read.
        if hello.lane == Lane::Calls {
            self.links.registrar().linked(&record.id, key).await?;
        }
        Ok((record, version))
    }

    fn with_retry(&self, refused: Refused) -> Refused {
        let after = match refused.reason {
            Refusal::Locked => self.config.locked_retry,
            Refusal::Busy => self.config.comeback,
            _ => return refused,
        };
        refused.after(after)
    }

    async fn enroll(
        &self,
        mut io: TlsStream<Counted<TcpStream>>,
        peer: SocketAddr,
    ) -> Result<Arrival> {
        let request: EnrollRequest = hello::receive(&mut io).await?;
        let registrar = self.links.registrar();
        let answer = match &request.code {
            None => registrar.enroll(&request).await,
            Some(proof) => match self.guesses.attempt(peer.ip(), Instant::now()) {
                Ok(()) => {
                    registrar.enroll_again(&request, proof, &Binding::of(io.get_ref().1)?).await
                }
                Err(wait) => {
                    let why = "too many codes were tried; wait a minute";
                    Ok(EnrollReply::Refused(Refused::because(Refusal::Busy, why).after(wait)))
                }
            },
        };
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                warn!(%error, "an enrolment failed");
                EnrollReply::Refused(self.with_retry(Refused::new(Refusal::Busy)))
            }
        };
        hello::send(&mut io, &reply).await?;
        close(io).await;
        match reply {
            EnrollReply::Enrolled(_) => Ok(Arrival::Enrolled),
            EnrollReply::Refused(refused) => Err(Error::Refused(refused)),
        }
    }
}

/// Ends a connection so that its last words arrive.
async fn close(mut io: TlsStream<Counted<TcpStream>>) {
    if let Err(error) = io.shutdown().await {
        debug!(%error, "the peer was gone before the end");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_connectors_come_back_the_longer_they_are_given() {
        let least = Duration::from_secs(2);
        assert_eq!(comeback(least, 3), least);
        assert_eq!(comeback(least, 1_000), Duration::from_secs(10));
    }
}
