//! A tree as text that reads like XML, for logs and tests.

use crate::{Content, Element, Tag};
use std::fmt;

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "x{:02X}", self.token),
        }
    }
}

/// Shows the tree without any of its contents, so that it may be logged: texts and opaque data
/// appear as their length in bytes.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown { element: self, contents: Contents::Hidden }.write(f, 0, None)
    }
}

impl Element {
    /// Shows the tree with everything in it. For tests and people at a terminal, never for logs.
    pub fn with_contents(&self) -> impl fmt::Display + '_ {
        Shown { element: self, contents: Contents::Shown }
    }
}

#[derive(Clone, Copy)]
enum Contents {
    Hidden,
    Shown,
}

struct Shown<'a> {
    element: &'a Element,
    contents: Contents,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0, None)
    }
}

impl Shown<'_> {
    /// The page is named where it is not the parent's.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize, page: Option<u8>) -> fmt::Result {
        let tag = self.element.tag;
        let name = match tag.page_name() {
            _ if page == Some(tag.page) => tag.to_string(),
            Some(page) => format!("{page}:{tag}"),
            None => format!("{}:{tag}", tag.page),
        };
        write!(f, "{:1$}", "", depth * 2)?;
        match (&self.element.content, self.contents) {
            (Content::Empty, _) => writeln!(f, "<{name}/>"),
            (Content::Text(text), Contents::Shown) => writeln!(f, "<{name}>{text}</{name}>"),
            (Content::Text(text), Contents::Hidden) => {
                writeln!(f, "<{name}>[{} bytes of text]</{name}>", text.len())
            }
            (Content::Opaque(bytes), Contents::Shown) => {
                writeln!(f, "<{name}>[{}]</{name}>", bytes.escape_ascii())
            }
            (Content::Opaque(bytes), Contents::Hidden) => {
                writeln!(f, "<{name}>[{} bytes]</{name}>", bytes.len())
            }
            (Content::Children(children), contents) => {
                writeln!(f, "<{name}>")?;
                for element in children {
                    Self { element, contents }.write(f, depth + 1, Some(tag.page))?;
                }
                writeln!(f, "{:1$}</{name}>", "", depth * 2)
            }
        }
    }
}
