//! Sending (RFC 5321, RFC 6409), on a connection for each message.
//!
//! A small client of its own: a master user needs SASL PLAIN with an authorisation identity, each
//! recipient's refusal is told apart, replies are bounded, and what of an error is final decides
//! whether a message may be sent again.

use crate::config::SmtpAuth;
use crate::dial::{Dialer, Stream};
use crate::error::WireError;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use dme_dial::{Auth, Login, LoginName, TokenMechanism, opens_until, plain_initial};
use dme_mailbox::{Account, Error, ErrorKind, Result};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::{Instant, timeout_at};

/// The longest reply (RFC 5321 §4.5.3.1.5 allows 512 bytes a line).
const MAX_REPLY: usize = 64 << 10;

/// The server that takes mail.
pub(crate) struct Smtp {
    dialer: Dialer,
    auth: SmtpAuth,
    /// How users log in to IMAP, for `SmtpAuth::Same`.
    same: Auth,
    login: LoginName,
    silence: Duration,
    /// What the server said of its limit, so that it is not asked for each phone.
    limit: OnceLock<Option<u64>>,
}

/// A reply.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

/// An open session, after EHLO.
struct Connection {
    stream: BufReader<Stream>,
    silence: Duration,
    deadline: Instant,
    extensions: Vec<String>,
}

impl Smtp {
    pub(crate) fn new(
        dialer: Dialer,
        auth: SmtpAuth,
        same: Auth,
        login: LoginName,
        silence: Duration,
    ) -> Self {
        Self { dialer, auth, same, login, silence, limit: OnceLock::new() }
    }

    /// Sends a message; answers the recipients who were refused while others were not. Before the
    /// session stands the server has heard nothing of the message.
    pub(crate) async fn send(
        &self,
        account: &Account,
        from: &str,
        recipients: &[String],
        message: &Bytes,
        deadline: Instant,
    ) -> Result<Vec<String>> {
        let opened = self.open(account, deadline).await;
        let mut connection = opened.map_err(Error::before_anything)?;
        let result = connection.send(from, recipients, message).await;
        connection.quit().await;
        result
    }

    /// The largest message the server takes, where it says so (RFC 1870).
    pub(crate) async fn max_message_size(
        &self,
        account: &Account,
        deadline: Instant,
    ) -> Result<Option<u64>> {
        match self.limit.get() {
            Some(known) => Ok(*known),
            None => self.try_login(account, deadline).await,
        }
    }

    /// Logs in, and answers the server's limit.
    pub(crate) async fn try_login(
        &self,
        account: &Account,
        deadline: Instant,
    ) -> Result<Option<u64>> {
        let connection = self.open(account, deadline).await?;
        let limit = connection.size_limit();
        connection.quit().await;
        Ok(*self.limit.get_or_init(|| limit))
    }

    /// Finds the server and connects, without logging in; says how that went.
    pub(crate) async fn reach(&self) -> Result<String, String> {
        self.dialer.reach().await
    }

    /// Connects, and logs in. Both leave time for what follows.
    async fn open(&self, account: &Account, deadline: Instant) -> Result<Connection> {
        let mut connection = self.logged_in(account, opens_until(deadline, self.silence)).await?;
        connection.deadline = deadline;
        Ok(connection)
    }

    async fn logged_in(&self, account: &Account, deadline: Instant) -> Result<Connection> {
        let told = |error: WireError| {
            let kind = error.told("").kind;
            (kind, "connect".to_owned())
        };
        let dialled = timeout_at(deadline, self.dialer.dial()).await;
        let dialled = dialled.map_err(|_| failed(ErrorKind::Timeout, "connect", "no answer"))?;
        let dialled = dialled.map_err(|error| {
            let words = error.to_string();
            let (kind, what) = told(error);
            failed(kind, &what, &words)
        })?;
        let mut connection = Connection {
            stream: BufReader::new(dialled.stream),
            silence: self.silence,
            deadline,
            extensions: Vec::new(),
        };
        if !dialled.greeted {
            let greeting = self.dialer.greeted(connection.reply()).await;
            let greeting =
                greeting.map_err(|_| failed(ErrorKind::Timeout, "connect", "silence"))?;
            greeting?.wants(220, "greeting")?;
        }
        let hello = connection.command("EHLO dme").await?;
        hello.wants(250, "EHLO")?;
        connection.extensions =
            hello.lines.into_iter().skip(1).map(|line| line.to_ascii_uppercase()).collect();
        let login = match &self.auth {
            SmtpAuth::None => return Ok(connection),
            SmtpAuth::Same => Login::new(&self.same, self.login, account)?,
            SmtpAuth::Account { user, secret } => {
                Login::Password { user: user.clone(), secret: secret.clone() }
            }
        };
        connection.authenticate(&login).await?;
        Ok(connection)
    }
}

