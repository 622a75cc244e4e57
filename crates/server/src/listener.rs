//! Accepts connections and serves HTTP/1.1 on them, within limits, until told to stop.

use crate::client_address::{TrustedProxies, read_proxy_header};
use crate::door::Door;
use crate::own::ShownCertificate;
use crate::send_limit::SendLimit;
use bytes::Bytes;
use dme_link::Fingerprint;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a listener allows before it knows who is there.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Handshakes under way at once; beyond, the oldest is given up for the newest.
    pub handshakes: usize,
    /// Time for the PROXY header and the TLS handshake together.
    pub handshake: Duration,
    /// Time for a request's head, also the longest a connection may idle between requests.
    pub head: Duration,
    /// The longest a peer may take nothing of its answer.
    pub send: Duration,
    /// Bytes of a request's head.
    pub head_size: usize,
    /// Header fields in a request.
    pub headers: usize,
}

/// How a listener treats what comes before HTTP.
#[derive(Clone)]
pub struct Transport {
    /// Who may speak, and how.
    pub security: Security,
    /// Whether listed proxies send a PROXY header.
    pub proxy_protocol: bool,
    /// The proxies whose word counts.
    pub proxies: TrustedProxies,
}

/// Who may speak to a listener, and how.
#[derive(Clone)]
pub enum Security {
    /// Anybody, over TLS.
    Tls(TlsAcceptor),
    /// The listed proxies only, in plain: they end the TLS. A password of anybody else would
    /// cross the network in plain text.
    PlainFromProxies,
    /// Anybody, in plain: a listener on loopback.
    Plain,
}

/// Serves every connection with `handle` until `stop` is cancelled, then ends: idle connections
/// at once, running requests when they are answered or after `grace`.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    transport: Transport,
    limits: Limits,
    stop: CancellationToken,
    grace: Duration,
    handle: H,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let tracker = TaskTracker::new();
    let cut = CancellationToken::new();
    let connections = Arc::new(Semaphore::new(limits.connections));
    let door = Door::new(limits.handshakes);
    loop {
        let next = async {
            let place = connections.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let (tcp, peer) = match accepted {
            Ok(pair) => pair,
            Err(error) => {
                // Out of file descriptors, mostly: wait for some to come back.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (transport, door) = (transport.clone(), door.clone());
        let (ends, handle) = (Ends { stop: stop.clone(), cut: cut.clone() }, handle.clone());
        tracker.spawn(async move {
            let _place = place;
            // The handshake's state is large and short-lived; boxed, it does not stay with the
            // connection.
            let shaken = Box::pin(async {
                let place = door.enter();
                tokio::select! {
                    shaken = shake(tcp, peer, &transport, &limits) => shaken,
                    () = place.taken() => Err(HandshakeError::Crowded),
                    () = ends.stop.cancelled() => Err(HandshakeError::Stopping),
                }
            });
            match shaken.await {
                Ok((Stream::Plain(io), peer)) => http(io, peer, None, limits, ends, handle).await,
                Ok((Stream::Tls(io), peer)) => {
                    let shown = shown_on(&io);
                    http(io, peer, shown, limits, ends, handle).await;
                }
                Err(error) => tracing::debug!(%peer, %error, "connection refused"),
            }
        });
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(grace, tracker.wait()).await.is_err() {
        tracing::warn!(left = tracker.len(), "connections did not end in time and are cut");
        cut.cancel();
        tracker.wait().await;
    }
}

/// How a connection is told to end.
struct Ends {
    /// When what runs is answered.
    stop: CancellationToken,
    /// Now.
    cut: CancellationToken,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

#[derive(Debug, thiserror::Error)]
enum HandshakeError {
    #[error(transparent)]
    Proxy(#[from] crate::client_address::ProxyError),
    #[error("TLS: {0}")]
    Tls(std::io::Error),
    #[error("not done within {0:?}")]
    Slow(Duration),
    #[error("plain HTTP is for the proxies in phones.proxies only")]
    NoProxy,
    #[error("too many handshakes were under way, and this was the oldest")]
    Crowded,
    #[error("the server goes down")]
    Stopping,
}

async fn shake(
    mut tcp: TcpStream,
    peer: SocketAddr,
    transport: &Transport,
    limits: &Limits,
) -> Result<(Stream, SocketAddr), HandshakeError> {
    let whole = async {
        // Without this, small answers wait for the phone's delayed acknowledgement.
        let _ = tcp.set_nodelay(true);
        let from_proxy = transport.proxies.contains(peer.ip());
        if matches!(transport.security, Security::PlainFromProxies) && !from_proxy {
            return Err(HandshakeError::NoProxy);
        }
        let mut client = peer;
        if transport.proxy_protocol && from_proxy {
            client = read_proxy_header(&mut tcp).await?.unwrap_or(peer);
        }
        let stream = match &transport.security {
            Security::Tls(tls) => {
                Stream::Tls(Box::new(tls.accept(tcp).await.map_err(HandshakeError::Tls)?))
            }
            Security::PlainFromProxies | Security::Plain => Stream::Plain(tcp),
        };
        Ok((stream, client))
    };
    tokio::time::timeout(limits.handshake, whole)
        .await
        .unwrap_or(Err(HandshakeError::Slow(limits.handshake)))
}

/// The certificate that the peer showed in the handshake, which was verified.
fn shown_on(io: &tokio_rustls::server::TlsStream<TcpStream>) -> Option<ShownCertificate> {
    let leaf = io.get_ref().1.peer_certificates()?.first()?;
    Fingerprint::of_certificate(leaf).ok().map(ShownCertificate)
}

async fn http<I, H, F, B>(
    io: I,
    peer: SocketAddr,
    shown: Option<ShownCertificate>,
    limits: Limits,
    ends: Ends,
    handle: H,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>, SocketAddr) -> F + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(shown) = shown {
            request.extensions_mut().insert(shown);
        }
        let answer = handle(request, peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_size.max(8192))
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(SendLimit::new(io, limits.send)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = ends.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = ends.cut.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}
