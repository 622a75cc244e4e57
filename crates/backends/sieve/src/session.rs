//! One session with a server (RFC 5804): greeting, TLS, login, and the commands on scripts.

use crate::config::SieveConfig;
use crate::error::{ConfigError, WireError};
use crate::script::rule::Abilities;
use crate::wire::{Command, Response, Status, StatusKind, Token, take};
use bytes::BytesMut;
use dme_dial::{Dialer, Login, Stream, TlsMode, TokenMechanism, plain_initial, plain_line};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// The most lines in answer to one command: a user has fewer scripts, a server fewer capabilities.
const MAX_LINES: usize = 1_000;
/// The most lines before TLS.
const MAX_PLAIN_LINES: usize = 100;

/// Makes sessions with one server.
pub(crate) struct Way {
    dialer: Dialer,
    connect: Duration,
    silence: Duration,
}

impl Way {
    pub(crate) fn new(config: &SieveConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            dialer: Dialer::new("sieve", &config.server(), config.port)?,
            connect: config.timeouts.connect.0,
            silence: config.timeouts.silence.0,
        })
    }

    /// A session that is logged in.
    pub(crate) async fn session(
        &self,
        login: &Login,
        deadline: Instant,
    ) -> Result<Session, WireError> {
        let greeted = timeout(self.connect, self.greeted(deadline));
        let limited = timeout_at(deadline, greeted).await;
        let mut session = limited.ok().and_then(Result::ok).ok_or(WireError::Timeout)??;
        session.log_in(login).await?;
        Ok(session)
    }

    /// Finds the server and connects, without logging in; says how that went.
    pub(crate) async fn reach(&self) -> Result<String, String> {
        let place = self.dialer.place().await.map_err(|error| error.to_string())?;
        let greeted = timeout(self.connect, self.greeted(Instant::now() + self.connect)).await;
        match greeted.unwrap_or(Err(WireError::Timeout)) {
            Ok(_) => Ok(format!("{place}: reached")),
            Err(error) => Err(format!("{place}: {}", dme_dial::advised(&error.told("connect")))),
        }
    }

    /// A session up to the greeting.
    async fn greeted(&self, deadline: Instant) -> Result<Session, WireError> {
        let mut tcp = self.dialer.connect().await?;
        if self.dialer.mode() == TlsMode::Starttls {
            start_tls(&mut tcp).await?;
        }
        let stream = self.dialer.secure(tcp).await?;
        let (buffer, silence) = (BytesMut::new(), self.silence);
        let greeting = Capabilities::default();
        let mut session = Session { stream, buffer, silence, deadline, greeting };
        // After TLS the server tells its capabilities anew (RFC 5804 §2.2).
        session.greeting = session.told_capabilities().await?;
        Ok(session)
    }
}

/// Reads the greeting and asks for TLS, byte by byte.
async fn start_tls(tcp: &mut TcpStream) -> Result<(), WireError> {
    let mut offered = false;
    let ends = |line: &str| {
        let word = line.split([' ', '(']).next().unwrap_or_default().to_ascii_uppercase();
        matches!(word.as_str(), "OK" | "NO" | "BYE").then_some(word)
    };
    for _ in 0..MAX_PLAIN_LINES {
        let line = plain_line(tcp).await?;
        match ends(&line).as_deref() {
            Some("OK") if offered => break,
            Some("OK") => return Err(WireError::Lacks("STARTTLS")),
            Some(_) => return Err(WireError::Closed(line)),
            None => offered |= line.trim().eq_ignore_ascii_case("\"STARTTLS\""),
        }
    }
    tcp.write_all(&Command::new("STARTTLS").into_bytes()).await?;
    let line = plain_line(tcp).await?;
    match ends(&line).as_deref() {
        Some("OK") => Ok(()),
        _ => Err(WireError::No { code: None, text: format!("no STARTTLS: {line}") }),
    }
}