impl Connection {
    fn size_limit(&self) -> Option<u64> {
        let size = self.extensions.iter().find_map(|line| line.strip_prefix("SIZE "));
        size.and_then(|size| size.trim().parse().ok()).filter(|size| *size > 0)
    }

    fn has(&self, name: &str) -> bool {
        self.extensions.iter().any(|line| line.split(' ').next() == Some(name))
    }

    fn offers(&self, mechanism: &str) -> bool {
        let auth = self.extensions.iter().filter_map(|line| line.strip_prefix("AUTH"));
        auth.flat_map(|list| list.split([' ', '='])).any(|offered| offered == mechanism)
    }

    async fn authenticate(&mut self, login: &Login) -> Result<()> {
        let encode = |text: String| BASE64_STANDARD.encode(text);
        let reply = match login {
            Login::Password { user, secret } if !self.offers("PLAIN") && self.offers("LOGIN") => {
                self.command("AUTH LOGIN").await?.wants(334, "AUTH LOGIN")?;
                self.command(&encode(user.clone())).await?.wants(334, "AUTH LOGIN")?;
                self.command(&encode(secret.expose().to_owned())).await?
            }
            Login::Password { user, secret } => {
                let initial = plain_initial("", user, secret);
                self.command(&format!("AUTH PLAIN {initial}")).await?
            }
            Login::Plain { on_behalf_of, user, secret } => {
                let initial = plain_initial(on_behalf_of, user, secret);
                self.command(&format!("AUTH PLAIN {initial}")).await?
            }
            Login::Bearer { user, token } => {
                let mechanism = TokenMechanism::of(|name| self.offers(name));
                let (name, initial) = (mechanism.name(), mechanism.initial(user, token));
                let reply = self.command(&format!("AUTH {name} {initial}")).await?;
                match reply.code {
                    // The error is told in a challenge, and the verdict comes after an answer.
                    334 => self.command(mechanism.to_error()).await?,
                    _ => reply,
                }
            }
        };
        match reply.code {
            235 => Ok(()),
            535 | 534 | 530 | 538 => Err(failed(ErrorKind::Auth, "login", &reply.text())),
            _ => Err(reply.error("login", ErrorKind::Auth)),
        }
    }

    async fn send(
        &mut self,
        from: &str,
        recipients: &[String],
        message: &Bytes,
    ) -> Result<Vec<String>> {
        let size = message.len() as u64;
        if let Some(limit) = self.size_limit().filter(|limit| size > *limit) {
            let words = format!("the message has {size} bytes, the server takes {limit}");
            return Err(failed(ErrorKind::MessageTooLarge, "send", &words));
        }
        let mut mail = format!("MAIL FROM:<{}>", path(from)?);
        if self.size_limit().is_some() || self.has("SIZE") {
            mail.push_str(&format!(" SIZE={size}"));
        }
        if !message.is_ascii() && self.has("8BITMIME") {
            mail.push_str(" BODY=8BITMIME");
        }
        if !(from.is_ascii() && recipients.iter().all(|it| it.is_ascii())) && self.has("SMTPUTF8") {
            mail.push_str(" SMTPUTF8");
        }
        let reply = self.command(&mail).await?;
        if reply.code != 250 {
            return Err(match reply.code {
                552 => failed(ErrorKind::MessageTooLarge, "send", &reply.text()),
                _ => reply.error("sender", ErrorKind::SenderRefused),
            });
        }
        let mut refused = Vec::new();
        let mut last = None;
        for recipient in recipients {
            let reply = match path(recipient) {
                Ok(path) => self.command(&format!("RCPT TO:<{path}>")).await?,
                Err(error) => {
                    last = Some(error);
                    refused.push(recipient.clone());
                    continue;
                }
            };
            match reply.code {
                250 | 251 => {}
                // Later it may do: nobody gets it yet, so that nobody gets it twice.
                400..=499 => return Err(reply.error(recipient, ErrorKind::Unavailable)),
                552 => return Err(failed(ErrorKind::MessageTooLarge, recipient, &reply.text())),
                _ => {
                    last = Some(reply.error(recipient, ErrorKind::RecipientRefused));
                    refused.push(recipient.clone());
                }
            }
        }
        if refused.len() == recipients.len() {
            let nobody = || failed(ErrorKind::RecipientRefused, "send", "there are no recipients");
            return Err(last.unwrap_or_else(nobody));
        }
        let reply = self.command("DATA").await?;
        if reply.code != 354 {
            return Err(reply.error("message", ErrorKind::Forbidden));
        }
        self.write(&stuffed(message)).await?;
        let reply = self.reply().await?;
        match reply.code {
            250 => Ok(refused),
            552 => Err(failed(ErrorKind::MessageTooLarge, "send", &reply.text())),
            _ => Err(reply.error("message", ErrorKind::Forbidden)),
        }
    }

