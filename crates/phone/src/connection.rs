//! One HTTP/1.1 connection, with TLS or without, kept open between requests as phones do.

use crate::address::Address;
use crate::error::{Error, Result};
use crate::trust::Tls;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// hyper's read buffer begins at 8 KB and grows by what is read; this bounds it, so that many
/// parked phones fit into one process.
const MAX_BUFFER: usize = 64 * 1024;

pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(address: &Address, tls: &Tls, patience: Duration) -> Result<Self> {
        let late = Error::Timeout { what: "connection", after: patience };
        match timeout(patience, Self::dial(address, tls)).await {
            Ok(connection) => connection,
            Err(_) => Err(late),
        }
    }

    async fn dial(address: &Address, tls: &Tls) -> Result<Self> {
        let tcp = dial_tcp(address).await?;
        if !address.tls {
            return Self::over(tcp).await;
        }
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_| Error::Address(address.to_string()))?;
        let stream = tls.connector().connect(name, tcp).await;
        let stream = stream.map_err(|source| Error::Tls { host: address.host.clone(), source })?;
        Self::over(stream).await
    }

    async fn over<S>(stream: S) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake =
            http1::Builder::new().max_buf_size(MAX_BUFFER).handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(broken)?;
        // The task ends with the connection, which ends when `sender` is dropped.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
        Ok(Self { sender })
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.sender.is_closed() && self.sender.is_ready()
    }

    /// Sends a request and returns the answer's head.
    pub(crate) async fn send(&mut self, request: Outgoing) -> Result<Response<Incoming>, Unsent> {
        self.sender.try_send_request(request).await.map_err(|mut error| {
            match error.take_message() {
                Some(request) => Unsent::Never(Box::new(request)),
                None => Unsent::Perhaps(broken(error.into_error())),
            }
        })
    }
}

/// A request on its way.
pub(crate) type Outgoing = Request<Full<Bytes>>;

/// Why there is no answer.
pub(crate) enum Unsent {
    /// The connection was closed before anything was sent: it may go over another one.
    Never(Box<Outgoing>),
    /// The server may have seen it.
    Perhaps(Error),
}

impl Unsent {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Never(_) => Error::Broken("closed before the request was sent".to_owned()),
            Self::Perhaps(error) => error,
        }
    }
}

/// Connects to the first of the host's addresses that answers.
pub(crate) async fn dial_tcp(address: &Address) -> Result<TcpStream> {
    let host = || address.host.clone();
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
    let found = found.map_err(|source| Error::Resolve { host: host(), source })?;
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    for socket in found {
        match TcpStream::connect(socket).await {
            Ok(tcp) => {
                // Requests are small and waited for.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(Error::Connect { host: host(), port: address.port, source: last })
}

/// The whole body, up to a limit.
pub(crate) async fn collect(body: Incoming, limit: usize) -> Result<Bytes> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Error::TooLarge { limit })
        }
        Err(error) => Err(Error::Broken(error.to_string())),
    }
}

fn broken(error: hyper::Error) -> Error {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Error::Broken(text)
}
