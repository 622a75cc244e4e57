//! A message's text in the form that is wanted, in UTF-8.

use crate::{
    charset,
    html::{self, Links, to_text},
    layout::Layout,
    structure::{Message, Node},
};
use bytes::Bytes;
use std::borrow::Cow;

/// How much of one part's text is read, in bytes as they stand; no one wrote more.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// The text as HTML, a whole document.
pub(crate) fn as_html(message: &Message, layout: &Layout) -> Bytes {
    match layout.html.as_slice() {
        [] => Bytes::new(),
        [one] if message.nodes[*one].is("text/html") => part_text(message, &message.nodes[*one]),
        parts if !layout.has_html(message) => {
            let mut out = String::from("<html><body>\r\n");
            for part in parts {
                html::push_text(&plain_part(message, *part), &mut out);
            }
            out.push_str("\r\n</body></html>\r\n");
            out.into()
        }
        parts => {
            let mut out = String::new();
            for part in parts {
                let node = &message.nodes[*part];
                if node.is("text/html") {
                    out.push_str(as_str(&part_text(message, node)));
                } else {
                    html::push_text(&plain_part(message, *part), &mut out);
                }
            }
            out.into()
        }
    }
}

/// The text as plain text.
pub(crate) fn as_plain(message: &Message, layout: &Layout) -> Bytes {
    if let [one] = layout.plain.as_slice()
        && !message.nodes[*one].is("text/html")
        && !is_flowed(&message.nodes[*one])
    {
        return part_text(message, &message.nodes[*one]);
    }
    let mut out = String::new();
    for part in &layout.plain {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push_str("\r\n");
        }
        out.push_str(&plain_part(message, *part));
    }
    out.into()
}

/// The first characters of the text as one line.
pub(crate) fn preview(message: &Message, layout: &Layout, characters: usize) -> String {
    let mut line = Preview { out: String::new(), left: characters };
    for part in &layout.plain {
        let node = &message.nodes[*part];
        let text = part_text(message, node);
        line.push_form(as_str(&text), node.is("text/html"));
    }
    line.out
}

/// The same of a text by itself.
pub(crate) fn preview_of(text: &str, is_html: bool, characters: usize) -> String {
    let mut line = Preview { out: String::new(), left: characters };
    line.push_form(text, is_html);
    line.out
}

struct Preview {
    out: String,
    /// How many characters may still come.
    left: usize,
}

impl Preview {
    fn push_form(&mut self, text: &str, is_html: bool) {
        if is_html {
            // Four bytes a character, and room for spaces that are drawn together.
            let limit = self.left.saturating_mul(8).saturating_add(64);
            self.push(&to_text(text, Links::Hidden, limit));
        } else {
            self.push(text);
        }
    }

    fn push(&mut self, text: &str) {
        for word in text.split_whitespace() {
            let space = usize::from(!self.out.is_empty());
            if self.left <= space {
                return;
            }
            if space > 0 {
                self.out.push(' ');
            }
            self.left -= space;
            for c in word.chars().take(self.left) {
                self.out.push(c);
                self.left -= 1;
            }
        }
    }
}

/// One part's text as plain text.
fn plain_part(message: &Message, index: usize) -> String {
    let node = &message.nodes[index];
    let text = part_text(message, node);
    let text = as_str(&text);
    if node.is("text/html") {
        to_text(text, Links::Shown, usize::MAX)
    } else if is_flowed(node) {
        unflow(text, node.parameter("delsp").is_some_and(|value| value.eq_ignore_ascii_case("yes")))
    } else {
        text.to_owned()
    }
}

/// A text part's content in UTF-8, without NUL; shares the message's memory where it stands there
/// as it is and is most of it.
pub(crate) fn part_text(message: &Message, node: &Node) -> Bytes {
    let body = node.body.start..node.body.end.min(node.body.start.saturating_add(MAX_TEXT));
    let is_html = node.is("text/html");
    let content = node.encoding.decode(&message.raw[body.clone()]);
    let charset = node.parameter("charset").map(str::to_owned).or_else(|| {
        let declared = if is_html { html::declared_charset(&content) } else { None };
        declared.map(|place| String::from_utf8_lossy(&content[place]).into_owned())
    });
    let text = match content {
        Cow::Borrowed(content) => match charset::decode(content, charset.as_deref()) {
            Cow::Borrowed(text) if text.len() == content.len() => {
                if memchr::memchr(0, content).is_none() && !(is_html && declares_other(content)) {
                    // A small text does not keep a large message in memory.
                    let small = body.len() < message.raw.len() / 2;
                    return if small {
                        Bytes::copy_from_slice(content)
                    } else {
                        message.raw.slice(body)
                    };
                }
                text.to_owned()
            }
            text => text.into_owned(),
        },
        Cow::Owned(content) => match charset::decode(&content, charset.as_deref()) {
            Cow::Borrowed(text) if text.len() == content.len() => {
                // Found to be UTF-8 just now.
                String::from_utf8(content).unwrap_or_default()
            }
            text => text.into_owned(),
        },
    };
    let text =
        if memchr::memchr(0, text.as_bytes()).is_some() { text.replace('\0', "") } else { text };
    if is_html { html::declare_utf8(text).into() } else { text.into() }
}

fn declares_other(html: &[u8]) -> bool {
    html::declared_charset(html).is_some_and(|place| !html[place].eq_ignore_ascii_case(b"utf-8"))
}

/// Bytes that this module made, as the text they are.
pub(crate) fn as_str(text: &Bytes) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

fn is_flowed(node: &Node) -> bool {
    node.is("text/plain")
        && node.parameter("format").is_some_and(|value| value.eq_ignore_ascii_case("flowed"))
}

/// Joins the lines of a paragraph that was broken for the way (RFC 3676 §4).
fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The quote depth of the paragraph that goes on, if one does.
    let mut flowing: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let content = line[depth..].strip_prefix(' ').unwrap_or(&line[depth..]);
        let signature = content == "-- ";
        if flowing == Some(depth) && !signature {
            // Goes on in the same line.
        } else {
            if flowing.is_some() {
                out.push_str("\r\n");
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        let flows = content.ends_with(' ') && !signature;
        out.push_str(if flows && delete_space { &content[..content.len() - 1] } else { content });
        flowing = flows.then_some(depth);
        if !flows {
            out.push_str("\r\n");
        }
    }
    if flowing.is_some() {
        out.push_str("\r\n");
    }
    out
}

/// The longest begin of the text that fits and does not end within a character.
pub(crate) fn cut(text: &[u8], limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    let is_boundary = |at: usize| text.get(at).is_none_or(|b| b & 0xC0 != 0x80);
    (limit.saturating_sub(3)..=limit).rev().find(|at| is_boundary(*at)).unwrap_or(limit)
}
