//! Answers: what of them is understood.

use super::cursor::Cursor;
use super::structure::Structure;
use crate::error::WireError;
use bytes::Bytes;
use dme_model::{ItemSet, Timestamp};

/// What a word takes in memory beside its letters.
const WORD: usize = 48;
/// What a run of UIDs takes in a set.
const RUN: usize = 16;
/// The most words kept of one list: flags of a message, attributes of a mailbox, capabilities.
const MAX_WORDS: usize = 1_000;
/// The most contents kept of one message in one response.
const MAX_BODIES: usize = 256;

/// One response.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Response {
    /// The end of a command.
    Tagged { tag: u32, status: Status },
    /// Go on.
    Continue,
    /// Anything else.
    Untagged(Untagged),
}

/// How it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Status {
    pub(crate) kind: StatusKind,
    /// What stood in brackets; its name is upper case.
    pub(crate) code: Option<String>,
    pub(crate) text: String,
}

/// The outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StatusKind {
    Ok,
    No,
    Bad,
    Bye,
    Preauth,
}

/// What the server tells.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Untagged {
    Status(Status),
    Capability(Vec<String>),
    List(Listed),
    StatusOf(StatusOf),
    /// UIDs found, in the order given.
    Search(Vec<u32>),
    /// UIDs found, as a set (RFC 4731).
    Esearch(ItemSet),
    Exists(u32),
    Vanished {
        earlier: bool,
        uids: ItemSet,
    },
    Fetch(Box<Fetch>),
    /// The first personal namespace: prefix and delimiter (RFC 2342).
    Namespace(Option<(String, Option<char>)>),
    /// A single message went (its number is of no use to us).
    Expunge,
    Other,
}

/// A mailbox in a list, its name as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Listed {
    /// Lower case, with the backslash.
    pub(crate) attributes: Vec<String>,
    pub(crate) delimiter: Option<char>,
    pub(crate) name: String,
    /// The user's rights where told (RFC 8440).
    pub(crate) rights: Option<String>,
}

/// A mailbox's figures; what was not told is none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct StatusOf {
    pub(crate) name: String,
    pub(crate) messages: Option<u32>,
    pub(crate) uid_next: Option<u32>,
    pub(crate) uid_validity: Option<u32>,
    pub(crate) unseen: Option<u32>,
    pub(crate) highest_modseq: Option<u64>,
}

/// What was told of one message.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Fetch {
    pub(crate) uid: Option<u32>,
    pub(crate) flags: Option<Vec<String>>,
    pub(crate) date: Option<Timestamp>,
    pub(crate) size: Option<u64>,
    pub(crate) structure: Option<Structure>,
    /// The section as asked (`1.2.MIME`, empty for all) and its content.
    pub(crate) bodies: Vec<(String, Bytes)>,
}

impl Untagged {
    /// About what it takes in memory beside its own bytes: many short words weigh more than they
    /// are long.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Fetch(fetch) => {
                let flags = fetch.flags.as_ref().map_or(0, Vec::len);
                (flags + fetch.bodies.len()) * WORD
            }
            Self::List(listed) => (listed.attributes.len() + 4) * WORD,
            Self::Capability(words) => words.len() * WORD,
            Self::Search(uids) => uids.len() * RUN,
            Self::Esearch(uids) | Self::Vanished { uids, .. } => uids.runs().count() * RUN,
            _ => 0,
        }
    }
}

impl Status {
    /// The number that follows a response code's name.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.argument(name)?.parse().ok()
    }

    /// What follows a response code's name.
    pub(crate) fn argument(&self, name: &str) -> Option<&str> {
        let (found, rest) = self.code.as_deref()?.split_once(' ')?;
        (found == name).then_some(rest)
    }
}

