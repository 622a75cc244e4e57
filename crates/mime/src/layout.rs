//! Which parts of a message are its text and which its attachments: the algorithm of RFC 8621
//! §4.1.4, with the kinds of multipart that it leaves aside.

use crate::structure::{Message, Node};

/// How many parts are joined to one text.
const MAX_TEXT_PARTS: usize = 50;

/// The roles of a message's leaves, each an index into its nodes.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Layout {
    /// What makes up the text when HTML is wanted, in order.
    pub(crate) html: Vec<usize>,
    /// What makes up the text when plain text is wanted, in order.
    pub(crate) plain: Vec<usize>,
    /// Everything else, in order.
    pub(crate) attachments: Vec<usize>,
    /// What says the same as the text in another form, such as an invitation's calendar data.
    pub(crate) alternatives: Vec<usize>,
}

impl Layout {
    pub(crate) fn of(message: &Message) -> Self {
        let mut layout = Self::default();
        layout.add(message, 0, Place::First);
        for text in [&mut layout.html, &mut layout.plain] {
            if text.len() > MAX_TEXT_PARTS {
                layout.attachments.extend(text.drain(MAX_TEXT_PARTS..));
            }
        }
        layout.attachments.sort_unstable();
        layout.attachments.dedup();
        layout
    }

    /// Whether the author wrote HTML.
    pub(crate) fn has_html(&self, message: &Message) -> bool {
        self.html.iter().any(|index| message.nodes[*index].is("text/html"))
    }

    fn add(&mut self, message: &Message, index: usize, place: Place) {
        let node = &message.nodes[index];
        if node.children.is_empty() {
            return self.add_leaf(message, index, place);
        }
        match node.media_type.as_str() {
            "multipart/alternative" => self.add_alternative(message, node, place),
            "multipart/related" => self.add_related(message, node, place),
            // What follows the first part is about it: a signature, a report's data.
            "multipart/signed" | "multipart/report" | "multipart/appledouble" => {
                for (number, child) in node.children.iter().enumerate() {
                    self.add(message, *child, if number == 0 { place } else { Place::Attached });
                }
            }
            "multipart/digest" => {
                node.children.iter().for_each(|child| self.add(message, *child, Place::Attached));
            }
            _ => {
                for (number, child) in node.children.iter().enumerate() {
                    let place = match place {
                        Place::First if number > 0 => Place::Later,
                        place => place,
                    };
                    self.add(message, *child, place);
                }
            }
        }
    }

    fn add_leaf(&mut self, message: &Message, index: usize, place: Place) {
        let node = &message.nodes[index];
        let text = node.is("text/plain") || node.is("text/html");
        // A text of an unknown kind is text if there is nothing else to show.
        let other_text = index == 0 && node.media_type.starts_with("text/") && !is_calendar(node);
        let shown = match place {
            Place::First => !node.is_attached(message),
            Place::Later => !node.is_attached(message) && node.name(message).is_none(),
            Place::Attached => false,
        };
        if shown && (text || other_text) {
            self.html.push(index);
            self.plain.push(index);
        } else {
            self.attachments.push(index);
        }
    }

    /// The last part is the best (RFC 2046 §5.1.4): the HTML, where there is one.
    fn add_alternative(&mut self, message: &Message, node: &Node, place: Place) {
        if place == Place::Attached {
            return node.children.iter().for_each(|child| self.add(message, *child, place));
        }
        let mut html: Option<Self> = None;
        let mut plain: Option<Self> = None;
        for child in &node.children {
            let leaf = message.nodes[*child].children.is_empty();
            let mut one = Self::default();
            one.add(message, *child, place);
            self.alternatives.append(&mut one.alternatives);
            if one.html.is_empty() {
                if leaf {
                    self.alternatives.append(&mut one.attachments);
                } else {
                    self.attachments.append(&mut one.attachments);
                }
                continue;
            }
            self.attachments.append(&mut one.attachments);
            if one.has_html(message) {
                html = Some(one);
            } else {
                plain.get_or_insert(one);
            }
        }
        match (html, plain) {
            (Some(html), Some(plain)) => {
                self.html.extend(html.html);
                self.plain.extend(plain.plain);
            }
            (Some(only), None) | (None, Some(only)) => {
                self.html.extend(only.html);
                self.plain.extend(only.plain);
            }
            (None, None) => {}
        }
    }

    /// The root, named by `start` or the first (RFC 2387), and what it shows.
    fn add_related(&mut self, message: &Message, node: &Node, place: Place) {
        let start = node.parameter("start").map(|id| id.trim_matches(['<', '>']).to_owned());
        let root = start
            .and_then(|start| {
                node.children.iter().find(|child| {
                    message.nodes[**child].content_id(message).as_deref() == Some(start.as_str())
                })
            })
            .or(node.children.first());
        for child in &node.children {
            self.add(message, *child, if Some(child) == root { place } else { Place::Attached });
        }
    }
}

/// Where a part stands, for what it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where the text is expected.
    First,
    /// After it: text only if it has no file name.
    Later,
    /// Where no text is.
    Attached,
}

/// Whether it is calendar data (RFC 5545 §8.1, and its name before).
pub(crate) fn is_calendar(node: &Node) -> bool {
    ["text/calendar", "application/ics"].iter().any(|kind| node.is(kind))
}
