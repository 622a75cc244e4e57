//! A mail as a phone sees it: what it makes of the elements the server sends.

use super::{importance_from_code, marks};
use crate::address;
use crate::body::{ReceivedBody, to_bytes};
use crate::date;
use crate::error::{Error, Result};
use crate::fields::Fields;
use bytes::Bytes;
use dme_model::{Address, Followup, Importance, Timestamp};
use dme_wbxml::pages::{air_sync_base, calendar, email as page, email2};
use dme_wbxml::{Element, Tag};
use std::collections::BTreeSet;

/// A mail as received. A later Change may carry only some elements: [`EmailView::apply`] puts
/// them over what is there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EmailView {
    /// Receivers.
    pub to: Vec<Address>,
    /// Receivers of a copy.
    pub cc: Vec<Address>,
    /// Hidden receivers (16.0 on).
    pub bcc: Vec<Address>,
    /// Authors.
    pub from: Vec<Address>,
    /// Who sent it for the authors (14.0 on).
    pub sender: Option<Address>,
    /// Where answers go.
    pub reply_to: Vec<Address>,
    /// The receivers' names.
    pub display_to: String,
    /// The subject.
    pub subject: String,
    /// The subject without prefixes.
    pub thread_topic: String,
    /// When it arrived.
    pub received: Option<Timestamp>,
    /// Urgency.
    pub importance: Option<Importance>,
    /// Whether it was read.
    pub read: bool,
    /// The follow-up flag.
    pub followup: Followup,
    /// Categories (14.0 on).
    pub categories: BTreeSet<String>,
    /// What was done with it last (14.0 on): 1 and 2 answered, 3 sent on.
    pub last_verb: Option<u8>,
    /// What sort of message.
    pub message_class: String,
    /// The body.
    pub body: Option<ReceivedBody>,
    /// The body part (14.1 on).
    pub body_part: Option<ReceivedBody>,
    /// Attachments.
    pub attachments: Vec<AttachmentView>,
    /// Its conversation (14.0 on).
    pub conversation_id: Option<Bytes>,
    /// Its place in the conversation (14.0 on).
    pub conversation_index: Option<Bytes>,
    /// Whether it is a draft (16.0 on).
    pub is_draft: bool,
    /// The meeting it invites to.
    pub meeting: Option<MeetingView>,
}

/// An attachment as received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachmentView {
    /// Its name.
    pub display_name: String,
    /// What to fetch it by.
    pub file_reference: String,
    /// How it is kept: 1 a file, 5 a message.
    pub method: u8,
    /// Its size in bytes, estimated.
    pub size: u64,
    /// Its `Content-ID`.
    pub content_id: Option<String>,
    /// Whether it is shown within the body.
    pub inline: bool,
}

/// A meeting as received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeetingView {
    /// Begin.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// Whole days.
    pub all_day: bool,
    /// Where.
    pub location: String,
    /// Who asks.
    pub organizer: String,
    /// The event's id: `GlobalObjId` until 14.1, `UID` from 16.0 on.
    pub id: String,
    /// Whether it is a series.
    pub recurs: bool,
}

impl EmailView {
    /// Reads the children of `ApplicationData` or `Properties`.
    ///
    /// # Errors
    /// Where an element does not hold what it must.
    pub fn from_elements(data: &[Element]) -> Result<Self> {
        let mut view = Self::default();
        view.apply(data)?;
        Ok(view)
    }

