//! The tree of a message's parts (RFC 2046 §5.1), found in one pass over the bytes without
//! decoding any.
//!
//! Attached messages are leaves: what they hold is their own affair. A multipart in which no
//! boundary is found is shown as text.

use crate::{
    Error, MAX_MESSAGE,
    header::{self, Fields, Of},
    transfer::Encoding,
};
use bytes::Bytes;
use dme_model::PartId;
use memchr::memmem;
use std::{borrow::Cow, ops::Range};

/// How many parts a message may have; those beyond are not seen.
pub(crate) const MAX_PARTS: usize = 1000;
/// How deep multiparts are followed; one that lies deeper is shown as a file.
pub(crate) const MAX_DEPTH: usize = 20;

/// A part of a message.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: Option<usize>,
    /// Its place among its siblings, from 1.
    number: usize,
    depth: usize,
    pub(crate) fields: Fields,
    /// The part with its header.
    pub(crate) whole: Range<usize>,
    pub(crate) body: Range<usize>,
    /// Lower case, without parameters.
    pub(crate) media_type: String,
    parameters: Vec<(String, String)>,
    pub(crate) encoding: Encoding,
    pub(crate) children: Vec<usize>,
}

impl Node {
    /// A parameter of `Content-Type`.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is(&self, media_type: &str) -> bool {
        self.media_type == media_type
    }

    pub(crate) fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }

    /// The content as it stands.
    pub(crate) fn encoded<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        &raw[self.body.clone()]
    }

    /// The content, decoded.
    pub(crate) fn content<'a>(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        self.encoding.decode(self.encoded(raw))
    }

    /// The content, decoded, sharing the message's memory where it stands there plainly.
    pub(crate) fn content_bytes(&self, raw: &Bytes) -> Bytes {
        match self.content(raw) {
            Cow::Borrowed(_) => raw.slice(self.body.clone()),
            Cow::Owned(content) => content.into(),
        }
    }
}

/// A message and the tree of its parts, in the order they stand; the first is the root.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) raw: Bytes,
    pub(crate) nodes: Vec<Node>,
}

/// A multipart whose end has not been seen.
struct Open {
    node: usize,
    boundary: Vec<u8>,
}

impl Message {
    pub(crate) fn parse(raw: Bytes) -> Result<Self, Error> {
        if raw.is_empty() {
            return Err(Error::Empty);
        }
        if raw.len() > MAX_MESSAGE {
            return Err(Error::TooLarge(raw.len() as u64));
        }
        let mut message = Self { raw, nodes: Vec::with_capacity(4) };
        message.find_parts();
        Ok(message)
    }

    fn find_parts(&mut self) {
        let raw = self.raw.clone();
        let dashes = memmem::Finder::new(b"\n--");
        let mut open: Vec<Open> = Vec::new();
        let mut pos = self.add(None, 0, &mut open);
        // The last part, while it is no multipart and has not ended.
        let mut leaf = None;
        while !open.is_empty() {
            let Some(start) = dash_line(&raw, pos, &dashes) else { break };
            let end = memchr::memchr(b'\n', &raw[start..]).map_or(raw.len(), |at| start + at + 1);
            pos = end;
            let Some((level, last)) = delimiter(&raw[start + 2..end], &open) else { continue };
            let before = before_line_end(&raw, start);
            for ended in leaf.take().into_iter().chain(open.drain(level + 1..).map(|one| one.node))
            {
                self.end(ended, before);
            }
            if last {
                self.end(open[level].node, end);
                open.pop();
            } else if self.nodes.len() < MAX_PARTS {
                pos = self.add(Some(open[level].node), end, &mut open);
                let added = self.nodes.len() - 1;
                leaf = (open.last().map(|one| one.node) != Some(added)).then_some(added);
            } else {
                break;
            }
        }
        self.show_empty_multiparts_as_text();
    }

    fn end(&mut self, index: usize, end: usize) {
        let node = &mut self.nodes[index];
        node.body.end = end.max(node.body.start);
        node.whole.end = node.body.end;
    }

