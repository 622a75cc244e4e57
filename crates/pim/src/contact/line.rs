//! One line of a card: `[group.]NAME *(;parameter) : value` (RFC 6350 §3.3).

use super::{card::Version, slot, value};
use crate::content_line::{fold, parts};
use dme_mime::decode;
use std::borrow::Cow;

/// A line, taken apart, with the bytes it was made of.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Tells it from the card's other lines, also after some have gone.
    pub(super) id: usize,
    /// Upper case; empty where the line is none or belongs to a card within the card.
    pub(super) name: String,
    /// What holds it together with others (`item1`), lower case; empty for none.
    pub(super) group: String,
    /// As it stands, before the parameters.
    head: String,
    /// As they stand.
    parameters: Vec<String>,
    /// As it stands, unfolded.
    value: String,
    /// As it stands, folded, with its end.
    raw: Vec<u8>,
}

impl Line {
    /// A line that means nothing here.
    pub(super) fn opaque(id: usize, raw: &[u8]) -> Self {
        let (name, group, head, value) = Default::default();
        Self { id, name, group, head, parameters: Vec::new(), value, raw: raw.to_vec() }
    }

    /// Takes a folded line apart.
    pub(super) fn parse(id: usize, raw: &[u8]) -> Self {
        let unfolded = unfold(raw);
        let Some(colon) = end_of_head(&unfolded) else { return Self::opaque(id, raw) };
        let (head, value) = (unfolded.get(..colon), unfolded.get(colon + 1..));
        let head = decode::charset(head.unwrap_or_default(), None);
        let mut pieces = split_parameters(&head).into_iter();
        let full_name = pieces.next().unwrap_or_default();
        let (group, name) = full_name.rsplit_once('.').unwrap_or(("", &full_name));
        let mut line = Self {
            id,
            name: name.trim().to_ascii_uppercase(),
            group: group.trim().to_ascii_lowercase(),
            parameters: pieces.collect(),
            value: String::new(),
            raw: raw.to_vec(),
            head: full_name.clone(),
        };
        let charset = line.parameter("CHARSET").map(Cow::into_owned);
        line.value = decode::charset(value.unwrap_or_default(), charset.as_deref()).into_owned();
        line
    }

    /// A new line with parameters as they are to stand, and a value that is escaped already.
    pub(super) fn new(id: usize, name: &str, parameters: &[&str], value: &str, eol: &str) -> Self {
        let mut line = Self {
            id,
            name: name.rsplit('.').next().unwrap_or_default().to_ascii_uppercase(),
            group: name.split_once('.').map_or("", |(group, _)| group).to_ascii_lowercase(),
            head: name.to_owned(),
            parameters: parameters.iter().map(|one| (*one).to_owned()).collect(),
            value: value.to_owned(),
            raw: Vec::new(),
        };
        line.rewrite(eol);
        line
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The first value of a parameter, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters.iter().find_map(|one| {
            let (key, value) = one.split_once('=')?;
            let found = key.trim().eq_ignore_ascii_case(name);
            found.then(|| Cow::Borrowed(value.trim().trim_matches('"')))
        })
    }

    /// What kind of address or number it is: `TYPE=…`, and parameters of 2.1 that have no name;
    /// upper case.
    pub(super) fn types(&self) -> Vec<String> {
        let values = self.parameters.iter().filter_map(|one| match one.split_once('=') {
            None => Some(one.as_str()),
            Some((key, value)) if key.trim().eq_ignore_ascii_case("TYPE") => Some(value),
            Some(_) => None,
        });
        values
            .flat_map(|value| value.split(','))
            .map(|one| one.trim().trim_matches('"').to_ascii_uppercase())
            .collect()
    }

    /// Its rank among its like: 1 first; none where it has none.
    pub(super) fn preference(&self) -> Option<u8> {
        match self.parameter("PREF") {
            Some(rank) => rank.parse().ok(),
            None => self.types().iter().any(|one| one == "PREF").then_some(1),
        }
    }