    async fn quit(mut self) {
        // The message is taken or not; how the server says good-bye changes nothing.
        let _ = self.write(b"QUIT\r\n").await;
    }

    async fn command(&mut self, line: &str) -> Result<Reply> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let write = async {
            self.stream.get_mut().write_all(bytes).await?;
            self.stream.get_mut().flush().await
        };
        match timeout_at(self.deadline, write).await {
            Err(_) => Err(failed(ErrorKind::Timeout, "send", "the server does not read")),
            Ok(Err(error)) => Err(failed(ErrorKind::Unavailable, "send", &error.to_string())),
            Ok(Ok(())) => Ok(()),
        }
    }

    async fn reply(&mut self) -> Result<Reply> {
        let end = self.deadline.min(Instant::now() + self.silence);
        match timeout_at(end, read_reply(&mut self.stream)).await {
            Err(_) => Err(failed(ErrorKind::Timeout, "send", "no answer in time")),
            Ok(Err(error)) => Err(failed(ErrorKind::Unavailable, "send", &error.to_string())),
            Ok(Ok(reply)) => {
                reply.ok_or_else(|| failed(ErrorKind::Protocol, "send", "not an answer of SMTP"))
            }
        }
    }
}

/// Reads all lines of a reply; none where it is not one.
async fn read_reply(stream: &mut BufReader<Stream>) -> std::io::Result<Option<Reply>> {
    let mut limited = stream.take(MAX_REPLY as u64);
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if limited.read_until(b'\n', &mut line).await? == 0 {
            if limited.limit() == 0 {
                return Ok(None);
            }
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let Some((code, rest)) = line.split_at_checked(3) else { return Ok(None) };
        let Ok(code) = code.parse() else { return Ok(None) };
        lines.push(rest.get(1..).unwrap_or_default().to_owned());
        if !rest.starts_with('-') {
            return Ok(Some(Reply { code, lines }));
        }
    }
}

impl Reply {
    fn text(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" "))
    }

    fn wants(&self, code: u16, what: &str) -> Result<()> {
        match self.code == code {
            true => Ok(()),
            false => Err(self.error(what, ErrorKind::Protocol)),
        }
    }

    /// What a refusal means: final as given, or later (RFC 5321 §4.2.1).
    fn error(&self, what: &str, last: ErrorKind) -> Error {
        let kind = match self.code {
            421 | 450 | 451 => ErrorKind::Unavailable,
            530 | 535 => ErrorKind::Auth,
            400..=499 => ErrorKind::Busy { after: Duration::from_secs(60) },
            _ => last,
        };
        failed(kind, what, &self.text())
    }
}

fn failed(kind: ErrorKind, what: &str, words: &str) -> Error {
    Error::new(kind, format!("smtp: {what}: {words}"))
}

/// An address that cannot end the command it stands in.
fn path(address: &str) -> Result<&str> {
    let sound = !address.is_empty()
        && address.len() <= 512
        && !address.contains(|c: char| c.is_control() || c == '<' || c == '>' || c == ' ');
    match sound {
        true => Ok(address),
        false => Err(failed(ErrorKind::RecipientRefused, "send", "not an address")),
    }
}

/// The message with its dots doubled and its end marked (RFC 5321 §4.5.2).
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 8);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_at_the_begin_of_lines_only() {
        assert_eq!(stuffed(b".a\r\n.\r\nb.c"), b"..a\r\n..\r\nb.c\r\n.\r\n");
        assert_eq!(stuffed(b"a\r\n"), b"a\r\n.\r\n");
    }

    #[test]
    fn an_address_cannot_bring_a_command() {
        for address in ["a@b>\r\nDATA", "a b@c", "", "<a@b>"] {
            assert!(path(address).is_err(), "{address}");
        }
        assert!(path("ann@example.org").is_ok());
    }
}