/// A session.
pub(crate) struct Session {
    stream: Stream,
    buffer: BytesMut,
    silence: Duration,
    deadline: Instant,
    /// What the server could for those who were not logged in yet.
    greeting: Capabilities,
}

impl Session {
    async fn log_in(&mut self, login: &Login) -> Result<(), WireError> {
        let (mechanism, initial) = match login {
            Login::Password { user, secret } => ("PLAIN", plain_initial("", user, secret)),
            Login::Plain { on_behalf_of, user, secret } => {
                ("PLAIN", plain_initial(on_behalf_of, user, secret))
            }
            Login::Bearer { user, token } => {
                let mechanism = TokenMechanism::of(|name| self.greeting.sasl(name));
                (mechanism.name(), mechanism.initial(user, token))
            }
        };
        if !self.greeting.sasl(mechanism) {
            return Err(WireError::Lacks(mechanism));
        }
        let command = Command::new("AUTHENTICATE").string(mechanism.as_bytes());
        self.send(command.string(initial.as_bytes())).await?;
        let mut challenged = false;
        loop {
            match self.response().await? {
                // The one challenge there can be holds the error of a token, and wants a certain
                // answer before the verdict comes.
                Response::Data(_) if !challenged => {
                    challenged = true;
                    let answer = TokenMechanism::named(mechanism).to_error();
                    self.send(Command::answer(answer)).await?;
                }
                Response::Data(_) => return Err(WireError::Nonsense("a second challenge")),
                Response::Status(Status { kind: StatusKind::Ok, .. }) => return Ok(()),
                Response::Status(status) => {
                    return Err(match status.code.as_deref() {
                        Some("TRYLATER") => refused(status),
                        _ => WireError::Login(status.text),
                    });
                }
            }
        }
    }

    /// What the server can for the user: only who is logged in is told what their scripts may use
    /// (§2.4).
    pub(crate) async fn capabilities(&mut self) -> Result<Capabilities, WireError> {
        self.send(Command::new("CAPABILITY")).await?;
        self.told_capabilities().await
    }