    /// The place that an earlier edit gave it.
    pub(super) fn slot(&self) -> Option<Cow<'_, str>> {
        self.parameter(slot::PARAMETER)
    }

    /// Gives it a place.
    pub(super) fn set_slot(&mut self, slot: &str, eol: &str) {
        // The value is written as it was decoded, unless its escapes stand as they are.
        if !self.is_quoted_printable() && self.parameter("CHARSET").is_some() {
            self.set_parameter("CHARSET", Some("UTF-8"));
        }
        self.set_parameter(slot::PARAMETER, Some(slot));
        self.rewrite(eol);
    }

    /// The value, transfer encoding taken off, still escaped.
    pub(super) fn value(&self) -> Cow<'_, str> {
        if !self.is_quoted_printable() {
            return Cow::Borrowed(&self.value);
        }
        let bytes = decode::quoted_printable(self.value.as_bytes());
        let charset = self.parameter("CHARSET");
        Cow::Owned(decode::charset(&bytes, charset.as_deref()).replace("\r\n", "\n"))
    }

    /// The value as a text.
    pub(super) fn text(&self, version: Version) -> String {
        version.unescape(&self.value())
    }

    /// The members of a structure, still escaped.
    pub(super) fn members(&self) -> Vec<String> {
        self.parts(';')
    }

    /// The pieces between separators, still escaped.
    pub(super) fn parts(&self, separator: char) -> Vec<String> {
        parts(&self.value(), separator).into_iter().map(str::to_owned).collect()
    }

    /// Puts another value in place of the old one, escaped already.
    pub(super) fn set_value(&mut self, value: &str, version: Version, eol: &str) {
        self.set_parameter("ENCODING", None);
        self.set_parameter("CHARSET", None);
        self.parameters.retain(|one| {
            let encodings = ["QUOTED-PRINTABLE", "BASE64", "8BIT"];
            !encodings.iter().any(|name| one.trim().eq_ignore_ascii_case(name))
        });
        // What is kept of a value that was encoded may have ends of lines in it.
        let value = match version {
            Version::V2 => Cow::Borrowed(value),
            Version::V3 | Version::V4 => Cow::Owned(value.replace('\r', "").replace('\n', "\\n")),
        };
        let value = &*value;
        self.value = value.to_owned();
        if version == Version::V2 && !value.is_ascii() {
            self.set_parameter("CHARSET", Some("UTF-8"));
        }
        if version == Version::V2 && (!value.is_ascii() || value.contains('\n')) {
            self.set_parameter("ENCODING", Some("QUOTED-PRINTABLE"));
            self.value = value::quoted_printable(value);
        }
        self.rewrite(eol);
    }

    /// Sets a parameter, or takes it out; counts once [`Self::set_value`] or [`Self::set_slot`] is
    /// called.
    pub(super) fn set_parameter(&mut self, name: &str, value: Option<&str>) {
        self.parameters.retain(|one| {
            !one.split_once('=').is_some_and(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        });
        // Behind quotes that never end it would be read as part of what they begin.
        let quotes = self.parameters.iter().flat_map(|one| one.bytes()).filter(|it| *it == b'"');
        let place = if quotes.count() % 2 == 0 { self.parameters.len() } else { 0 };
        if let Some(value) = value {
            self.parameters.insert(place, format!("{name}={value}"));
        }
    }

    fn full_head(&self) -> String {
        let mut head = self.head.clone();
        for one in &self.parameters {
            head.push(';');
            head.push_str(one);
        }
        head
    }

    fn is_quoted_printable(&self) -> bool {
        let encoding = self.parameter("ENCODING");
        encoding.is_some_and(|one| one.eq_ignore_ascii_case("QUOTED-PRINTABLE"))
            || self.types().iter().any(|one| one == "QUOTED-PRINTABLE")
    }

    fn rewrite(&mut self, eol: &str) {
        if self.is_quoted_printable() {
            let value = value::softly_broken(&self.value, eol);
            self.raw = format!("{}:{value}{eol}", self.full_head()).into_bytes();
            return;
        }
        self.raw.clear();
        fold(&format!("{}:{}", self.full_head(), self.value), eol, &mut self.raw);
    }
}

/// The line in one piece, without its end. Soft line breaks of quoted-printable are taken out too.
fn unfold(raw: &[u8]) -> Cow<'_, [u8]> {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    if memchr::memchr(b'\n', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let quoted = is_quoted_printable(raw);
    let mut out: Vec<u8> = Vec::with_capacity(raw.len());
    for (number, piece) in raw.split(|byte| *byte == b'\n').enumerate() {
        let piece = piece.strip_suffix(b"\r").unwrap_or(piece);
        match piece {
            piece if quoted && out.last() == Some(&b'=') => {
                out.pop();
                out.extend_from_slice(piece);
            }
            [b' ' | b'\t', rest @ ..] if number > 0 => out.extend_from_slice(rest),
            piece => out.extend_from_slice(piece),
        }
    }
    Cow::Owned(out)
}

