//! One content line of an object (RFC 5545 §3.1). A line that nobody changed is written byte for
//! byte as it came, folds and all.

use crate::content_line::fold;
use bytes::Bytes;

/// A parameter of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Parameter {
    /// Upper case.
    pub(crate) name: String,
    /// Decoded, at least one.
    pub(crate) values: Vec<String>,
}

/// A line: `NAME;PARAM=value:value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    /// As it came; none once it was changed.
    raw: Option<Bytes>,
    /// Upper case. Empty where the line makes no sense: then it is only kept.
    name: String,
    parameters: Vec<Parameter>,
    value: String,
}

impl Line {
    /// A new line. The value is in the form of its type: a text escaped by [`super::text::escape`].
    pub(crate) fn new(name: &str, value: impl Into<String>) -> Self {
        let value = writable(value.into(), '\t');
        Self { raw: None, name: name.to_owned(), parameters: Vec::new(), value }
    }

    /// The same with one more parameter.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_parameter(name, Some(&value.into()));
        self
    }

    /// Reads a line with its folds and line end.
    pub(crate) fn parse(raw: Bytes) -> Self {
        let text = unfold(&raw);
        let (name, parameters, value) = split(&text).map_or(
            (String::new(), Vec::new(), String::new()),
            |(name, parameters, value)| {
                (name.to_ascii_uppercase(), parameters, writable(value.to_owned(), '\t'))
            },
        );
        Self { raw: Some(raw), name, parameters, value }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The value as it stands there.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// Another value; nothing happens where it is the same.
    pub(crate) fn set_value(&mut self, value: impl Into<String>) {
        let value = writable(value.into(), '\t');
        if self.value != value {
            self.value = value;
            self.raw = None;
        }
    }

    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// A parameter's first value.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|parameter| parameter.name == name)?;
        found.values.first().map(String::as_str)
    }

    /// Whether a parameter has this value, whatever its case.
    pub(crate) fn parameter_is(&self, name: &str, value: &str) -> bool {
        self.parameter(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    /// Sets a parameter or takes it away; nothing happens where it is so already.
    pub(crate) fn set_parameter(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(|value| writable(value.to_owned(), '\n'));
        if self.parameter(name) == value.as_deref() {
            return;
        }
        self.raw = None;
        match value {
            None => self.parameters.retain(|parameter| parameter.name != name),
            Some(value) => {
                let values = vec![value];
                match self.parameters.iter_mut().find(|parameter| parameter.name == name) {
                    Some(parameter) => parameter.values = values,
                    None => self.parameters.push(Parameter { name: name.to_owned(), values }),
                }
            }
        }
    }

    /// Writes it; a changed line with `line_end` and folded.
    pub(crate) fn write(&self, line_end: &str, out: &mut Vec<u8>) {
        if let Some(raw) = &self.raw {
            out.extend_from_slice(raw);
            // The last line of an object may have no end.
            if !raw.ends_with(b"\n") && !raw.is_empty() {
                out.extend_from_slice(line_end.as_bytes());
            }
            return;
        }
        let mut text = self.name.clone();
        for parameter in &self.parameters {
            text.push(';');
            text.push_str(&parameter.name);
            for (number, value) in parameter.values.iter().enumerate() {
                text.push(if number == 0 { '=' } else { ',' });
                push_parameter_value(value, &mut text);
            }
        }
        text.push(':');
        text.push_str(&self.value);
        fold(&text, line_end, out);
    }
}

/// A value without the control characters that cannot be written of it, which are all but one, so
/// that it is the same before a line is changed and after. A line's value may hold a tab, and no line
/// break: a text has it escaped. A parameter's may hold a line break (RFC 6868).
fn writable(value: String, kept: char) -> String {
    let is_unwritable = |c: char| c.is_control() && c != kept;
    if value.contains(is_unwritable) { value.replace(is_unwritable, "") } else { value }
}

/// The line as text: without folds, decoded as UTF-8, or as Latin-1 where it is none.
fn unfold(raw: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    for (number, piece) in raw.split(|b| *b == b'\n').enumerate() {
        let piece = piece.strip_suffix(b"\r").unwrap_or(piece);
        let fold = number > 0 && matches!(piece.first(), Some(b' ' | b'\t'));
        bytes.extend_from_slice(if fold { piece.get(1..).unwrap_or_default() } else { piece });
    }
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    }
}

