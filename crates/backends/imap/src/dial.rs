//! Connections to servers: TCP, TLS from the start or by STARTTLS.

use crate::config::{ServerConfig, TlsMode};
use crate::error::{ConfigError, WireError};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The longest line of a server before TLS stands.
const MAX_LINE: usize = 4096;

/// What a connection is, with or without TLS.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for T {}
/// A connection.
pub(crate) type Stream = Box<dyn Io>;

/// Which protocol's STARTTLS is spoken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Imap,
    Smtp,
}

/// A connection and whether the server's greeting was read on the way.
pub(crate) struct Dialled {
    pub(crate) stream: Stream,
    pub(crate) greeted: bool,
}

/// Makes connections to one server.
pub(crate) struct Dialer {
    host: String,
    port: u16,
    protocol: Protocol,
    tls: Option<Tls>,
    limit: Duration,
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
    mode: TlsMode,
}

impl Dialer {
    pub(crate) fn new(
        at: &'static str,
        server: &ServerConfig,
        port: u16,
        protocol: Protocol,
        limit: Duration,
    ) -> Result<Self, ConfigError> {
        let tls = match server.tls {
            TlsMode::None => None,
            mode => Some(Tls {
                connector: TlsConnector::from(Arc::new(client_config(at, server)?)),
                name: ServerName::try_from(server.host.clone())
                    .map_err(|_| ConfigError::HostName(server.host.clone()))?,
                mode,
            }),
        };
        Ok(Self { host: server.host.clone(), port, protocol, tls, limit })
    }

    /// Connects, within the limit of time.
    pub(crate) async fn dial(&self) -> Result<Dialled, WireError> {
        timeout(self.limit, self.connect()).await.map_err(|_| WireError::Timeout)?
    }

    async fn connect(&self) -> Result<Dialled, WireError> {
        let mut tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        tcp.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Dialled { stream: Box::new(tcp), greeted: false });
        };
        let greeted = tls.mode == TlsMode::Starttls;
        if greeted {
            match self.protocol {
                Protocol::Imap => start_tls_imap(&mut tcp).await?,
                Protocol::Smtp => start_tls_smtp(&mut tcp).await?,
            }
        }
        let stream = tls.connector.connect(tls.name.clone(), tcp).await?;
        Ok(Dialled { stream: Box::new(stream), greeted })
    }
}

fn client_config(at: &'static str, server: &ServerConfig) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    // A system without certificates of its own may still have a file of ours.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &server.ca_file {
        let fail =
            |reason: String| ConfigError::CaFile { at, path: path.display().to_string(), reason };
        let certificates =
            CertificateDer::pem_file_iter(path).map_err(|error| fail(error.to_string()))?;
        let mut added = 0;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| fail(error.to_string()))?;
            roots.add(certificate).map_err(|error| fail(error.to_string()))?;
            added += 1;
        }
        if added == 0 {
            return Err(fail("holds no certificate in PEM form".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::CaFile {
            at,
            path: String::new(),
            reason: error.to_string(),
        })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

async fn start_tls_imap(tcp: &mut TcpStream) -> Result<(), WireError> {
    let greeting = plain_line(tcp).await?;
    // A session that is logged in before TLS would be someone else's (RFC 9051 §11.1).
    if !greeting.starts_with("* OK") {
        return Err(WireError::Nonsense("an unexpected greeting before STARTTLS".to_owned()));
    }
    tcp.write_all(b"s STARTTLS\r\n").await?;
    loop {
        let line = plain_line(tcp).await?;
        match line.strip_prefix("s ") {
            Some(status) if status.to_ascii_uppercase().starts_with("OK") => return Ok(()),
            Some(status) => {
                return Err(WireError::No { code: None, text: format!("no STARTTLS: {status}") });
            }
            None if line.starts_with("* ") => {}
            None => return Err(WireError::Nonsense("not a line of IMAP".to_owned())),
        }
    }
}

async fn start_tls_smtp(tcp: &mut TcpStream) -> Result<(), WireError> {
    for (command, wanted) in [("", "220"), ("EHLO dme\r\n", "250"), ("STARTTLS\r\n", "220")] {
        tcp.write_all(command.as_bytes()).await?;
        loop {
            let line = plain_line(tcp).await?;
            if !line.starts_with(wanted) {
                return Err(WireError::No { code: None, text: format!("no STARTTLS: {line}") });
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
    }
    Ok(())
}

/// Reads a line byte by byte, so that nothing said before TLS is taken for said within it.
async fn plain_line(tcp: &mut TcpStream) -> Result<String, WireError> {
    let mut line = Vec::new();
    loop {
        match tcp.read_u8().await? {
            b'\n' => break,
            byte => line.push(byte),
        }
        if line.len() > MAX_LINE {
            return Err(WireError::Nonsense("a line without end".to_owned()));
        }
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
