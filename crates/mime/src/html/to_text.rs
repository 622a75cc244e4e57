//! HTML to plain text.

use mail_parser::decoders::html::add_html_token;
use memchr::{memchr, memchr2, memmem};

/// What becomes of links.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// The address stands behind the text: `text <https://…>`.
    Shown,
    /// Only the text stays.
    Hidden,
}

/// How deep quotes and lists are counted.
const MAX_NESTING: usize = 16;
/// The longest name of a character, `&CounterClockwiseContourIntegral;`.
const MAX_ENTITY: usize = 34;
/// The longest address of a link that is shown.
const MAX_LINK: usize = 500;

/// The text of a document, lines ended by CRLF. Stops once `limit` bytes are written, so that a
/// preview costs little; what is then returned may be a little longer.
pub(crate) fn to_text(html: &str, links: Links, limit: usize) -> String {
    let mut text = Text::new(links, html.len().min(limit));
    let mut rest = html;
    while text.out.len() < limit && !rest.is_empty() {
        let Some(at) = memchr2(b'<', b'&', rest.as_bytes()) else {
            text.push(rest);
            break;
        };
        text.push(&rest[..at]);
        rest = &rest[at..];
        rest =
            if rest.starts_with('&') { entity(rest, &mut text) } else { markup(rest, &mut text) };
    }
    text.finish()
}

/// Reads the character reference at the begin; returns what follows.
fn entity<'a>(html: &'a str, text: &mut Text) -> &'a str {
    let window = &html.as_bytes()[1..html.len().min(MAX_ENTITY)];
    let name = window.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
    if name == 0 || window.get(name) != Some(&b';') {
        text.push("&");
        return &html[1..];
    }
    let (token, rest) = html.split_at(name + 2);
    let mut decoded = String::new();
    add_html_token(&mut decoded, token.as_bytes(), false);
    if decoded.chars().all(|c| c.is_control()) {
        text.push(" ");
    } else if decoded.chars().all(|c| c == '\u{a0}') {
        text.push_unbreakable_space();
    } else {
        text.push(&decoded);
    }
    rest
}

/// Reads the tag or comment at the begin; returns what follows.
fn markup<'a>(html: &'a str, text: &mut Text) -> &'a str {
    let bytes = html.as_bytes();
    match bytes.get(1) {
        Some(b'!') if html.starts_with("<!--") => {
            memmem::find(&bytes[4..], b"-->").map_or("", |end| &html[4 + end + 3..])
        }
        Some(b'!' | b'?') => memchr(b'>', bytes).map_or("", |end| &html[end + 1..]),
        Some(b'/') => {
            let name = tag_name(&html[2..]);
            let rest = memchr(b'>', bytes).map_or("", |end| &html[end + 1..]);
            text.close(name);
            rest
        }
        Some(first) if first.is_ascii_alphabetic() => {
            let name = tag_name(&html[1..]);
            let (attributes, rest) = attributes(&html[1 + name.len()..]);
            // What stands in these is no text, whatever it looks like.
            for raw in ["script", "style", "title", "template"] {
                if name.eq_ignore_ascii_case(raw) {
                    return after_close(rest, raw);
                }
            }
            text.open(name, attributes);
            rest
        }
        _ => {
            text.push("<");
            &html[1..]
        }
    }
}

fn tag_name(after: &str) -> &str {
    let end = after.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b':').count();
    &after[..end]
}

/// Parts a tag's attributes from what follows it. As browsers do: a quote counts only as the
/// begin of a value, and an open one goes on until it is closed.
fn attributes(html: &str) -> (&str, &str) {
    let bytes = html.as_bytes();
    let mut pos = 0;
    let mut after_equals = false;
    while let Some(&byte) = bytes.get(pos) {
        match byte {
            b'>' => return (&html[..pos], &html[pos + 1..]),
            quote @ (b'"' | b'\'') if after_equals => {
                match memchr(quote, &bytes[pos + 1..]) {
                    Some(len) => pos += len + 1,
                    None => return ("", ""),
                }
                after_equals = false;
            }
            b'=' => after_equals = true,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => after_equals = false,
        }
        pos += 1;
    }
    ("", "")
}

fn after_close<'a>(html: &'a str, name: &str) -> &'a str {
    let bytes = html.as_bytes();
    for at in memchr::memchr_iter(b'<', bytes) {
        let tag = bytes.get(at + 2..at + 2 + name.len());
        if bytes.get(at + 1) == Some(&b'/')
            && tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
        {
            return memchr(b'>', &bytes[at..]).map_or("", |end| &html[at + end + 1..]);
        }
    }
    ""
}

/// The value of an attribute.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let at = memchr(b'=', rest.as_bytes())?;
        let key = rest[..at].trim_end().rsplit([' ', '\t', '\r', '\n', '"', '\'']).next()?;
        let after = rest[at + 1..].trim_start();
        let (value, next) = match after.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => {
                let inner = &after[1..];
                let end = memchr(*quote, inner.as_bytes()).unwrap_or(inner.len());
                (&inner[..end], inner.get(end + 1..).unwrap_or_default())
            }
            _ => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                after.split_at(end)
            }
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.trim());
        }
        rest = next;
    }
}

/// What a list's items begin with.
enum Marker {
    Bullet,
    Number(u32),
}

/// Text as it is laid out: breaks and spaces are held back until something follows them.
struct Text {
    out: String,
    links: Links,
    /// Line ends owed.
    breaks: usize,
    space: bool,
    /// Within `<pre>`.
    preformatted: usize,
    quotes: usize,
    lists: Vec<Marker>,
    /// The open link's address, and where in `out` its text begins.
    link: Option<(String, usize)>,
}

