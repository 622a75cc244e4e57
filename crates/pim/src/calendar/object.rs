//! An object as a tree of components and lines (RFC 5545 §3.4), which writes back byte for byte
//! what was not changed.

use super::line::Line;
use crate::Error;
use bytes::Bytes;

/// The largest object read, in bytes.
pub const MAX_OBJECT: usize = 32 << 20;

/// How deep components may stand in one another.
const MAX_DEPTH: usize = 8;

/// The most components of one object.
const MAX_COMPONENTS: usize = 20_000;

/// A component: `BEGIN:NAME`, its properties and components in their order, `END:NAME`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Component {
    name: String,
    begin: Line,
    pub(crate) nodes: Vec<Node>,
    end: Line,
}

/// What a component consists of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Node {
    Line(Line),
    Component(Component),
}

impl Node {
    pub(crate) fn component(&self) -> Option<&Component> {
        match self {
            Self::Component(component) => Some(component),
            Self::Line(_) => None,
        }
    }

    pub(crate) fn component_mut(&mut self) -> Option<&mut Component> {
        match self {
            Self::Component(component) => Some(component),
            Self::Line(_) => None,
        }
    }
}

/// A whole object: the first calendar in it, and whatever stands around that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Object {
    before: Vec<Line>,
    pub(crate) calendar: Component,
    after: Vec<Node>,
    line_end: &'static str,
}

impl Object {
    /// An empty calendar of ours.
    pub(crate) fn new() -> Self {
        let mut calendar = Component::new("VCALENDAR");
        calendar.push(Line::new("VERSION", "2.0"));
        calendar.push(Line::new("PRODID", "-//DME//DME//EN"));
        Self { before: Vec::new(), calendar, after: Vec::new(), line_end: "\r\n" }
    }

    /// Reads an object. Lines that make no sense are kept and say nothing.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Unconvertible`] where there is no calendar in it, or more
    /// components than anyone wrote.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_OBJECT {
            return Err(Error::TooLarge { size: bytes.len(), limit: MAX_OBJECT });
        }
        let bytes = Bytes::copy_from_slice(bytes);
        let first_end = memchr::memchr(b'\n', &bytes).unwrap_or_default();
        let crlf = first_end > 0 && bytes.get(first_end - 1) == Some(&b'\r');
        let line_end = if crlf || first_end == 0 { "\r\n" } else { "\n" };
        let mut before = Vec::new();
        let mut nodes = Builder::default().read(&bytes)?.into_iter();
        for node in nodes.by_ref() {
            match node {
                Node::Component(calendar) if calendar.is("VCALENDAR") => {
                    let after = nodes.collect();
                    return Ok(Self { before, calendar, after, line_end });
                }
                Node::Component(_) => break,
                Node::Line(line) => before.push(line),
            }
        }
        Err(Error::Unconvertible("there is no VCALENDAR in it"))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for line in &self.before {
            line.write(self.line_end, &mut out);
        }
        self.calendar.write(self.line_end, &mut out);
        for node in &self.after {
            node.write(self.line_end, &mut out);
        }
        out
    }
}

/// The components that are open, outermost first.
#[derive(Default)]
struct Builder {
    open: Vec<Component>,
    top: Vec<Node>,
    components: usize,
}

impl Builder {
    fn read(mut self, bytes: &Bytes) -> Result<Vec<Node>, Error> {
        let mut start = 0;
        while start < bytes.len() {
            let end = logical_end(bytes, start);
            self.take(Line::parse(bytes.slice(start..end)))?;
            start = end;
        }
        // What was cut off ends where the object does.
        while let Some(component) = self.open.pop() {
            self.put(Node::Component(component));
        }
        Ok(self.top)
    }

    fn take(&mut self, line: Line) -> Result<(), Error> {
        if line.is("BEGIN") {
            self.components += 1;
            if self.open.len() >= MAX_DEPTH || self.components > MAX_COMPONENTS {
                return Err(Error::Unconvertible("it has too many components"));
            }
            let mut component = Component::new(&component_name(&line));
            component.begin = line;
            self.open.push(component);
            return Ok(());
        }
        if line.is("END") {
            let name = component_name(&line);
            if self.open.iter().any(|component| component.name == name) {
                while let Some(mut component) = self.open.pop() {
                    let found = component.name == name;
                    if found {
                        component.end = line.clone();
                    }
                    self.put(Node::Component(component));
                    if found {
                        return Ok(());
                    }
                }
            }
        }
        self.put(Node::Line(line));
        Ok(())
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(component) => component.nodes.push(node),
            None => self.top.push(node),
        }
    }
}

/// The name that a `BEGIN` or `END` says, as it could be written again.
fn component_name(line: &Line) -> String {
    let name = line.value().chars().filter(|c| !c.is_control());
    name.collect::<String>().trim().to_ascii_uppercase()
}

/// Where the line that begins at `start` ends, with the lines folded onto it.
fn logical_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        at = memchr::memchr(b'\n', rest).map_or(bytes.len(), |end| at + end + 1);
        if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
}

impl Node {
    fn write(&self, line_end: &str, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.write(line_end, out),
            Self::Component(component) => component.write(line_end, out),
        }
    }
}

