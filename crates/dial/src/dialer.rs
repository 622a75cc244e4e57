//! Connections: TCP, and TLS on them with the server's certificate verified.

use crate::prompt::Prompt;
use crate::server::{ServerConfig, ServerError, TlsMode};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest line of a server before TLS stands.
const MAX_LINE: usize = 4096;

/// What a connection is, with or without TLS.
pub trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for T {}
/// A connection.
pub type Stream = Box<dyn Io>;

/// Makes connections to one server.
pub struct Dialer {
    host: String,
    port: u16,
    mode: TlsMode,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    prompt: bool,
}

impl Dialer {
    /// For this server, on this port; `at` is the table of the configuration, for errors.
    ///
    /// # Errors
    /// When the authorities cannot be read, or no certificate can be for the host.
    pub fn new(at: &'static str, server: &ServerConfig, port: u16) -> Result<Self, ServerError> {
        let tls = match server.tls {
            TlsMode::None => None,
            TlsMode::Implicit | TlsMode::Starttls => Some((
                TlsConnector::from(Arc::new(client_config(at, server)?)),
                ServerName::try_from(server.host.clone())
                    .map_err(|_| ServerError::HostName(server.host.clone()))?,
            )),
        };
        Ok(Self { host: server.host.clone(), port, mode: server.tls, tls, prompt: false })
    }

    /// The same where the certificate must be for another name than the host's.
    ///
    /// # Errors
    /// When no certificate can be for it.
    pub fn certified_as(mut self, name: &str) -> Result<Self, ServerError> {
        if let Some((_, certified)) = &mut self.tls {
            *certified = ServerName::try_from(name.to_owned())
                .map_err(|_| ServerError::HostName(name.to_owned()))?;
        }
        Ok(self)
    }

    /// The same for a server that may keep the end of an answer back until it hears that the
    /// beginning came: it hears so at once.
    #[must_use]
    pub fn prompt(self) -> Self {
        Self { prompt: true, ..self }
    }

    /// How the line is to be protected. By STARTTLS, what asks for it is said between
    /// [`Dialer::connect`] and [`Dialer::secure`].
    pub fn mode(&self) -> TlsMode {
        self.mode
    }

    /// Where it leads, for people: the server's name and port, and the addresses that has.
    ///
    /// # Errors
    /// When the name has no address.
    pub async fn place(&self) -> io::Result<String> {
        let named =
            |error| io::Error::other(format!("{}: the name has no address: {error}", self.host));
        let found =
            tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(named)?;
        let found: Vec<String> = found.map(|address| address.ip().to_string()).collect();
        Ok(format!("{}:{} ({})", self.host, self.port, found.join(", ")))
    }

    /// A connection in plain.
    ///
    /// # Errors
    /// When there is none.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    /// The connection with TLS on it, where there is to be TLS.
    ///
    /// # Errors
    /// When the server's certificate is not right, or the connection broke.
    pub async fn secure(&self, tcp: TcpStream) -> io::Result<Stream> {
        let tcp: Stream = match self.prompt {
            true => Box::new(Prompt::new(tcp)),
            false => Box::new(tcp),
        };
        match &self.tls {
            None => Ok(tcp),
            Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), tcp).await?)),
        }
    }
}

fn client_config(at: &'static str, server: &ServerConfig) -> Result<ClientConfig, ServerError> {
    let mut roots = RootCertStore::empty();
    // A system without certificates of its own may still have a file of ours.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &server.ca_file {
        let fail =
            |reason: String| ServerError::CaFile { at, path: path.display().to_string(), reason };
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
        .map_err(|error| ServerError::CaFile {
            at,
            path: String::new(),
            reason: error.to_string(),
        })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Reads a line byte by byte, so that nothing said before TLS is taken for said within it.
///
/// # Errors
/// When the connection ends, or the line does not.
pub async fn plain_line(tcp: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        match tcp.read_u8().await? {
            b'\n' => break,
            byte => line.push(byte),
        }
        if line.len() > MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without end"));
        }
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
