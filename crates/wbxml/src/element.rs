//! The tree a WBXML document is.

use bytes::Bytes;

/// A tag: its code page and its token within the page (without the content bit).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The code page, 0 to 25.
    pub page: u8,
    /// The token, 0x05 to 0x3F.
    pub token: u8,
}

/// What stands between a tag and its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Nothing: `<Tag/>`.
    Empty,
    /// An inline string (`STR_I`); holds no NUL.
    Text(String),
    /// Opaque bytes (`OPAQUE`).
    Opaque(Bytes),
    /// Other elements.
    Children(Vec<Element>),
}

/// One element of the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// Its tag.
    pub tag: Tag,
    /// What it holds.
    pub content: Content,
}

impl Element {
    /// `<Tag/>`.
    pub fn empty(tag: Tag) -> Self {
        Self { tag, content: Content::Empty }
    }

    /// `<Tag>text</Tag>`; NUL characters, which the format cannot carry, are left out. With an
    /// empty text it is empty.
    pub fn text(tag: Tag, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.as_bytes().contains(&0) {
            text.retain(|c| c != '\0');
        }
        let content = if text.is_empty() { Content::Empty } else { Content::Text(text) };
        Self { tag, content }
    }

    /// `<Tag>bytes</Tag>` as opaque data.
    pub fn opaque(tag: Tag, bytes: impl Into<Bytes>) -> Self {
        Self { tag, content: Content::Opaque(bytes.into()) }
    }

    /// A tag with other elements in it; with none it is empty.
    pub fn parent(tag: Tag, children: Vec<Self>) -> Self {
        let content =
            if children.is_empty() { Content::Empty } else { Content::Children(children) };
        Self { tag, content }
    }

    /// The elements within, none where it holds text or nothing.
    pub fn children(&self) -> &[Self] {
        match &self.content {
            Content::Children(children) => children,
            _ => &[],
        }
    }

    /// The first element with this tag within.
    pub fn child(&self, tag: Tag) -> Option<&Self> {
        self.children().iter().find(|child| child.tag == tag)
    }

    /// The text; opaque bytes count as text where they are UTF-8, emptiness as the empty text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Empty => Some(""),
            Content::Text(text) => Some(text),
            Content::Opaque(bytes) => std::str::from_utf8(bytes).ok(),
            Content::Children(_) => None,
        }
    }

    /// The text of the first element with this tag within.
    pub fn child_text(&self, tag: Tag) -> Option<&str> {
        self.child(tag).and_then(Self::as_text)
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:0x{:02X}", self.page, self.token)
    }
}