    /// The scripts there are, and which is active (RFC 5804 §2.7).
    pub(crate) async fn list_scripts(&mut self) -> Result<Vec<(String, bool)>, WireError> {
        let lines = self.run(Command::new("LISTSCRIPTS")).await?;
        Ok(lines
            .iter()
            .filter_map(|line| {
                let is_active = |token: &Token| {
                    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("ACTIVE"))
                };
                Some((line.first()?.text()?, line.get(1).is_some_and(is_active)))
            })
            .collect())
    }

    /// A script (§2.9).
    pub(crate) async fn get_script(&mut self, name: &str) -> Result<Vec<u8>, WireError> {
        let lines = self.run(Command::new("GETSCRIPT").string(name.as_bytes())).await?;
        match lines.into_iter().next().and_then(|line| line.into_iter().next()) {
            Some(Token::Text(script)) => Ok(script.to_vec()),
            _ => Err(WireError::Nonsense("no script in answer to GETSCRIPT")),
        }
    }

    /// Writes a script, which the server first looks through (§2.6).
    pub(crate) async fn put_script(&mut self, name: &str, script: &[u8]) -> Result<(), WireError> {
        let command = Command::new("PUTSCRIPT").string(name.as_bytes()).string(script);
        self.run(command).await.map(drop)
    }

    /// Makes a script the active one, or none (§2.8).
    pub(crate) async fn set_active(&mut self, name: Option<&str>) -> Result<(), WireError> {
        let name = name.unwrap_or_default();
        self.run(Command::new("SETACTIVE").string(name.as_bytes())).await.map(drop)
    }

    /// Has the server look through a script without keeping it (§2.12).
    pub(crate) async fn check_script(&mut self, script: &[u8]) -> Result<(), WireError> {
        self.run(Command::new("CHECKSCRIPT").string(script)).await.map(drop)
    }

    /// Whether a script of so many bytes would be kept (§2.5).
    pub(crate) async fn have_space(&mut self, name: &str, size: usize) -> Result<(), WireError> {
        let command = Command::new("HAVESPACE").string(name.as_bytes()).number(size);
        self.run(command).await.map(drop)
    }

    /// Ends the session in peace. What was done is done in any case.
    pub(crate) async fn log_out(mut self) {
        let _ = self.send(Command::new("LOGOUT")).await;
    }

    async fn told_capabilities(&mut self) -> Result<Capabilities, WireError> {
        let mut capabilities = Capabilities::default();
        for line in self.answer().await? {
            capabilities.add(&line);
        }
        Ok(capabilities)
    }

    async fn run(&mut self, command: Command) -> Result<Vec<Vec<Token>>, WireError> {
        self.send(command).await?;
        self.answer().await
    }

    /// Lines up to the status, where that is OK.
    async fn answer(&mut self) -> Result<Vec<Vec<Token>>, WireError> {
        let mut lines = Vec::new();
        loop {
            match self.response().await? {
                Response::Data(line) if lines.len() < MAX_LINES => lines.push(line),
                Response::Data(_) => return Err(WireError::Nonsense("an answer without end")),
                Response::Status(Status { kind: StatusKind::Ok, .. }) => return Ok(lines),
                Response::Status(status) => return Err(refused(status)),
            }
        }
    }

    async fn send(&mut self, command: Command) -> Result<(), WireError> {
        let sent = async {
            self.stream.write_all(&command.into_bytes()).await?;
            self.stream.flush().await
        };
        Ok(timeout_at(self.deadline, sent).await.map_err(|_| WireError::Timeout)??)
    }

    async fn response(&mut self) -> Result<Response, WireError> {
        loop {
            if let Some((response, length)) = take(&self.buffer).map_err(WireError::Nonsense)? {
                let _ = self.buffer.split_to(length);
                return Ok(response);
            }
            let until = self.deadline.min(Instant::now() + self.silence);
            let read = timeout_at(until, self.stream.read_buf(&mut self.buffer));
            if read.await.map_err(|_| WireError::Timeout)?? == 0 {
                return Err(WireError::Closed("it said nothing more".to_owned()));
            }
        }
    }
}

fn refused(status: Status) -> WireError {
    match status.kind {
        StatusKind::Bye => WireError::Closed(status.text),
        _ => WireError::No { code: status.code, text: status.text },
    }
}

/// What a server says that it can (RFC 5804 §1.7): names, upper case, and their values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Capabilities(BTreeMap<String, String>);

impl Capabilities {
    /// Takes one line of them in.
    pub(crate) fn add(&mut self, line: &[Token]) {
        let text = |place: usize| line.get(place).and_then(Token::text);
        if let Some(name) = text(0) {
            self.0.insert(name.to_ascii_uppercase(), text(1).unwrap_or_default());
        }
    }

    fn lists(&self, name: &str, word: &str) -> bool {
        let listed = self.0.get(name).map(String::as_str).unwrap_or_default();
        listed.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
    }

    fn sasl(&self, mechanism: &str) -> bool {
        self.lists("SASL", mechanism)
    }

    /// Whether CHECKSCRIPT is there: with RFC 5804, which servers from before it lack.
    pub(crate) fn checks_scripts(&self) -> bool {
        self.0.contains_key("VERSION")
    }

    /// The words after `SIEVE`.
    pub(crate) fn extensions(&self) -> &str {
        self.0.get("SIEVE").map(String::as_str).unwrap_or_default()
    }

    /// What of it a rule can use.
    pub(crate) fn abilities(&self) -> Abilities {
        let has = |extension| self.lists("SIEVE", extension);
        Abilities {
            vacation: has("vacation"),
            seconds: has("vacation-seconds"),
            date: has("date") && has("relational"),
            envelope: has("envelope"),
            include: has("include"),
        }
    }
}
