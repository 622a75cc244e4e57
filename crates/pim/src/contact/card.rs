//! A card as its lines.

use super::{
    line::{Line, is_quoted_printable},
    value,
};
use crate::Error;

/// The largest card read, in bytes. A larger one is left out of its folder.
pub const MAX_OBJECT: usize = 16 << 20;

/// The version of a card's format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// 2.1, from before there was an RFC.
    V2,
    /// 3.0 (RFC 2426).
    V3,
    /// 4.0 (RFC 6350).
    V4,
}

impl Version {
    pub(super) fn escape(self, text: &str) -> String {
        if self == Self::V2 { value::escape_old(text) } else { value::escape(text) }
    }

    pub(super) fn unescape(self, value: &str) -> String {
        if self == Self::V2 { value::unescape_old(value) } else { value::unescape(value) }
    }
}

/// A card.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) version: Version,
    /// How its lines end.
    eol: &'static str,
    lines: Vec<Line>,
    /// The id of the next line.
    next: usize,
}

impl Card {
    /// A new card that says nothing yet.
    pub(super) fn new(uid: String) -> Self {
        let raw = b"BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n";
        let lines = split(raw).enumerate().map(|(id, raw)| Line::parse(id, raw)).collect();
        let mut card = Self { version: Version::V3, eol: "\r\n", lines, next: 3 };
        card.append("PRODID", &[], "-//DME//EN");
        card.append("UID", &[], &value::escape(&value::clean_line(&uid)));
        card
    }

    /// The first card of an object.
    pub(super) fn parse(object: &[u8]) -> Result<Self, Error> {
        if object.len() > MAX_OBJECT {
            return Err(Error::TooLarge { size: object.len(), limit: MAX_OBJECT });
        }
        let mark = object.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(object);
        let mut lines = Vec::new();
        // How many cards the line is in; lines of a card within the card are left alone.
        let mut depth = 0_usize;
        let mut over = false;
        for (id, raw) in split(mark).enumerate() {
            let line = Line::parse(id, raw);
            let is_card = line.value().trim().eq_ignore_ascii_case("VCARD");
            let begins = line.name == "BEGIN" && is_card;
            let ends = line.name == "END" && is_card && depth > 0;
            let known = !over && ((depth == 0 && begins) || (depth == 1 && !begins));
            depth = if begins { depth + 1 } else { depth.saturating_sub(usize::from(ends)) };
            lines.push(if known { line } else { Line::opaque(id, raw) });
            over |= ends && depth == 0;
        }
        if !over {
            return Err(Error::Unconvertible("no whole vCard is in it"));
        }
        let eol = if memchr::memchr(b'\r', object).is_some() { "\r\n" } else { "\n" };
        let next = lines.len();
        let mut card = Self { version: Version::V3, eol, lines, next };
        card.version = match card.find("VERSION").map(|line| line.value().trim().to_owned()) {
            Some(version) if version.starts_with('2') => Version::V2,
            Some(version) if version.starts_with('4') => Version::V4,
            _ => Version::V3,
        };
        let kinds = ["KIND", "X-ADDRESSBOOKSERVER-KIND"];
        let is_group = |line: &Line| line.value().trim().eq_ignore_ascii_case("group");
        if kinds.into_iter().filter_map(|kind| card.find(kind)).any(is_group) {
            return Err(Error::Group);
        }
        Ok(card)
    }