impl Response {
    /// Reads a whole response, CRLF included.
    pub(crate) fn read(raw: &Bytes) -> Result<Self, WireError> {
        let mut cursor = Cursor::new(raw);
        if cursor.eat(b'+') {
            return Ok(Self::Continue);
        }
        if cursor.eat(b'*') {
            cursor.expect(b' ')?;
            return untagged(&mut cursor).map(Self::Untagged);
        }
        let tag = cursor.atom();
        let tag = tag.strip_prefix('A').and_then(|number| number.parse().ok());
        let tag = tag.ok_or_else(|| WireError::Nonsense("not a line of IMAP".to_owned()))?;
        cursor.expect(b' ')?;
        let word = cursor.atom();
        let kind = status_kind(&word).ok_or_else(|| {
            WireError::Nonsense("a command ended neither well nor ill".to_owned())
        })?;
        Ok(Self::Tagged { tag, status: status(kind, &mut cursor) })
    }
}

fn status_kind(word: &str) -> Option<StatusKind> {
    Some(match word.to_ascii_uppercase().as_str() {
        "OK" => StatusKind::Ok,
        "NO" => StatusKind::No,
        "BAD" => StatusKind::Bad,
        "BYE" => StatusKind::Bye,
        "PREAUTH" => StatusKind::Preauth,
        _ => return None,
    })
}

fn status(kind: StatusKind, cursor: &mut Cursor<'_>) -> Status {
    cursor.eat(b' ');
    let line = cursor.line();
    let Some((code, text)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return Status { kind, code: None, text: line };
    };
    let code = match code.split_once(' ') {
        Some((name, rest)) => format!("{} {rest}", name.to_ascii_uppercase()),
        None => code.to_ascii_uppercase(),
    };
    Status { kind, code: Some(code), text: text.trim_start().to_owned() }
}

fn untagged(cursor: &mut Cursor<'_>) -> Result<Untagged, WireError> {
    if cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        let number = cursor.number32()?;
        cursor.expect(b' ')?;
        return Ok(match cursor.atom().to_ascii_uppercase().as_str() {
            "EXISTS" => Untagged::Exists(number),
            "EXPUNGE" => Untagged::Expunge,
            "FETCH" => {
                cursor.expect(b' ')?;
                Untagged::Fetch(Box::new(fetch(cursor)?))
            }
            _ => Untagged::Other,
        });
    }
    let word = cursor.atom();
    if let Some(kind) = status_kind(&word) {
        return Ok(Untagged::Status(status(kind, cursor)));
    }
    cursor.eat(b' ');
    Ok(match word.to_ascii_uppercase().as_str() {
        "CAPABILITY" => Untagged::Capability(words(&cursor.line())),
        "LIST" | "XLIST" => Untagged::List(listed(cursor)?),
        "STATUS" => Untagged::StatusOf(status_of(cursor)?),
        "SEARCH" | "SORT" => Untagged::Search(found(&cursor.line())),
        "ESEARCH" => Untagged::Esearch(esearch(&cursor.line())?),
        "VANISHED" => {
            let line = cursor.line();
            let (earlier, set) = match line.strip_prefix("(EARLIER) ") {
                Some(set) => (true, set),
                None => (false, line.as_str()),
            };
            let uids = ItemSet::from_sequence(set.trim())
                .ok_or_else(|| WireError::Nonsense("VANISHED without UIDs".to_owned()))?;
            Untagged::Vanished { earlier, uids }
        }
        "NAMESPACE" => Untagged::Namespace(namespace(cursor)?),
        _ => Untagged::Other,
    })
}

pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_ascii_whitespace().take(MAX_WORDS).map(str::to_ascii_uppercase).collect()
}

/// UIDs after SEARCH or SORT, up to a `(MODSEQ n)`.
fn found(line: &str) -> Vec<u32> {
    line.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect()
}

fn esearch(line: &str) -> Result<ItemSet, WireError> {
    let mut words = line.split_ascii_whitespace();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("ALL") {
            return words
                .next()
                .and_then(ItemSet::from_sequence)
                .ok_or_else(|| WireError::Nonsense("ESEARCH without UIDs".to_owned()));
        }
    }
    Ok(ItemSet::new())
}

fn delimiter(cursor: &mut Cursor<'_>) -> Result<Option<char>, WireError> {
    let text = cursor.nstring()?;
    Ok(text.and_then(|text| String::from_utf8_lossy(&text).chars().next()))
}