impl Text {
    fn new(links: Links, capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            links,
            breaks: 0,
            space: false,
            preformatted: 0,
            quotes: 0,
            lists: Vec::new(),
            link: None,
        }
    }

    fn push(&mut self, text: &str) {
        if self.preformatted > 0 {
            for (number, line) in text.split('\n').enumerate() {
                if number > 0 {
                    self.break_line();
                }
                let line = line.strip_suffix('\r').unwrap_or(line);
                if !line.is_empty() {
                    self.settle();
                    self.out.push_str(line);
                }
            }
            return;
        }
        let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '\x0c' | '\0');
        for (number, word) in text.split(blank).enumerate() {
            self.space |= number > 0;
            if !word.is_empty() {
                self.settle();
                self.out.push_str(word);
            }
        }
    }

    fn push_unbreakable_space(&mut self) {
        self.settle();
        self.out.push(' ');
    }

    /// Writes the breaks and spaces held back.
    fn settle(&mut self) {
        let line_start = self.breaks > 0 || self.out.is_empty();
        if self.out.is_empty() {
            self.breaks = 0;
        }
        if line_start {
            let trimmed = self.out.trim_end_matches(' ').len();
            self.out.truncate(trimmed);
            for number in 0..self.breaks {
                self.out.push_str("\r\n");
                if self.quotes > 0 {
                    let mark = if number + 1 == self.breaks { "> " } else { ">" };
                    (1..self.quotes).for_each(|_| self.out.push('>'));
                    self.out.push_str(mark);
                }
            }
            if self.breaks == 0 && self.quotes > 0 {
                (1..self.quotes).for_each(|_| self.out.push('>'));
                self.out.push_str("> ");
            }
        } else if self.space {
            self.out.push(' ');
        }
        self.breaks = 0;
        self.space = false;
    }

    /// A line break that counts however many there are.
    fn break_line(&mut self) {
        self.breaks = (self.breaks + 1).min(3);
        self.space = false;
    }

    /// At least so many breaks before what follows.
    fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.space = false;
    }

    fn open(&mut self, name: &str, attributes: &str) {
        let mut lower = [0u8; 12];
        match lower_case(name, &mut lower) {
            "br" => self.break_line(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl" => self.block(2),
            "div" | "tr" | "section" | "article" | "header" | "footer" | "address" | "form"
            | "center" | "dt" | "dd" | "fieldset" | "nav" | "main" | "body" => self.block(1),
            "td" | "th" => self.space = true,
            "hr" => {
                self.block(1);
                self.push("----------------------------------------");
                self.block(1);
            }
            "pre" => {
                self.block(2);
                self.preformatted = (self.preformatted + 1).min(MAX_NESTING);
            }
            "blockquote" => {
                self.block(1);
                self.quotes = (self.quotes + 1).min(MAX_NESTING);
            }
            list @ ("ul" | "ol") => {
                self.block(1);
                if self.lists.len() < MAX_NESTING {
                    self.lists.push(if list == "ol" { Marker::Number(0) } else { Marker::Bullet });
                }
            }
            "li" => self.list_item(),
            "img" => {
                if let Some(alt) = attribute(attributes, "alt").filter(|alt| !alt.is_empty()) {
                    self.push(alt);
                }
            }
            "a" if self.links == Links::Shown && self.link.is_none() => {
                if let Some(href) = attribute(attributes, "href")
                    && (href.starts_with("http://") || href.starts_with("https://"))
                    && href.len() <= MAX_LINK
                {
                    self.link = Some((href.replace("&amp;", "&"), self.out.len()));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        let mut lower = [0u8; 12];
        match lower_case(name, &mut lower) {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl" => self.block(2),
            "div" | "tr" | "section" | "article" | "header" | "footer" | "address" | "form"
            | "center" | "dt" | "dd" | "li" | "fieldset" | "nav" | "main" => self.block(1),
            "td" | "th" => self.space = true,
            "pre" => {
                self.block(2);
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "blockquote" => {
                self.block(1);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "ul" | "ol" => {
                self.block(1);
                self.lists.pop();
            }
            "a" => self.close_link(),
            _ => {}
        }
    }

    fn list_item(&mut self) {
        self.block(1);
        let depth = self.lists.len();
        let marker = match self.lists.last_mut() {
            Some(Marker::Number(number)) => {
                *number = number.saturating_add(1);
                format!("{number}.")
            }
            _ => "*".into(),
        };
        self.settle();
        (1..depth).for_each(|_| self.out.push_str("  "));
        self.out.push_str(&marker);
        self.space = true;
    }

    fn close_link(&mut self) {
        let Some((href, start)) = self.link.take() else { return };
        let shown = self.out.get(start..).unwrap_or_default().trim();
        // An address that is its own text, and a picture's, need not be told.
        if !shown.is_empty() && !href.contains(shown) && !shown.contains(href.as_str()) {
            self.out.push_str(" <");
            self.out.push_str(&href);
            self.out.push('>');
        }
    }

    fn finish(mut self) -> String {
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        if !self.out.is_empty() {
            self.out.push_str("\r\n");
        }
        self.out
    }
}

/// The name in lower case, written into the buffer; empty where it is longer, as no known one is.
fn lower_case<'a>(name: &str, buffer: &'a mut [u8; 12]) -> &'a str {
    let Some(target) = buffer.get_mut(..name.len()) else { return "" };
    target.copy_from_slice(name.as_bytes());
    target.make_ascii_lowercase();
    std::str::from_utf8(target).unwrap_or_default()
}
