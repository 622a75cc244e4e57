//! Accepts connections and serves HTTP/1.1 on them, within limits, until told to stop.

use crate::client_address::{TrustedProxies, read_proxy_header};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
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
    /// Handshakes under way at once: each costs processor time, an established connection does not.
    pub handshakes: usize,
    /// Time for the PROXY header and the TLS handshake together.
    pub handshake: Duration,
    /// Time for a request's head, also the longest a connection may idle between requests.
    pub head: Duration,
    /// Bytes of a request's head.
    pub head_size: usize,
    /// Header fields in a request.
    pub headers: usize,
}

/// How a listener treats what comes before HTTP.
#[derive(Clone)]
pub struct Transport {
    /// TLS, or none behind a proxy that ends it.
    pub tls: Option<TlsAcceptor>,
    /// Whether listed proxies send a PROXY header.
    pub proxy_protocol: bool,
    /// The proxies whose word counts.
    pub proxies: TrustedProxies,
}

/// Serves every connection with `handle` until `stop` is cancelled, then ends: idle connections
/// at once, running requests when they are answered or after `grace`.
pub async fn serve<H, F>(
    listener: TcpListener,
    transport: Transport,
    limits: Limits,
    stop: CancellationToken,
    grace: Duration,
    handle: H,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let tracker = TaskTracker::new();
    let connections = Arc::new(Semaphore::new(limits.connections));
    let handshakes = Arc::new(Semaphore::new(limits.handshakes));
    loop {
        let Ok(place) = connections.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
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
        let (transport, handshakes) = (transport.clone(), handshakes.clone());
        let (stop, handle) = (stop.clone(), handle.clone());
        tracker.spawn(async move {
            let _place = place;
            // The handshake's state is large and short-lived; boxed, it does not stay with the
            // connection.
            let shaken = Box::pin(shake(tcp, peer, &transport, &limits, &handshakes)).await;
            match shaken {
                Ok((Stream::Plain(io), peer)) => http(io, peer, limits, stop, handle).await,
                Ok((Stream::Tls(io), peer)) => http(*io, peer, limits, stop, handle).await,
                Err(error) => tracing::debug!(%peer, %error, "connection refused"),
            }
        });
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(grace, tracker.wait()).await.is_err() {
        tracing::warn!(left = tracker.len(), "connections did not end in time and are cut");
    }
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
}

async fn shake(
    mut tcp: TcpStream,
    peer: SocketAddr,
    transport: &Transport,
    limits: &Limits,
    handshakes: &Semaphore,
) -> Result<(Stream, SocketAddr), HandshakeError> {
    let whole = async {
        let _turn = handshakes.acquire().await;
        // Without this, small answers wait for the phone's delayed acknowledgement.
        let _ = tcp.set_nodelay(true);
        let mut client = peer;
        if transport.proxy_protocol && transport.proxies.contains(peer.ip()) {
            client = read_proxy_header(&mut tcp).await?.unwrap_or(peer);
        }
        let stream = match &transport.tls {
            Some(tls) => Stream::Tls(Box::new(tls.accept(tcp).await.map_err(HandshakeError::Tls)?)),
            None => Stream::Plain(tcp),
        };
        Ok((stream, client))
    };
    tokio::time::timeout(limits.handshake, whole)
        .await
        .unwrap_or(Err(HandshakeError::Slow(limits.handshake)))
}

async fn http<I, H, F>(io: I, peer: SocketAddr, limits: Limits, stop: CancellationToken, handle: H)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>, SocketAddr) -> F + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = handle(request, peer);
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_size.max(8192))
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}