/// Whether a line says that it is written so, by its begin.
pub(super) fn is_quoted_printable(line: &[u8]) -> bool {
    let head = end_of_head(line).and_then(|colon| line.get(..colon)).unwrap_or_default();
    head.to_ascii_uppercase().windows(16).any(|part| part == b"QUOTED-PRINTABLE")
}

/// Where the value begins: the first colon that is not within quotes; if the quotes never end, the
/// first at all.
fn end_of_head(line: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b':' if !quoted => return Some(at),
            _ => {}
        }
    }
    memchr::memchr(b':', line)
}

/// The pieces between semicolons that are not within quotes.
fn split_parameters(head: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut quoted = false;
    for c in head.chars() {
        match c {
            ';' if !quoted => {
                pieces.push(String::new());
                continue;
            }
            '"' => quoted = !quoted,
            _ => {}
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content_line::MAX_WIDTH;

    #[test]
    fn a_line_is_taken_apart() {
        let line = Line::parse(0, b"item1.TEL;type=HOME,pref;X-A=\"b:c;d\":+49 30\r\n  1234\r\n");
        assert_eq!((line.name.as_str(), line.group.as_str()), ("TEL", "item1"));
        assert_eq!(line.types(), ["HOME", "PREF"]);
        assert_eq!(line.parameter("x-a").as_deref(), Some("b:c;d"));
        assert_eq!(line.text(Version::V3), "+49 30 1234");
        assert_eq!(line.preference(), Some(1));
    }

    #[test]
    fn values_of_2_1_are_decoded_and_written_so() {
        let raw = b"NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller=0D=0A=\r\nBerlin\r\n";
        let mut line = Line::parse(0, raw);
        assert_eq!(line.text(Version::V2), "Müller\nBerlin");
        line.set_value("Zoë", Version::V2, "\r\n");
        assert_eq!(line.text(Version::V2), "Zoë");
        let raw = String::from_utf8(line.raw().to_vec()).unwrap();
        assert_eq!(raw, "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB\r\n");
        let mut latin = Line::parse(0, b"FN;CHARSET=ISO-8859-1:J\xFCrgen\r\n");
        assert_eq!(latin.text(Version::V2), "Jürgen");
        latin.set_slot("None", "\r\n");
        assert_eq!(Line::parse(0, latin.raw()).text(Version::V2), "Jürgen");
    }

    #[test]
    fn a_long_value_of_2_1_is_whole_behind_a_colon_in_quotes() {
        let mut line = Line::parse(0, b"ADR;X=\"a:b\":;;x;;;;\r\n");
        let street = "Straße ".repeat(20);
        line.set_value(&format!(";;{street};;;;"), Version::V2, "\r\n");
        assert_eq!(Line::parse(0, line.raw()).members()[2], street);
    }

    #[test]
    fn an_end_of_a_line_that_was_encoded_ends_no_line() {
        let raw = b"ADR;ENCODING=QUOTED-PRINTABLE:Floor 2=0D=0ARear;;x;;;;\r\n";
        let mut line = Line::parse(0, raw);
        let kept = line.members()[0].clone();
        line.set_value(&format!("{kept};;y;;;;"), Version::V3, "\r\n");
        let written = String::from_utf8(line.raw().to_vec()).unwrap();
        assert_eq!(written, "ADR:Floor 2\\nRear;;y;;;;\r\n");
    }

    #[test]
    fn another_value_leaves_name_group_and_parameters() {
        let mut line = Line::parse(0, b"Item1.Email;type=INTERNET;X-Foo=1:a@b.example\n");
        line.set_value("c@d.example", Version::V3, "\n");
        assert_eq!(line.raw(), b"Item1.Email;type=INTERNET;X-Foo=1:c@d.example\n");
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let line = Line::new(0, "NOTE", &[], &"ü".repeat(100), "\r\n");
        let raw = String::from_utf8(line.raw().to_vec()).unwrap();
        assert!(raw.lines().count() > 2 && raw.lines().all(|one| one.len() <= MAX_WIDTH));
        assert_eq!(Line::parse(0, line.raw()).text(Version::V3), "ü".repeat(100));
    }
}