    /// Its lines, those as they were that no one changed.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(Line::raw).copied().collect()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.name.is_empty())
    }

    pub(super) fn line(&self, id: usize) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines().filter(move |line| line.name == name)
    }

    /// The first line of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Line> {
        self.lines().find(|line| line.name == name)
    }

    /// The text of the first line of this name; empty where there is none.
    pub(super) fn text_of(&self, name: &str) -> String {
        self.find(name).map(|line| line.text(self.version)).unwrap_or_default()
    }

    /// What all copies of the card have in common; empty where it says nothing.
    pub(super) fn uid(&self) -> String {
        self.text_of("UID").trim().to_owned()
    }

    /// What a line is called by the user (`X-ABLabel` of its group), upper case and without the
    /// marks that Apple puts around its own words; empty for nothing.
    pub(super) fn label(&self, line: &Line) -> String {
        if line.group.is_empty() {
            return String::new();
        }
        let label = self.named("X-ABLABEL").find(|one| one.group == line.group);
        let text = label.map(|label| label.text(self.version)).unwrap_or_default();
        let text = text.strip_prefix("_$!<").and_then(|text| text.strip_suffix(">!$_"));
        text.map(str::to_ascii_uppercase).unwrap_or_default()
    }

    /// Adds a line at the end of the card, its value escaped already; returns its id.
    pub(super) fn append(&mut self, name: &str, parameters: &[&str], value: &str) -> usize {
        let id = self.next;
        self.next += 1;
        let mut line = Line::new(id, name, parameters, value, self.eol);
        if self.version == Version::V2 && (!value.is_ascii() || value.contains('\n')) {
            line.set_value(value, self.version, self.eol);
        }
        let end = self.lines.iter().rposition(|line| line.name == "END");
        self.lines.insert(end.unwrap_or(self.lines.len()), line);
        id
    }

    /// Puts another value into a line, escaped already.
    pub(super) fn set_value(&mut self, id: usize, value: &str) {
        let (version, eol) = (self.version, self.eol);
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            line.set_value(value, version, eol);
        }
    }

    /// Sets a parameter of a line, or takes it out; before [`Self::set_value`].
    pub(super) fn set_parameter(&mut self, id: usize, name: &str, value: Option<&str>) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            line.set_parameter(name, value);
        }
    }

    /// Gives a line its place for good, or with [`super::slot::NONE`] none.
    pub(super) fn set_slot(&mut self, id: usize, slot: &str) {
        let eol = self.eol;
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            line.set_slot(slot, eol);
        }
    }

    /// Puts a text into the first line of this name, or adds one.
    pub(super) fn set_text_of(&mut self, name: &str, text: &str) {
        let value = self.version.escape(text);
        match self.find(name).map(|line| line.id) {
            Some(id) => self.set_value(id, &value),
            None => {
                self.append(name, &[], &value);
            }
        }
    }

    /// Takes a line out, and what was said of it alone (`X-ABLabel`, `X-ABADR` of its group).
    pub(super) fn remove(&mut self, id: usize) {
        let Some(group) = self.line(id).map(|line| line.group.clone()) else { return };
        self.lines.retain(|line| line.id != id);
        let about = |line: &Line| matches!(line.name.as_str(), "X-ABLABEL" | "X-ABADR");
        let alone = self.lines().filter(|line| line.group == group).all(about);
        if !group.is_empty() && alone {
            self.lines.retain(|line| line.group != group);
        }
    }
}

/// The folded lines of a text, each with its end. A line of quoted-printable that ends in `=` goes
/// on in the next.
fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        let mut quoted = None;
        loop {
            let piece = rest.get(end..).unwrap_or_default();
            let length = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let piece = piece.get(..length).unwrap_or_default();
            let quoted = *quoted.get_or_insert_with(|| is_quoted_printable(piece));
            end += length;
            let folded = matches!(rest.get(end), Some(b' ' | b'\t'));
            let soft = quoted && piece.trim_ascii_end().ends_with(b"=");
            if end >= rest.len() || !(folded || soft) {
                break;
            }
        }
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_no_one_changed_is_written_as_it_was() {
        let cards: [&[u8]; 4] = [
            b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:a;b\r\n  c\r\nX-Y.Z:q\r\n\r\nEND:VCARD\r\n",
            b"\nbegin:vcard\nversion:2.1\nNOTE;QUOTED-PRINTABLE:a=\n b\nend:vcard",
            b"BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nFN:x\nEND:VCARD\nFN:y\nEND:VCARD\nFN:z\n",
            b"BEGIN:VCARD\nno line\n\xFF\xFE:\nEND:VCARD\n",
        ];
        for card in cards {
            assert_eq!(Card::parse(card).unwrap().to_bytes(), card);
        }
        assert_eq!(Card::parse(cards[2]).unwrap().text_of("FN"), "y", "not the agent's");
    }

    #[test]
    fn what_is_no_person_is_told() {
        let what = |text: &str| Card::parse(text.as_bytes()).unwrap_err();
        assert!(matches!(what("BEGIN:VCALENDAR\nEND:VCALENDAR\n"), Error::Unconvertible(_)));
        assert!(matches!(what("BEGIN:VCARD\nFN:half"), Error::Unconvertible(_)));
        assert_eq!(what("BEGIN:VCARD\nKIND:group\nEND:VCARD\n"), Error::Group);
        assert_eq!(what("BEGIN:VCARD\nX-ADDRESSBOOKSERVER-KIND:group\nEND:VCARD\n"), Error::Group);
    }
}
