//! Out of office: `Oof` (MS-ASCMD 2.2.3.121).

use crate::Error;
use crate::date;
use crate::fields::{Children, Fields};
use dme_model::{MAX_VACATION_TEXT, Timestamp};
use dme_wbxml::pages::settings as s;
use dme_wbxml::{Element, Tag};

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
    /// From a `BodyType`, whose case varies between phones. There is no default
    /// (MS-ASCMD 2.2.3.17).
    pub(super) fn from_text(text: &str) -> Result<Self, Error> {
        match text.trim() {
            text if text.eq_ignore_ascii_case("text") => Ok(Self::Text),
            text if text.eq_ignore_ascii_case("html") => Ok(Self::Html),
            _ => Err(Error::Value { element: s::BODY_TYPE, expected: "Text or HTML" }),
        }
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
    /// Whether it is sent at all; none in a `Set` leaves that as it is.
    pub enabled: Option<bool>,
    /// Its text, up to 64 KB; none in a `Set` leaves it as it is.
    pub reply: Option<String>,
    /// The form of the text.
    pub format: ReplyFormat,
}

/// Out-of-office settings: all of them in an answer, in a `Set` those to change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Oof {
    /// When; none in a `Set` leaves that as it is.
    pub state: Option<OofState>,
    /// At most one for each audience; those without one stay as they are.
    pub messages: Vec<OofMessage>,
}

impl Oof {
    /// From the element round it, `Set` or `Get`.
    pub(super) fn from_element(element: &Element) -> Result<Self, Error> {
        let moment = |tag: Tag| match element.text_of(tag)? {
            Some(text) => match date::parse(text) {
                Some(moment) => Ok(Some(moment)),
                None => Err(Error::Value { element: tag, expected: "a date and time" }),
            },
            None => Ok(None),
        };
        // One without the other is wrong in any state; both are passed over where the state needs
        // none (MS-ASCMD 2.2.3.124, 2.2.3.176.2).
        let missing = |tag| Err(Error::Missing { parent: element.tag, element: tag });
        let window = match (moment(s::START_TIME)?, moment(s::END_TIME)?) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            (Some(_), None) => return missing(s::END_TIME),
            (None, Some(_)) => return missing(s::START_TIME),
        };
        let state = match (element.number_of::<u8>(s::OOF_STATE)?, window) {
            (None, _) => None,
            (Some(0), _) => Some(OofState::Disabled),
            (Some(1), _) => Some(OofState::Global),
            (Some(2), Some((start, end))) => Some(OofState::TimeBased { start, end }),
            (Some(2), None) => return missing(s::START_TIME),
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
        let mut audiences = Audience::ALL.into_iter().filter(|a| element.child(a.tag()).is_some());
        let audience = audiences
            .next()
            .ok_or(Error::Missing { parent: element.tag, element: s::APPLIES_TO_INTERNAL })?;
        if let Some(other) = audiences.next() {
            return Err(Error::Conflict(audience.tag(), other.tag()));
        }
        let format = element.text_of(s::BODY_TYPE)?.map(ReplyFormat::from_text).transpose()?;
        let reply = element.text_of(s::REPLY_MESSAGE)?;
        if reply.is_some_and(|reply| reply.len() > MAX_VACATION_TEXT) {
            return Err(Error::Value { element: s::REPLY_MESSAGE, expected: "at most 64 KB" });
        }
        if reply.is_some() && format.is_none() {
            return Err(Error::Missing { parent: element.tag, element: s::BODY_TYPE });
        }
        Ok(OofMessage {
            audience,
            enabled: element.boolean_of(s::ENABLED)?,
            reply: reply.map(str::to_owned),
            format: format.unwrap_or_default(),
        })
    }

    /// Within the element of this tag.
    pub(super) fn to_element(&self, tag: Tag) -> Element {
        let mut children = Vec::new();
        match self.state {
            None => {}
            Some(OofState::Disabled) => children.put(s::OOF_STATE, "0"),
            Some(OofState::Global) => children.put(s::OOF_STATE, "1"),
            Some(OofState::TimeBased { start, end }) => {
                children.put(s::OOF_STATE, "2");
                children.put(s::START_TIME, date::format(start));
                children.put(s::END_TIME, date::format(end));
            }
        }
        for message in &self.messages {
            let mut within = vec![Element::empty(message.audience.tag())];
            within.put_some_boolean(s::ENABLED, message.enabled);
            within.put_some(s::REPLY_MESSAGE, message.reply.as_deref());
            within.put(s::BODY_TYPE, message.format.as_str());
            children.push(Element::parent(s::OOF_MESSAGE, within));
        }
        Element::parent(tag, children)
    }
}
