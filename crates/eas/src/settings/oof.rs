//! Out of office: `Oof` (MS-ASCMD 2.2.3.121).

use crate::Error;
use crate::date;
use crate::fields::{Children, Fields};
use dme_model::Timestamp;
use dme_wbxml::pages::settings as s;
use dme_wbxml::{Element, Tag};

/// The longest reply taken, in bytes.
const MAX_REPLY: usize = 64 * 1024;

/// When replies are sent (`OofState`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OofState {
    /// 0: never.
    Disabled,
    /// 1: always.
    Global,
    /// 2: between two moments.
    TimeBased {
        /// From.
        start: Timestamp,
        /// Until.
        end: Timestamp,
    },
}

/// To whom a message is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Those of the same organisation.
    Internal,
    /// Others who are in the user's contacts.
    ExternalKnown,
    /// All others.
    ExternalUnknown,
}

impl Audience {
    const ALL: [Self; 3] = [Self::Internal, Self::ExternalKnown, Self::ExternalUnknown];

    fn tag(self) -> Tag {
        match self {
            Self::Internal => s::APPLIES_TO_INTERNAL,
            Self::ExternalKnown => s::APPLIES_TO_EXTERNAL_KNOWN,
            Self::ExternalUnknown => s::APPLIES_TO_EXTERNAL_UNKNOWN,
        }
    }
}

/// The form of a reply (`BodyType`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyFormat {
    /// `Text`.
    #[default]
    Text,
    /// `HTML`.
    Html,
}

impl ReplyFormat {
    pub(super) fn from_text(text: &str) -> Self {
        if text.trim().eq_ignore_ascii_case("html") { Self::Html } else { Self::Text }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Html => "HTML",
        }
    }
}

/// One reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OofMessage {
    /// To whom.
    pub audience: Audience,
    /// Whether it is sent at all.
    pub enabled: bool,
    /// Its text, up to 64 KB.
    pub reply: Option<String>,
    /// The form of the text.
    pub format: ReplyFormat,
}

/// Out-of-office settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Oof {
    /// When.
    pub state: OofState,
    /// At most one for each audience.
    pub messages: Vec<OofMessage>,
}

impl Oof {
    /// From the element round it, `Set` or `Get`.
    pub(super) fn from_element(element: &Element) -> Result<Self, Error> {
        let moment = |tag: Tag| {
            let text = element.required_text(tag)?;
            date::parse(text).ok_or(Error::Value { element: tag, expected: "a date and time" })
        };
        let state = match element.required_number::<u8>(s::OOF_STATE)? {
            0 => OofState::Disabled,
            1 => OofState::Global,
            2 => OofState::TimeBased { start: moment(s::START_TIME)?, end: moment(s::END_TIME)? },
            _ => return Err(Error::Value { element: s::OOF_STATE, expected: "0, 1 or 2" }),
        };
        let mut messages: Vec<OofMessage> = Vec::new();
        for child in element.children().iter().filter(|child| child.tag == s::OOF_MESSAGE) {
            let message = Self::message_from(child)?;
            if messages.iter().any(|known| known.audience == message.audience) {
                return Err(Error::TooMany { element: message.audience.tag(), limit: 1 });
            }
            messages.push(message);
        }
        Ok(Self { state, messages })
    }

    fn message_from(element: &Element) -> Result<OofMessage, Error> {
        let audience = Audience::ALL.into_iter().find(|a| element.child(a.tag()).is_some());
        let format = element.child_text(s::BODY_TYPE).map(ReplyFormat::from_text);
        let reply = element.text_of(s::REPLY_MESSAGE)?;
        if reply.is_some_and(|reply| reply.len() > MAX_REPLY) {
            return Err(Error::Value { element: s::REPLY_MESSAGE, expected: "at most 64 KB" });
        }
        Ok(OofMessage {
            audience: audience
                .ok_or(Error::Missing { parent: element.tag, element: s::APPLIES_TO_INTERNAL })?,
            enabled: element.boolean_of(s::ENABLED)?.unwrap_or(false),
            reply: reply.map(str::to_owned),
            format: format.unwrap_or_default(),
        })
    }

    /// Within the element of this tag.
    pub(super) fn to_element(&self, tag: Tag) -> Element {
        let mut children = Vec::new();
        match self.state {
            OofState::Disabled => children.push(Element::text(s::OOF_STATE, "0")),
            OofState::Global => children.push(Element::text(s::OOF_STATE, "1")),
            OofState::TimeBased { start, end } => {
                children.put(s::OOF_STATE, "2");
                children.put(s::START_TIME, date::format(start));
                children.put(s::END_TIME, date::format(end));
            }
        }
        for message in &self.messages {
            let mut within = vec![
                Element::empty(message.audience.tag()),
                Element::text(s::ENABLED, if message.enabled { "1" } else { "0" }),
            ];
            if let Some(reply) = &message.reply {
                within.put(s::REPLY_MESSAGE, reply.as_str());
            }
            within.put(s::BODY_TYPE, message.format.as_str());
            children.push(Element::parent(s::OOF_MESSAGE, within));
        }
        Element::parent(tag, children)
    }
}
