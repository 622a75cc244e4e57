//! The way to the server: TCP, perhaps through a proxy, then TLS.

use super::config::Proxy;
use crate::traffic::{Counted, Counter};
use crate::{Error, Result, socket};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A proxy's answer is read up to here.
const MAX_PROXY_ANSWER: usize = 8 << 10;

/// Dials an address, `host:port`. All bytes of the TCP stream are counted, but for the few in which
/// a proxy is asked.
pub(super) async fn tls(
    address: &str,
    proxy: Option<&Proxy>,
    congestion: Option<&str>,
    config: Arc<ClientConfig>,
    counter: Arc<Counter>,
) -> Result<TlsStream<Counted<TcpStream>>> {
    let unreachable = |reason: String| Error::Unreachable { address: address.to_owned(), reason };
    let (host, _) = address
        .rsplit_once(':')
        .ok_or_else(|| unreachable("the address has no port; write host:port".into()))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| unreachable("the host is neither a name nor an address".into()))?;
    let through = proxy.map_or(address, |proxy| proxy.address.as_str());
    let mut tcp = TcpStream::connect(through).await.map_err(|error| {
        unreachable(match proxy {
            Some(proxy) => format!("proxy {}: {error}", proxy.address),
            None => error.to_string(),
        })
    })?;
    socket::prepare(&tcp, congestion).map_err(|error| unreachable(error.to_string()))?;
    if let Some(proxy) = proxy {
        tunnel(&mut tcp, address, proxy)
            .await
            .map_err(|reason| unreachable(format!("proxy {}: {reason}", proxy.address)))?;
    }
    let mut io = TlsConnector::from(config)
        .connect(name, Counted::new(tcp, counter))
        .await
        .map_err(|error| Error::Tls(format!("{address}: {error}")))?;
    io.get_mut().1.set_buffer_limit(Some(socket::SEALED));
    Ok(io)
}

/// Asks a proxy for a way through (RFC 9110 §9.3.6).
async fn tunnel(tcp: &mut TcpStream, address: &str, proxy: &Proxy) -> Result<(), String> {
    let mut request = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n");
    if let Some((user, password)) = &proxy.login {
        let login = STANDARD.encode(format!("{user}:{}", password.expose()));
        request.push_str(&format!("Proxy-Authorization: Basic {login}\r\n"));
    }
    request.push_str("\r\n");
    tcp.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // Byte by byte: what follows the head is not ours to read, and this happens once a link.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_PROXY_ANSWER {
            return Err("its answer has no end".into());
        }
        answer.push(tcp.read_u8().await.map_err(|error| error.to_string())?);
    }
    let head = String::from_utf8_lossy(&answer);
    let status = head.lines().next().unwrap_or_default();
    let code = status.split(' ').nth(1).unwrap_or_default();
    if status.starts_with("HTTP/1.") && code.len() == 3 && code.starts_with('2') {
        return Ok(());
    }
    Err(match code {
        "407" => "it wants a name and a password, or others than these".to_owned(),
        _ => format!("it answered `{}`", status.escape_default()),
    })
}