fn listed(cursor: &mut Cursor<'_>) -> Result<Listed, WireError> {
    let mut attributes = Vec::new();
    cursor.list(|cursor| {
        let attribute = cursor.flag().to_ascii_lowercase();
        if attributes.len() < MAX_WORDS {
            attributes.push(attribute);
        }
        Ok(())
    })?;
    cursor.expect(b' ')?;
    let delimiter = delimiter(cursor)?;
    cursor.expect(b' ')?;
    let name = String::from_utf8_lossy(&cursor.astring()?).into_owned();
    let mut rights = None;
    if cursor.eat(b' ') && cursor.peek() == Some(b'(') {
        cursor.list(|cursor| {
            let name = cursor.astring()?;
            cursor.eat(b' ');
            if name.eq_ignore_ascii_case(b"MYRIGHTS") {
                rights = Some(String::from_utf8_lossy(&cursor.astring()?).into_owned());
                return Ok(());
            }
            cursor.skip_value()
        })?;
    }
    Ok(Listed { attributes, delimiter, name, rights })
}

fn status_of(cursor: &mut Cursor<'_>) -> Result<StatusOf, WireError> {
    let name = String::from_utf8_lossy(&cursor.astring()?).into_owned();
    let mut status = StatusOf { name, ..StatusOf::default() };
    cursor.expect(b' ')?;
    cursor.list(|cursor| {
        let item = cursor.atom().to_ascii_uppercase();
        cursor.expect(b' ')?;
        match item.as_str() {
            "MESSAGES" => status.messages = Some(cursor.number32()?),
            "UIDNEXT" => status.uid_next = Some(cursor.number32()?),
            "UIDVALIDITY" => status.uid_validity = Some(cursor.number32()?),
            "UNSEEN" => status.unseen = Some(cursor.number32()?),
            "HIGHESTMODSEQ" => status.highest_modseq = Some(cursor.number()?),
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    Ok(status)
}

fn namespace(cursor: &mut Cursor<'_>) -> Result<Option<(String, Option<char>)>, WireError> {
    let mut personal = None;
    if cursor.peek() == Some(b'(') {
        cursor.list(|cursor| {
            cursor.expect(b'(')?;
            let prefix = String::from_utf8_lossy(&cursor.string()?).into_owned();
            cursor.expect(b' ')?;
            let delimiter = delimiter(cursor)?;
            while cursor.eat(b' ') {
                cursor.skip_value()?;
            }
            cursor.expect(b')')?;
            personal.get_or_insert((prefix, delimiter));
            Ok(())
        })?;
    }
    Ok(personal)
}

fn fetch(cursor: &mut Cursor<'_>) -> Result<Fetch, WireError> {
    let mut fetch = Fetch::default();
    cursor.list(|cursor| {
        let item = cursor.fetch_item()?;
        cursor.expect(b' ')?;
        match item.as_str() {
            "UID" => fetch.uid = Some(cursor.number32()?),
            "FLAGS" => {
                let mut flags = Vec::new();
                cursor.list(|cursor| {
                    let flag = cursor.flag();
                    if flags.len() < MAX_WORDS {
                        flags.push(flag);
                    }
                    Ok(())
                })?;
                fetch.flags = Some(flags);
            }
            "INTERNALDATE" => {
                let text = cursor.string()?;
                fetch.date = crate::date::read(&String::from_utf8_lossy(&text));
            }
            "RFC822.SIZE" => fetch.size = Some(cursor.number()?),
            "BODYSTRUCTURE" => fetch.structure = Some(Structure::read(cursor)?),
            _ => match item.strip_prefix("BODY[").and_then(|rest| rest.split_once(']')) {
                Some((section, _)) => {
                    let content = cursor.nstring()?.unwrap_or_default();
                    if fetch.bodies.len() < MAX_BODIES {
                        fetch.bodies.push((section.to_owned(), content));
                    }
                }
                None => cursor.skip_value()?,
            },
        }
        Ok(())
    })?;
    Ok(fetch)
}

#[cfg(test)]
mod tests;