/// `name *(";" param) ":" value`; none where there is no such thing.
fn split(text: &str) -> Option<(&str, Vec<Parameter>, &str)> {
    let text = text.trim_start_matches('\u{feff}');
    let name_end = text.find([';', ':'])?;
    let (name, mut rest) = text.split_at(name_end);
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(word) {
        return None;
    }
    let mut parameters = Vec::new();
    loop {
        if let Some(value) = rest.strip_prefix(':') {
            return Some((name, parameters, value));
        }
        rest = rest.strip_prefix(';')?;
        let end = rest.find(['=', ';', ':'])?;
        let (key, after) = rest.split_at(end);
        let mut values = Vec::new();
        rest = after;
        // Old Exchange leaves out the quotes: `TZID=(UTC+01:00) Amsterdam, Berlin:20261201T090000`.
        let unquoted = rest.strip_prefix("=(").filter(|_| key.eq_ignore_ascii_case("TZID"));
        if let Some((name, _)) = unquoted.and_then(|name| name.rsplit_once(':')) {
            values.push(format!("({name}"));
            rest = rest.get(2 + name.len()..)?;
        }
        while let Some(after) =
            rest.strip_prefix('=').or_else(|| rest.strip_prefix(',').filter(|_| !values.is_empty()))
        {
            let (value, after) = parameter_value(after);
            values.push(value);
            rest = after;
        }
        if values.is_empty() {
            values.push(String::new());
        }
        parameters.push(Parameter { name: key.trim().to_ascii_uppercase(), values });
    }
}

/// One value of a parameter, quoted or not, and what follows it.
fn parameter_value(text: &str) -> (String, &str) {
    let (value, rest) = match text.strip_prefix('"') {
        // A quote that is never closed ends where an unquoted value would.
        Some(quoted) => quoted.split_once('"').unwrap_or_else(|| until_delimiter(quoted)),
        None => until_delimiter(text),
    };
    (writable(decode_carets(value), '\n'), rest)
}

fn until_delimiter(text: &str) -> (&str, &str) {
    text.split_at(text.find([',', ';', ':']).unwrap_or(text.len()))
}

/// RFC 6868.
fn decode_carets(value: &str) -> String {
    if !value.contains('^') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let decoded = match (c, chars.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('^')) => '^',
            ('^', Some('\'')) => '"',
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push(decoded);
        chars.next();
    }
    out
}

fn push_parameter_value(value: &str, out: &mut String) {
    let quoted = value.contains([':', ';', ',', ' ']) || value.is_empty();
    if quoted {
        out.push('"');
    }
    for c in value.chars() {
        match c {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            c => out.push(c),
        }
    }
    if quoted {
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content_line::MAX_WIDTH;

    fn line(text: &str) -> Line {
        Line::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn written(line: &Line) -> String {
        let mut out = Vec::new();
        line.write("\r\n", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_taken_apart() {
        let line = line(
            "attendee;CN=\"Doe, Ann\";member=\"mailto:a@x\",\"mailto:b@x\";X=a^'b:mailto:\r\n \
             ann@x.example\r\n",
        );
        assert!(line.is("ATTENDEE"));
        assert_eq!(line.value(), "mailto:ann@x.example");
        assert_eq!(line.parameter("CN"), Some("Doe, Ann"));
        assert_eq!(line.parameters()[1].values, ["mailto:a@x", "mailto:b@x"]);
        assert_eq!(line.parameter("X"), Some("a\"b"));
    }

    #[test]
    fn what_is_no_line_is_kept() {
        for odd in ["\r\n", "no colon\r\n", ":x\r\n", "A;B\r\n", "A;=\r\n", "A;B=\"x\r\n"] {
            let line = line(odd);
            assert_eq!((line.name(), written(&line).as_str()), ("", odd), "{odd:?}");
        }
    }

    #[test]
    fn a_changed_line_is_folded_and_keeps_its_parameters() {
        let mut line = line("SUMMARY;LANGUAGE=de;X-A=\"b c\":x\n");
        line.set_value("x");
        assert_eq!(written(&line), "SUMMARY;LANGUAGE=de;X-A=\"b c\":x\n", "the same is no change");
        line.set_value("ä".repeat(40));
        let text = written(&line);
        assert!(text.starts_with("SUMMARY;LANGUAGE=de;X-A=\"b c\":ää"), "{text}");
        assert!(text.split("\r\n").all(|piece| piece.len() <= MAX_WIDTH));
        assert_eq!(super::Line::parse(text.into()).value(), "ä".repeat(40));
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let mut list = Line::parse(Bytes::from_static(b"EXDATE:20261\x01208,20261209\r\n"));
        assert_eq!(list.value(), "20261208,20261209");
        list.set_value("20261208");
        assert_eq!(written(&list), "EXDATE:20261208\r\n");
        // Latin-1, with characters of which there are no glyphs.
        let mut line =
            Line::parse(Bytes::from_static(b"ATTENDEE;CN=\xE5\x92\x01to;X=y:mailto:b@x\n"));
        let name = line.parameter("CN").map(str::to_owned);
        assert_eq!(name.as_deref(), Some("\u{e5}to"));
        line.set_parameter("X", None);
        assert_eq!(super::Line::parse(written(&line).into()).parameter("CN"), name.as_deref());
    }

    #[test]
    fn nothing_breaks_out_of_a_line() {
        let line = Line::new("X", "a\r\nATTENDEE:b").with("CN", "c\"\r\nd");
        assert_eq!(written(&line), "X;CN=c^'^nd:aATTENDEE:b\r\n");
    }
}
