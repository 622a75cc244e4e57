//! Connections to servers: TLS from the start, or what is said before STARTTLS.

use crate::error::{ConfigError, WireError};
pub(crate) use dme_dial::Stream;
use dme_dial::{ServerConfig, TlsMode, advised, plain_line};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

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
    way: dme_dial::Dialer,
    protocol: Protocol,
    limit: Duration,
}

impl Dialer {
    pub(crate) fn new(
        at: &'static str,
        server: &ServerConfig,
        port: u16,
        protocol: Protocol,
        limit: Duration,
    ) -> Result<Self, ConfigError> {
        Ok(Self { way: dme_dial::Dialer::new(at, server, port)?, protocol, limit })
    }

    /// Finds the server and connects, without logging in; says how that went.
    pub(crate) async fn reach(&self) -> Result<String, String> {
        let place = self.way.place().await.map_err(|error| error.to_string())?;
        match self.dial().await {
            Ok(_) => Ok(format!("{place}: reached")),
            Err(error) => Err(format!("{place}: {}", advised(&error.told("connect")))),
        }
    }

    /// Connects, within the limit of time.
    pub(crate) async fn dial(&self) -> Result<Dialled, WireError> {
        timeout(self.limit, self.connect()).await.map_err(|_| WireError::Timeout)?
    }

    async fn connect(&self) -> Result<Dialled, WireError> {
        let mut tcp = self.way.connect().await?;
        let greeted = self.way.mode() == TlsMode::Starttls;
        if greeted {
            match self.protocol {
                Protocol::Imap => start_tls_imap(&mut tcp).await?,
                Protocol::Smtp => start_tls_smtp(&mut tcp).await?,
            }
        }
        Ok(Dialled { stream: self.way.secure(tcp).await?, greeted })
    }
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
