//! A session: a line on which someone is logged in, with what is known of its state.

use crate::error::WireError;
use crate::wire::command::{Command, Piece};
use crate::wire::line::Line;
use crate::wire::name;
use crate::wire::response::{Response, Status, StatusKind, StatusOf, Untagged};
use bytes::Bytes;
use std::collections::HashSet;
use tokio::time::Instant;

/// So many mailboxes' figures are asked for at once: the answers of more might fill the line
/// while we still write.
const STATUS_AT_ONCE: usize = 200;

/// What may be told in answer to one of these questions, in bytes.
const STATUS_ANSWER: usize = 64 << 10;

/// What the server can do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capabilities(HashSet<String>);

impl Capabilities {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self(words.into_iter().collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, in order of the alphabet.
    pub(crate) fn words(&self) -> Vec<&str> {
        let mut words: Vec<_> = self.0.iter().map(String::as_str).collect();
        words.sort_unstable();
        words
    }
}

/// How the server remembers changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Memory {
    /// Changes and removals (RFC 7162 QRESYNC).
    Qresync,
    /// Changes (RFC 7162 CONDSTORE).
    Condstore,
    /// Nothing.
    None,
}

/// The selected mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Selected {
    pub(crate) name: String,
    pub(crate) uid_validity: u32,
    pub(crate) read_only: bool,
    /// Whether new keywords can be made.
    pub(crate) keywords: bool,
}

/// Where the user's own folders are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    /// Before the name of every folder but INBOX; decoded.
    pub(crate) prefix: String,
    /// Between the levels of a name.
    pub(crate) delimiter: Option<char>,
}

/// A logged-in connection. While a command runs it is not clean; dropped then, it is closed.
pub(crate) struct Session {
    line: Line,
    pub(crate) capabilities: Capabilities,
    pub(crate) memory: Memory,
    pub(crate) place: Place,
    pub(crate) selected: Option<Selected>,
    last_tag: u32,
    /// The tags of commands that have not ended.
    running: Vec<u32>,
    /// What was told since the first of them, in bytes.
    told: usize,
    /// What may be told in answer to them.
    allowed: usize,
    broken: bool,
}

impl Session {
    pub(crate) fn new(line: Line) -> Self {
        Self {
            line,
            capabilities: Capabilities::default(),
            memory: Memory::None,
            place: Place::default(),
            selected: None,
            last_tag: 0,
            running: Vec::new(),
            told: 0,
            allowed: 0,
            broken: false,
        }
    }

    /// Whether it can be used for something else.
    pub(crate) fn is_clean(&self) -> bool {
        self.running.is_empty() && !self.broken
    }

