//! Connections to servers: TLS from the start, or what is said before STARTTLS.

use crate::error::{ConfigError, WireError};
pub(crate) use dme_dial::Stream;
use dme_dial::{Doubt, ServerConfig, TlsMode, advised, plain_line};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

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
    doubt: Doubt,
}

impl Dialer {
    pub(crate) fn new(
        at: &'static str,
        server: &ServerConfig,
        port: u16,
        protocol: Protocol,
        limit: Duration,
    ) -> Result<Self, ConfigError> {
        let (way, doubt) = (dme_dial::Dialer::new(at, server, port)?, Doubt::after(limit));
        Ok(Self { way, protocol, limit, doubt })
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

    /// The greeting, within the limit of time.
    pub(crate) async fn greeted<T>(
        &self,
        greeting: impl Future<Output = T>,
    ) -> Result<T, WireError> {
        timeout(self.limit, greeting).await.map_err(|_| WireError::Timeout)
    }

    /// Waits for what a server says on a connection that stands, up to this end; none where it came
    /// to nothing, or where the server greets nobody any more.
    pub(crate) async fn answer<T>(
        &self,
        answer: impl Future<Output = T>,
        end: Instant,
    ) -> Option<T> {
        self.doubt.answer(answer, end, || Box::pin(self.greets())).await
    }

    async fn greets(&self) -> bool {
        let greeted = async {
            let mut dialled = self.connect().await?;
            match dialled.greeted {
                true => Ok(()),
                false => dialled.stream.read_u8().await.map(drop).map_err(WireError::from),
            }
        };
        matches!(timeout(self.limit, greeted).await, Ok(Ok(())))
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