impl Component {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            begin: Line::new("BEGIN", name),
            nodes: Vec::new(),
            end: Line::new("END", name),
        }
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn write(&self, line_end: &str, out: &mut Vec<u8>) {
        self.begin.write(line_end, out);
        for node in &self.nodes {
            node.write(line_end, out);
        }
        self.end.write(line_end, out);
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Line(line) => Some(line),
            Node::Component(_) => None,
        })
    }

    /// The lines of this name, in their order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines().filter(move |line| line.is(name))
    }

    /// The first line of this name.
    pub(crate) fn line(&self, name: &str) -> Option<&Line> {
        self.lines().find(|line| line.is(name))
    }

    /// Its value, without spaces around it.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.line(name).map(|line| line.value().trim())
    }

    /// Whether the property has this value, whatever its case.
    pub(crate) fn value_is(&self, name: &str, value: &str) -> bool {
        self.value(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    pub(crate) fn line_mut(&mut self, name: &str) -> Option<&mut Line> {
        self.lines_mut().find(|line| line.is(name))
    }

    pub(crate) fn lines_mut(&mut self) -> impl Iterator<Item = &mut Line> {
        self.nodes.iter_mut().filter_map(|node| match node {
            Node::Line(line) => Some(line),
            Node::Component(_) => None,
        })
    }

    /// Sets a property or takes it away. A first one goes after the last line, before the
    /// components within; of several the first is set and the others go.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return self.remove(name) };
        match self.line_mut(name) {
            Some(line) => line.set_value(value),
            None => self.push(Line::new(name, value)),
        }
        self.keep_first(name);
    }

    /// Sets a line in the place of the first of its name.
    pub(crate) fn replace(&mut self, new: Line) {
        let name = new.name().to_owned();
        match self.line_mut(&name) {
            Some(line) if *line == new => {}
            Some(line) => *line = new,
            None => self.push(new),
        }
        self.keep_first(&name);
    }

    fn keep_first(&mut self, name: &str) {
        let mut seen = false;
        self.retain_lines(|line| !line.is(name) || !std::mem::replace(&mut seen, true));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.retain_lines(|line| !line.is(name));
    }

    pub(crate) fn retain_lines(&mut self, mut keep: impl FnMut(&Line) -> bool) {
        self.nodes.retain(|node| match node {
            Node::Line(line) => keep(line),
            Node::Component(_) => true,
        });
    }

    /// Adds a line before the components within.
    pub(crate) fn push(&mut self, line: Line) {
        self.insert_first(Node::Line(line));
    }

    /// Adds a component before the others.
    pub(crate) fn push_component_first(&mut self, component: Component) {
        self.insert_first(Node::Component(component));
    }

    fn insert_first(&mut self, node: Node) {
        let place = self.nodes.iter().position(|node| node.component().is_some());
        self.nodes.insert(place.unwrap_or(self.nodes.len()), node);
    }

    pub(crate) fn components(&self) -> impl Iterator<Item = &Component> {
        self.nodes.iter().filter_map(Node::component)
    }

    pub(crate) fn components_mut(&mut self) -> impl Iterator<Item = &mut Component> {
        self.nodes.iter_mut().filter_map(Node::component_mut)
    }

    pub(crate) fn push_component(&mut self, component: Component) {
        self.nodes.push(Node::Component(component));
    }

    pub(crate) fn retain_components(&mut self, mut keep: impl FnMut(&Component) -> bool) {
        self.nodes.retain(|node| match node {
            Node::Line(_) => true,
            Node::Component(component) => keep(component),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_is_written_as_it_came() {
        for text in [
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            "\u{feff}\n\nbegin:vcalendar\nodd\nX;A=\"b\":c\n  d\nend:vcalendar\n\nrest\n",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n",
        ] {
            let object = Object::parse(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(object.to_bytes()).unwrap(), text);
        }
    }

    #[test]
    fn what_was_cut_off_is_ended() {
        let object = Object::parse(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1").unwrap();
        let text = String::from_utf8(object.to_bytes()).unwrap();
        assert_eq!(text, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n");
    }

    #[test]
    fn absurd_objects_are_refused() {
        let deep = "BEGIN:VCALENDAR\n".repeat(MAX_DEPTH + 1);
        let wide = format!("BEGIN:VCALENDAR\n{}", "BEGIN:X\nEND:X\n".repeat(MAX_COMPONENTS));
        let large = vec![b'x'; MAX_OBJECT + 1];
        let card = b"BEGIN:VCARD\nEND:VCARD\n".as_slice();
        for bytes in [deep.as_bytes(), wide.as_bytes(), &large, card, b""] {
            assert!(Object::parse(bytes).is_err());
        }
    }

    #[test]
    fn properties_are_set_in_their_place() {
        let text = b"BEGIN:VCALENDAR\nA:1\nB:2\nA:3\nBEGIN:X\nEND:X\nEND:VCALENDAR\n";
        let mut object = Object::parse(text).unwrap();
        object.calendar.set("A", Some("4"));
        object.calendar.set("C", Some("5"));
        object.calendar.set("B", None);
        let text = String::from_utf8(object.to_bytes()).unwrap();
        assert_eq!(text, "BEGIN:VCALENDAR\nA:4\nC:5\nBEGIN:X\nEND:X\nEND:VCALENDAR\n");
    }
}
