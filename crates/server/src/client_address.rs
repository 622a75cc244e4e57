//! Where a phone really is when a proxy stands before the server: from the PROXY protocol or the
//! `X-Forwarded-For` header, and both only from the proxies that are listed.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest header of PROXY protocol version 1 (specification §2.1).
const V1_LONGEST: usize = 107;
/// How much of a version 2 header's addresses and extensions is read at the most.
const V2_LONGEST: u16 = 1024;
/// The twelve bytes a version 2 header begins with (specification §2.2).
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Why a PROXY header cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The connection ended or failed within the header.
    #[error("the connection ended within the PROXY header: {0}")]
    Io(#[from] std::io::Error),
    /// It is none.
    #[error("the listed proxy sent no PROXY header; switch proxy_protocol on there or off here")]
    Missing,
    /// It is one, but not by the specification.
    #[error("the PROXY header is malformed")]
    Malformed,
}

/// The proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// From the configured networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether this is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The phone's address: the last one in `X-Forwarded-For` that is not itself a listed proxy,
    /// where the peer is one; else the peer's own. It is read from its end, where the proxies
    /// write, and no further than to the first word that is no address: what stands before is the
    /// phone's own invention.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let lines: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .map(|value| value.to_str().unwrap_or("?"))
            .collect();
        let words = lines.iter().rev().flat_map(|line| line.rsplit(','));
        words
            .map_while(|word| address_of(word.trim()))
            .find(|address| !self.contains(*address))
            .unwrap_or(peer)
    }
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn address_of(word: &str) -> Option<IpAddr> {
    let alone = word.trim_start_matches('[').trim_end_matches(']');
    let with_port = || word.parse().map(|address: SocketAddr| address.ip());
    alone.parse().or_else(|_| with_port()).ok()
}

/// Reads a PROXY header, version 1 or 2, from the begin of a connection. None where the proxy
/// speaks for itself (`UNKNOWN`, `LOCAL`).
///
/// # Errors
/// When there is none, or a malformed one; the connection is then of no use.
pub async fn read_proxy_header(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<SocketAddr>, ProxyError> {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    if start == V2_SIGNATURE {
        return read_v2(stream).await;
    }
    if !start.starts_with(b"PROXY ") {
        return Err(ProxyError::Missing);
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= V1_LONGEST {
            return Err(ProxyError::Malformed);
        }
        line.push(stream.read_u8().await?);
    }
    parse_v1(&line).ok_or(ProxyError::Malformed)
}

fn parse_v1(line: &[u8]) -> Option<Option<SocketAddr>> {
    let mut words = std::str::from_utf8(line).ok()?.trim_end().split(' ').skip(1);
    match words.next()? {
        "UNKNOWN" => Some(None),
        "TCP4" | "TCP6" => {
            let source: IpAddr = words.next()?.parse().ok()?;
            let port: u16 = words.nth(1)?.parse().ok()?;
            Some(Some(SocketAddr::new(source, port)))
        }
        _ => None,
    }
}

async fn read_v2(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, ProxyError> {
    let (version_command, family) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = stream.read_u16().await?;
    if version_command >> 4 != 2 || length > V2_LONGEST {
        return Err(ProxyError::Malformed);
    }
    let mut rest = vec![0; usize::from(length)];
    stream.read_exact(&mut rest).await?;
    if version_command & 0xF == 0 {
        return Ok(None);
    }
    let address = match family >> 4 {
        1 => rest.first_chunk::<12>().map(|b| {
            let ip = IpAddr::from([b[0], b[1], b[2], b[3]]);
            SocketAddr::new(ip, u16::from_be_bytes([b[8], b[9]]))
        }),
        2 => rest.first_chunk::<36>().map(|b| {
            let mut ip = [0; 16];
            ip.copy_from_slice(&b[..16]);
            SocketAddr::new(IpAddr::from(ip), u16::from_be_bytes([b[32], b[33]]))
        }),
        _ => return Ok(None),
    };
    address.map(Some).ok_or(ProxyError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> Result<Option<String>, String> {
        read_proxy_header(&mut bytes)
            .await
            .map(|address| address.map(|address| address.to_string()))
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn both_versions_of_the_header_name_the_phone() {
        let v1 = read(b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\nrest").await;
        assert_eq!(v1.unwrap().unwrap(), "203.0.113.7:4711");
        let mut v2 = V2_SIGNATURE.to_vec();
        v2.extend([0x21, 0x11, 0, 12, 203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 1, 187]);
        assert_eq!(read(&v2).await.unwrap().unwrap(), "203.0.113.7:4711");
        assert_eq!(read(b"PROXY UNKNOWN\r\n").await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        assert!(read(b"GET / HTTP/1.1\r\n").await.unwrap_err().contains("no PROXY header"));
        assert!(read(b"PROXY TCP4 nonsense\r\n").await.unwrap_err().contains("malformed"));
        let endless = [b"PROXY ".as_slice(), &[b'x'; 200]].concat();
        assert!(read(&endless).await.unwrap_err().contains("malformed"));
        assert!(read(b"PRO").await.unwrap_err().contains("ended"));
    }

    #[test]
    fn only_a_listed_proxy_is_believed() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.9, 203.0.113.7, 10.0.0.3".parse().unwrap());
        let client = |peer: &str| proxies.client(peer.parse().unwrap(), &headers).to_string();
        assert_eq!(client("10.0.0.2"), "203.0.113.7");
        assert_eq!(client("192.0.2.66"), "192.0.2.66");
    }

    #[test]
    fn what_a_phone_puts_before_the_proxys_word_is_not_believed() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let client = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            proxies.client("10.0.0.2".parse().unwrap(), &headers).to_string()
        };
        assert_eq!(client(&["1.2.3.4, garbage, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(&["1.2.3.4", "203.0.113.7, 10.0.0.3"]), "203.0.113.7");
        assert_eq!(client(&["1.2.3.4, garbage"]), "10.0.0.2");
        assert_eq!(client(&["1.2.3.4, garbage, 10.0.0.3"]), "10.0.0.2");
        assert_eq!(client(&["203.0.113.7:4711"]), "203.0.113.7");
        assert_eq!(client(&["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(client(&[]), "10.0.0.2");
    }
}