    /// Puts what a Change carries over what is there.
    ///
    /// # Errors
    /// Where an element does not hold what it must.
    pub fn apply(&mut self, data: &[Element]) -> Result<()> {
        for element in data {
            let text = || element.text_value().map(str::to_owned);
            let list = || element.text_value().map(address::parse_list);
            match element.tag {
                page::TO => self.to = list()?,
                page::CC => self.cc = list()?,
                email2::BCC => self.bcc = list()?,
                page::FROM => self.from = list()?,
                email2::SENDER => self.sender = list()?.into_iter().next(),
                page::REPLY_TO => self.reply_to = list()?,
                page::DISPLAY_TO => self.display_to = text()?,
                page::SUBJECT => self.subject = text()?,
                page::THREAD_TOPIC => self.thread_topic = text()?,
                page::DATE_RECEIVED => self.received = Some(read_date(element)?),
                page::IMPORTANCE => self.importance = importance_from_code(read_byte(element)?),
                page::READ => self.read = marks::read_boolean(element)?,
                page::FLAG => {
                    self.followup = marks::read_flag(element)?.unwrap_or(self.followup);
                }
                page::CATEGORIES => self.categories = marks::read_categories(element)?,
                email2::LAST_VERB_EXECUTED => self.last_verb = Some(read_byte(element)?),
                page::MESSAGE_CLASS => self.message_class = text()?,
                air_sync_base::BODY => self.body = Some(ReceivedBody::from_element(element)?),
                air_sync_base::BODY_PART => {
                    self.body_part = Some(ReceivedBody::from_element(element)?);
                }
                air_sync_base::ATTACHMENTS => {
                    let each = element.each(air_sync_base::ATTACHMENT);
                    self.attachments =
                        each.map(AttachmentView::from_element).collect::<Result<_>>()?;
                }
                email2::CONVERSATION_ID => self.conversation_id = Some(to_bytes(element)),
                email2::CONVERSATION_INDEX => self.conversation_index = Some(to_bytes(element)),
                email2::IS_DRAFT => self.is_draft = marks::read_boolean(element)?,
                page::MEETING_REQUEST => self.meeting = Some(MeetingView::from_element(element)?),
                _ => {}
            }
        }
        Ok(())
    }
}

impl AttachmentView {
    fn from_element(element: &Element) -> Result<Self> {
        Ok(Self {
            display_name: text_or_empty(element, air_sync_base::DISPLAY_NAME)?,
            file_reference: element.required_text(air_sync_base::FILE_REFERENCE)?.to_owned(),
            method: element.number_of(air_sync_base::METHOD)?.unwrap_or(1),
            size: element.number_of(air_sync_base::ESTIMATED_DATA_SIZE)?.unwrap_or(0),
            content_id: element.text_of(air_sync_base::CONTENT_ID)?.map(str::to_owned),
            inline: element.boolean_of(air_sync_base::IS_INLINE)?.unwrap_or(false),
        })
    }
}

impl MeetingView {
    fn from_element(element: &Element) -> Result<Self> {
        let place = match element.child(air_sync_base::LOCATION) {
            Some(location) => text_or_empty(location, air_sync_base::DISPLAY_NAME)?,
            None => text_or_empty(element, page::LOCATION)?,
        };
        let id = match element.text_of(calendar::UID)? {
            Some(uid) => uid,
            None => element.required_text(page::GLOBAL_OBJ_ID)?,
        };
        Ok(Self {
            start: read_date(element.required(page::START_TIME)?)?,
            end: read_date(element.required(page::END_TIME)?)?,
            all_day: element.boolean_of(page::ALL_DAY_EVENT)?.unwrap_or(false),
            location: place,
            organizer: text_or_empty(element, page::ORGANIZER)?,
            id: id.to_owned(),
            recurs: element.child(page::RECURRENCES).is_some(),
        })
    }
}

fn text_or_empty(element: &Element, tag: Tag) -> Result<String> {
    Ok(element.text_of(tag)?.unwrap_or_default().to_owned())
}

fn read_date(element: &Element) -> Result<Timestamp> {
    date::parse(element.text_value()?)
        .ok_or(Error::Value { element: element.tag, expected: "a date and time" })
}

fn read_byte(element: &Element) -> Result<u8> {
    let value = element.text_value()?.trim().parse();
    value.map_err(|_| Error::Value { element: element.tag, expected: "a small number" })
}