    /// Until when what follows must be done.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.line.deadline = deadline;
    }

    /// Lets the server take its time: for waiting until something happens.
    pub(crate) fn set_unhurried(&mut self) {
        self.line.deadline = crate::wire::line::unhurried();
    }

    /// Whether the server has not hung up in the meantime.
    pub(crate) async fn is_alive(&mut self) -> bool {
        self.line.is_alive().await
    }

    /// What may be told, in bytes, in answer to a question for contents of one message.
    pub(crate) fn whole_answer(&self) -> usize {
        self.line.max_literals.saturating_add(1 << 20)
    }

    /// Gives memory back while it is not used.
    pub(crate) fn rest(&mut self) {
        self.line.rest();
    }

    /// Runs one command; an error where the server says no.
    pub(crate) async fn run(
        &mut self,
        command: impl Into<Command>,
        mut on: impl FnMut(Untagged),
    ) -> Result<Status, WireError> {
        let results = self.run_all(vec![command.into()], &mut on).await?;
        results.into_iter().next().unwrap_or_else(|| Err(WireError::Closed(String::new())))
    }

    /// Runs commands in one round trip; the outcomes are in order. Servers may work on several
    /// at once: only commands that do not depend on each other go together. The outer error means
    /// that the session is lost.
    pub(crate) async fn run_all(
        &mut self,
        commands: Vec<Command>,
        mut on: impl FnMut(Untagged),
    ) -> Result<Vec<Result<Status, WireError>>, WireError> {
        let waits = !self.capabilities.has("LITERAL+") && commands.iter().any(Command::has_literal);
        if waits {
            // Each literal needs the server's go-ahead: one command after the other.
            let mut results = Vec::with_capacity(commands.len());
            for command in &commands {
                results.push(self.run_waiting(command, &mut on).await?);
            }
            return Ok(results);
        }
        let first = self.last_tag.wrapping_add(1);
        self.send(&commands).await?;
        let mut results: Vec<Option<_>> = commands.iter().map(|_| None).collect();
        while results.iter().any(Option::is_none) {
            match self.next().await? {
                Response::Untagged(told) => on(told),
                Response::Continue => {}
                Response::Tagged { tag, status } => {
                    let number = usize::try_from(tag.wrapping_sub(first)).unwrap_or(usize::MAX);
                    if let Some(place) = results.get_mut(number) {
                        *place = Some(outcome(status));
                    }
                }
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Sends commands without waiting; each must be read to its end by [`Session::finish`].
    /// Literals only where the server has LITERAL+.
    pub(crate) async fn send(&mut self, commands: &[Command]) -> Result<(), WireError> {
        let mut out: Vec<Bytes> = Vec::new();
        for command in commands {
            let mut text = self.begin(command.allowed);
            for piece in &command.pieces {
                match piece {
                    Piece::Text(piece) => text.push_str(piece),
                    Piece::Literal(data) => {
                        text.push_str(&format!("{{{}+}}\r\n", data.len()));
                        out.push(std::mem::take(&mut text).into());
                        out.push(data.clone());
                    }
                }
            }
            text.push_str("\r\n");
            out.push(text.into());
        }
        let joined: Bytes = match out.iter().map(Bytes::len).sum::<usize>() {
            // One packet for small commands.
            small if small <= 16 << 10 => out.concat().into(),
            _ => {
                let pieces: Vec<&[u8]> = out.iter().map(AsRef::as_ref).collect();
                return self.guarded_write(&pieces).await;
            }
        };
        self.guarded_write(&[&joined]).await
    }

    async fn guarded_write(&mut self, pieces: &[&[u8]]) -> Result<(), WireError> {
        let written = self.line.write(pieces).await;
        self.broken |= written.is_err();
        written
    }

    async fn run_waiting(
        &mut self,
        command: &Command,
        mut on: impl FnMut(Untagged),
    ) -> Result<Result<Status, WireError>, WireError> {
        let mut text = self.begin(command.allowed);
        for piece in &command.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Literal(data) => {
                    text.push_str(&format!("{{{}}}\r\n", data.len()));
                    self.guarded_write(&[text.as_bytes()]).await?;
                    text.clear();
                    loop {
                        match self.next().await? {
                            Response::Continue => break,
                            Response::Untagged(told) => on(told),
                            Response::Tagged { status, .. } => return Ok(outcome(status)),
                        }
                    }
                    self.guarded_write(&[data]).await?;
                }
            }
        }
        text.push_str("\r\n");
        self.guarded_write(&[text.as_bytes()]).await?;
        self.finish(on).await
    }

    /// A new tag and the space after it; in answer so many bytes may be told.
    fn begin(&mut self, allowed: usize) -> String {
        if self.running.is_empty() {
            (self.told, self.allowed) = (0, 0);
        }
        self.allowed = self.allowed.saturating_add(allowed);
        self.last_tag = self.last_tag.wrapping_add(1);
        self.running.push(self.last_tag);
        format!("A{} ", self.last_tag)
    }

    /// Reads to the end of the one command that was sent.
    pub(crate) async fn finish(
        &mut self,
        mut on: impl FnMut(Untagged),
    ) -> Result<Result<Status, WireError>, WireError> {
        loop {
            match self.next().await? {
                Response::Untagged(told) => on(told),
                Response::Continue => {}
                Response::Tagged { status, .. } => return Ok(outcome(status)),
            }
        }
    }

    /// The next response, with its effect on the session.
    pub(crate) async fn next(&mut self) -> Result<Response, WireError> {
        let response = match self.line.read().await {
            Ok(response) => response,
            Err(error) => {
                self.broken = true;
                return Err(error);
            }
        };
        if let Response::Untagged(told) = &response
            && !self.running.is_empty()
        {
            // What the answers become in memory counts: a server could go on for ever, each of
            // its lines in order.
            self.told = self.told.saturating_add(self.line.last + told.weight());
            if self.told > self.allowed {
                self.broken = true;
                return Err(WireError::Flood(self.allowed));
            }
        }
        match &response {
            Response::Untagged(Untagged::Status(Status {
                kind: StatusKind::Bye, text, ..
            })) => {
                self.broken = true;
                return Err(WireError::Closed(format!(": {text}")));
            }
            Response::Untagged(Untagged::Capability(words)) => {
                self.capabilities = Capabilities::new(words.clone());
            }
            Response::Tagged { tag, .. } => {
                match self.running.iter().position(|running| running == tag) {
                    Some(place) => self.running.remove(place),
                    None => {
                        self.broken = true;
                        let what = "an answer to nothing asked".to_owned();
                        return Err(WireError::Nonsense(what));
                    }
                };
            }
            _ => {}
        }
        Ok(response)
    }

    /// Sends bytes that belong to a running command, such as a SASL answer or `DONE`.
    pub(crate) async fn send_raw(&mut self, text: &str) -> Result<(), WireError> {
        self.guarded_write(&[text.as_bytes(), b"\r\n"]).await
    }

    /// Selects a mailbox, or brings it up to date where it is selected: a server shows a session
    /// what others did only between commands.
    pub(crate) async fn select(&mut self, name: &str) -> Result<Selected, WireError> {
        match self.selected.clone().filter(|selected| selected.name == name) {
            Some(selected) => {
                self.run("NOOP", drop).await?;
                Ok(selected)
            }
            None => self.reselect(name).await,
        }
    }

    /// Selects a mailbox, anew if need be.
    pub(crate) async fn reselect(&mut self, name: &str) -> Result<Selected, WireError> {
        let mut selected =
            Selected { name: name.to_owned(), uid_validity: 0, read_only: false, keywords: true };
        self.selected = None;
        let command = Command::new("SELECT").mailbox(name);
        let command = match self.memory {
            Memory::Condstore if !self.capabilities.has("ENABLE") => command.text(" (CONDSTORE)"),
            _ => command,
        };
        let status = self
            .run(command, |told| {
                let Untagged::Status(status) = told else { return };
                if let Some(validity) = status.number("UIDVALIDITY") {
                    selected.uid_validity = validity;
                }
                if let Some(flags) = status.argument("PERMANENTFLAGS") {
                    selected.keywords = flags.contains("\\*");
                }
            })
            .await?;
        selected.read_only = status.code.as_deref() == Some("READ-ONLY");
        self.selected = Some(selected.clone());
        Ok(selected)
    }

    /// Leaves the selected mailbox, so that it can be deleted or renamed.
    pub(crate) async fn unselect(&mut self) -> Result<(), WireError> {
        if self.selected.take().is_none() {
            return Ok(());
        }
        if self.capabilities.has("UNSELECT") {
            self.run("UNSELECT", drop).await?;
        } else {
            // Without UNSELECT only a failing EXAMINE leaves a mailbox without expunging
            // (RFC 3691 §1).
            let command = Command::new("EXAMINE").mailbox("no such mailbox, to unselect");
            match self.run(command, drop).await {
                Ok(_) | Err(WireError::No { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The figures of several mailboxes in one round trip, in order; none for one that is not
    /// there. A selected one is left first: STATUS would show it as the session last saw it
    /// (RFC 9051 §6.3.11), and a NOOP sent along may be run after it.
    pub(crate) async fn status(
        &mut self,
        names: &[&str],
    ) -> Result<Vec<Option<StatusOf>>, WireError> {
        let items = match self.memory {
            Memory::None => "MESSAGES UIDNEXT UIDVALIDITY UNSEEN",
            Memory::Condstore | Memory::Qresync => "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ",
        };
        let mut commands = Vec::with_capacity(names.len() + 1);
        let concerned = |selected: &Selected| names.contains(&selected.name.as_str());
        if self.selected.as_ref().is_some_and(concerned) {
            if self.capabilities.has("UNSELECT") {
                self.selected = None;
                commands.push(Command::new("UNSELECT"));
            } else {
                self.run("NOOP", drop).await?;
            }
        }
        let mut all = Vec::with_capacity(names.len());
        for names in names.chunks(STATUS_AT_ONCE) {
            let extra = commands.len();
            for name in names {
                let command = Command::new("STATUS").mailbox(name).text(&format!(" ({items})"));
                commands.push(command.allowing(STATUS_ANSWER));
            }
            let mut found: Vec<Option<StatusOf>> = names.iter().map(|_| None).collect();
            let results = self
                .run_all(std::mem::take(&mut commands), |told| {
                    if let Untagged::StatusOf(status) = told
                        && let Some(at) = names.iter().position(|it| same_mailbox(&status.name, it))
                        && let Some(place) = found.get_mut(at)
                    {
                        *place = Some(status);
                    }
                })
                .await?;
            for (place, result) in found.iter_mut().zip(results.into_iter().skip(extra)) {
                match result {
                    Ok(_) => {}
                    Err(WireError::No { .. }) => *place = None,
                    Err(error) => return Err(error),
                }
            }
            all.extend(found);
        }
        Ok(all)
    }
}

/// Whether a name as IMAP wrote it is this mailbox. INBOX is the same in any case.
pub(crate) fn same_mailbox(raw: &str, name: &str) -> bool {
    name::decode(raw).is_some_and(|decoded| decoded == name)
        || (raw.eq_ignore_ascii_case("INBOX") && name.eq_ignore_ascii_case("INBOX"))
}

fn outcome(status: Status) -> Result<Status, WireError> {
    match status.kind {
        StatusKind::Ok | StatusKind::Preauth => Ok(status),
        StatusKind::No => Err(WireError::No { code: status.code, text: status.text }),
        StatusKind::Bad | StatusKind::Bye => Err(WireError::Bad(status.text)),
    }
}