    /// Adds the part that begins here; says where to look on.
    fn add(&mut self, parent: Option<usize>, start: usize, open: &mut Vec<Open>) -> usize {
        let raw = &self.raw;
        let of = if parent.is_none() { Of::Message } else { Of::Part };
        let (fields, body) = Fields::parse(raw, start, of);
        let (mut media_type, parameters) =
            fields.find(raw, "Content-Type").and_then(header::parameters).unwrap_or_default();
        if !media_type.contains('/') {
            let digest = parent.is_some_and(|parent| self.nodes[parent].is("multipart/digest"));
            media_type = if digest { "message/rfc822" } else { "text/plain" }.into();
        }
        let encoding =
            fields.find(raw, "Content-Transfer-Encoding").map(Encoding::parse).unwrap_or_default();
        let index = self.nodes.len();
        let (mut number, mut depth) = (1, 0);
        if let Some(parent) = parent {
            let parent = &mut self.nodes[parent];
            parent.children.push(index);
            (number, depth) = (parent.children.len(), parent.depth + 1);
        }
        let node = Node {
            parent,
            number,
            depth,
            fields,
            whole: start..self.raw.len(),
            body: body..self.raw.len(),
            media_type,
            parameters,
            encoding,
            children: Vec::new(),
        };
        if node.is_multipart() && depth < MAX_DEPTH {
            let boundary = node.parameter("boundary").unwrap_or_default().trim_end();
            if !boundary.is_empty() {
                open.push(Open { node: index, boundary: boundary.as_bytes().to_vec() });
            }
        }
        self.nodes.push(node);
        body
    }

    fn show_empty_multiparts_as_text(&mut self) {
        for node in &mut self.nodes {
            if node.is_multipart() && node.children.is_empty() {
                node.media_type =
                    if node.depth < MAX_DEPTH { "text/plain" } else { "application/octet-stream" }
                        .into();
                node.parameters.retain(|(name, _)| name != "boundary");
            }
        }
    }

    pub(crate) fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// The part's id: its numbers from the root down. The only part of a message is `1`, a
    /// multipart root has none.
    pub(crate) fn id(&self, mut index: usize) -> PartId {
        let mut path = Vec::new();
        while let Some(parent) = self.nodes[index].parent {
            path.push(self.nodes[index].number.to_string());
            index = parent;
        }
        path.reverse();
        PartId::new(if path.is_empty() { "1".into() } else { path.join(".") })
    }

    /// The part with this id.
    pub(crate) fn find(&self, id: &PartId) -> Option<usize> {
        if !self.root().is_multipart() {
            return (id.as_str() == "1").then_some(0);
        }
        let mut index = 0;
        for number in id.as_str().split('.') {
            let number: usize = number.parse().ok()?;
            index = *self.nodes[index].children.get(number.checked_sub(1)?)?;
        }
        Some(index)
    }
}

/// The next line from here on that begins with two dashes. `pos` is the begin of a line.
fn dash_line(raw: &[u8], pos: usize, dashes: &memmem::Finder<'_>) -> Option<usize> {
    let rest = raw.get(pos..)?;
    if rest.starts_with(b"--") {
        return Some(pos);
    }
    dashes.find(rest).map(|at| pos + at + 1)
}

/// Which open multipart's delimiter this is (what follows the dashes), and whether its last.
fn delimiter(line: &[u8], open: &[Open]) -> Option<(usize, bool)> {
    open.iter().enumerate().rev().find_map(|(level, one)| {
        let after = line.strip_prefix(one.boundary.as_slice())?;
        if after.starts_with(b"--") {
            return Some((level, true));
        }
        after.iter().all(u8::is_ascii_whitespace).then_some((level, false))
    })
}

/// The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
fn before_line_end(raw: &[u8], line: usize) -> usize {
    match &raw[..line] {
        [.., b'\r', b'\n'] => line - 2,
        [.., b'\n'] => line - 1,
        _ => line,
    }
}

#[cfg(test)]
mod tests;
