//! A session: a line on which someone is logged in, with what is known of its state.

use crate::error::WireError;
use crate::wire::command::{Command, Piece};
use crate::wire::line::Line;
use crate::wire::name;
use crate::wire::response::{Response, Status, StatusKind, StatusOf, Untagged};
use bytes::Bytes;
use std::collections::HashSet;
use tokio::time::Instant;

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
    running: usize,
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
            running: 0,
            broken: false,
        }
    }

    /// Whether it can be used for something else.
    pub(crate) fn is_clean(&self) -> bool {
        self.running == 0 && !self.broken
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
        let results = self.run_all(vec![command.into()], |_, told| on(told)).await?;
        results.into_iter().next().unwrap_or_else(|| Err(WireError::Closed(String::new())))
    }

    /// Runs commands in one round trip. What the server tells is handed on with the number of
    /// the command that was being run; the outcomes are in order. The outer error means that the
    /// session is lost.
    pub(crate) async fn run_all(
        &mut self,
        commands: Vec<Command>,
        mut on: impl FnMut(usize, Untagged),
    ) -> Result<Vec<Result<Status, WireError>>, WireError> {
        let mut results = Vec::with_capacity(commands.len());
        let waits = !self.capabilities.has("LITERAL+") && commands.iter().any(Command::has_literal);
        if waits {
            // Each literal needs the server's go-ahead: one command after the other.
            for command in &commands {
                let number = results.len();
                results.push(self.run_waiting(command, |told| on(number, told)).await?);
            }
            return Ok(results);
        }
        self.send(&commands).await?;
        while results.len() < commands.len() {
            let number = results.len();
            results.push(self.finish(|told| on(number, told)).await?);
        }
        Ok(results)
    }

    /// Sends commands without waiting; each must be read to its end by [`Session::finish`].
    /// Literals only where the server has LITERAL+.
    pub(crate) async fn send(&mut self, commands: &[Command]) -> Result<(), WireError> {
        let mut out: Vec<Bytes> = Vec::new();
        for command in commands {
            self.last_tag = self.last_tag.wrapping_add(1);
            let mut text = format!("A{} ", self.last_tag);
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
        self.running += commands.len();
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
        self.last_tag = self.last_tag.wrapping_add(1);
        self.running += 1;
        let mut text = format!("A{} ", self.last_tag);
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
                            Response::Tagged { status, .. } => {
                                self.running = self.running.saturating_sub(1);
                                return Ok(outcome(status));
                            }
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

    /// Reads to the end of the oldest command that was sent.
    pub(crate) async fn finish(
        &mut self,
        mut on: impl FnMut(Untagged),
    ) -> Result<Result<Status, WireError>, WireError> {
        loop {
            match self.next().await? {
                Response::Untagged(told) => on(told),
                Response::Continue => {}
                Response::Tagged { status, .. } => {
                    self.running = self.running.saturating_sub(1);
                    return Ok(outcome(status));
                }
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
                // Commands are answered in order; any other tag is not an answer to us.
                let running = u32::try_from(self.running).unwrap_or(u32::MAX);
                let oldest = self.last_tag.wrapping_sub(running).wrapping_add(1);
                if self.running == 0 || *tag != oldest {
                    self.broken = true;
                    return Err(WireError::Nonsense("an answer to nothing asked".to_owned()));
                }
            }
            _ => {}
        }
        Ok(response)
    }

    /// Notes that a command whose end was read by [`Session::next`] is over.
    pub(crate) fn command_ended(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Sends bytes that belong to a running command, such as a SASL answer or `DONE`.
    pub(crate) async fn send_raw(&mut self, text: &str) -> Result<(), WireError> {
        self.guarded_write(&[text.as_bytes(), b"\r\n"]).await
    }

    /// Selects a mailbox, if it is not selected already.
    pub(crate) async fn select(&mut self, name: &str) -> Result<Selected, WireError> {
        if let Some(selected) = &self.selected
            && selected.name == name
        {
            return Ok(selected.clone());
        }
        self.reselect(name).await
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
    /// there. A selected one is brought up to date first: STATUS alone would show its old state.
    pub(crate) async fn status(
        &mut self,
        names: &[&str],
    ) -> Result<Vec<Option<StatusOf>>, WireError> {
        let items = match self.memory {
            Memory::None => "MESSAGES UIDNEXT UIDVALIDITY UNSEEN",
            Memory::Condstore | Memory::Qresync => "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ",
        };
        let mut commands = Vec::with_capacity(names.len() + 1);
        let selected = self.selected.as_ref().map(|selected| selected.name.as_str());
        let extra = usize::from(names.iter().any(|name| Some(*name) == selected));
        if extra == 1 {
            commands.push(Command::new("NOOP"));
        }
        for name in names {
            commands.push(Command::new("STATUS").mailbox(name).text(&format!(" ({items})")));
        }
        let mut found: Vec<Option<StatusOf>> = names.iter().map(|_| None).collect();
        let results = self
            .run_all(commands, |number, told| {
                // NOTIFY and some servers tell of other mailboxes at any time.
                if let Untagged::StatusOf(status) = told
                    && let Some(at) = number.checked_sub(extra)
                    && names.get(at).is_some_and(|name| same_mailbox(&status.name, name))
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
        Ok(found)
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
