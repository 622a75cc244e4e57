//! MeetingResponse: accept, accept tentatively or decline an invitation (MS-ASCMD 2.2.1.11).

use crate::codes::codes;
use crate::date;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::statuses;
use crate::version::ProtocolVersion;
use dme_model::{BodyKind, Participation, Proposal, Text, Timestamp};
use dme_wbxml::pages::air_sync_base as b;
use dme_wbxml::pages::meeting_response as m;
use dme_wbxml::pages::search;
use dme_wbxml::{Element, Tag};

/// Answers in one request.
const MAX_REQUESTS: usize = 100;

statuses! {
    /// How an answer went (MS-ASCMD 2.2.3.177.9).
    pub enum Status {
        /// Done.
        Success = 1,
        /// It is no invitation, or of the user's own meeting.
        InvalidRequest = 2,
        /// The mailbox failed.
        MailboxError = 3,
        /// The server failed.
        ServerError = 4,
    }
}

codes! {
    /// What the user says (`UserResponse`).
    UserResponse {
        /// I come.
        Accepted = 1,
        /// I may come.
        Tentative = 2,
        /// I do not come.
        Declined = 3,
    }
}

/// Which invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Invitation {
    /// By the ids Sync gave: of the mail, or of the event in the calendar.
    Item {
        /// Its folder.
        collection_id: String,
        /// The item.
        request_id: String,
    },
    /// By the id a search gave.
    LongId(String),
}

/// A word to the organiser, or none (16.0 on).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SendResponse {
    /// The text, HTML or plain as `html` says.
    pub body: Option<String>,
    /// Whether the text is HTML.
    pub html: bool,
    /// Another time is proposed (16.1).
    pub proposed: Option<(Timestamp, Timestamp)>,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What the user says.
    pub response: UserResponse,
    /// Which invitation.
    pub invitation: Invitation,
    /// Which instance of a series (14.1 on); none for all.
    pub instance: Option<Timestamp>,
    /// Whether and what the organiser is told by the server (16.0 on); before, phones send the
    /// mail themselves.
    pub send: Option<SendResponse>,
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// The answers, at most 100.
    pub answers: Vec<Answer>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not a MeetingResponse element, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(m::MEETING_RESPONSE)?;
        if element.each(m::REQUEST).count() > MAX_REQUESTS {
            return Err(Error::TooMany { element: m::REQUEST, limit: MAX_REQUESTS });
        }
        let answers: Vec<Answer> =
            element.each(m::REQUEST).map(Answer::from_element).collect::<Result<_>>()?;
        if answers.is_empty() {
            return Err(Error::Missing { parent: element.tag, element: m::REQUEST });
        }
        Ok(Self { answers })
    }

    /// The element for a version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let answers = self.answers.iter().map(|answer| answer.to_element(version));
        Element::parent(m::MEETING_RESPONSE, answers.collect())
    }
}

impl Answer {
    /// In neutral terms; none where the number is none of the three. From 16.0 on the organiser is
    /// told where `SendResponse` is there. Before, always: by the phone's own mail, which is not
    /// known yet, or in its place by the calendar's server.
    pub fn to_model(&self, version: ProtocolVersion) -> Option<dme_model::Answer> {
        let participation = match self.response {
            UserResponse::Accepted => Participation::Accepted,
            UserResponse::Tentative => Participation::Tentative,
            UserResponse::Declined => Participation::Declined,
            UserResponse::Unknown(_) => return None,
        };
        let said = self.send.as_ref();
        let comment = said.and_then(|said| {
            let kind = if said.html { BodyKind::Html } else { BodyKind::Plain };
            let body = said.body.as_ref().filter(|body| !body.trim().is_empty())?;
            Some(Text::whole(kind, &**body))
        });
        let proposal = said.and_then(|said| said.proposed);
        Some(dme_model::Answer {
            participation,
            instance: self.instance,
            comment,
            proposal: proposal.map(|(start, end)| Proposal { start, end }),
            send: said.is_some() || version < ProtocolVersion::V16_0,
        })
    }

    fn from_element(element: &Element) -> Result<Self> {
        let invitation = match element.text_of(search::LONG_ID)? {
            Some(long_id) => Invitation::LongId(long_id.to_owned()),
            None => Invitation::Item {
                collection_id: element.required_text(m::COLLECTION_ID)?.to_owned(),
                request_id: element.required_text(m::REQUEST_ID)?.to_owned(),
            },
        };
        let send = element.child(m::SEND_RESPONSE).map(SendResponse::from_element).transpose()?;
        Ok(Self {
            response: UserResponse::from_code(element.required_number(m::USER_RESPONSE)?),
            invitation,
            instance: moment_of(element, m::INSTANCE_ID)?,
            send,
        })
    }

    fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        children.put_number(m::USER_RESPONSE, self.response.code());
        match &self.invitation {
            Invitation::Item { collection_id, request_id } => {
                children.put(m::COLLECTION_ID, collection_id.as_str());
                children.put(m::REQUEST_ID, request_id.as_str());
            }
            Invitation::LongId(long_id) => children.put(search::LONG_ID, long_id.as_str()),
        }
        if version >= ProtocolVersion::V14_1 {
            children.put_some(m::INSTANCE_ID, self.instance.map(date::format));
        }
        if let Some(send) = &self.send
            && version >= ProtocolVersion::V16_0
        {
            children.push(send.to_element(version));
        }
        Element::parent(m::REQUEST, children)
    }
}

impl SendResponse {
    fn from_element(element: &Element) -> Result<Self> {
        let body = element.child(b::BODY);
        let kind: Option<u8> = body.map(|body| body.number_of(b::TYPE)).transpose()?.flatten();
        let text = body.map(|body| body.text_of(b::DATA)).transpose()?.flatten();
        let start = moment_of(element, m::PROPOSED_START_TIME)?;
        let end = moment_of(element, m::PROPOSED_END_TIME)?;
        let proposed = match (start, end) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(Error::Missing { parent: element.tag, element: m::PROPOSED_END_TIME });
            }
            (None, Some(_)) => {
                let parent = element.tag;
                return Err(Error::Missing { parent, element: m::PROPOSED_START_TIME });
            }
        };
        Ok(Self { body: text.map(str::to_owned), html: kind == Some(2), proposed })
    }

    fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        if let Some(text) = &self.body {
            let mut body = Vec::new();
            body.put(b::TYPE, if self.html { "2" } else { "1" });
            body.put(b::DATA, text.as_str());
            children.put_parent(b::BODY, body);
        }
        if let Some((start, end)) = self.proposed
            && version >= ProtocolVersion::V16_1
        {
            children.put(m::PROPOSED_START_TIME, date::format_compact(start));
            children.put(m::PROPOSED_END_TIME, date::format_compact(end));
        }
        Element::parent(m::SEND_RESPONSE, children)
    }
}

fn moment_of(element: &Element, tag: Tag) -> Result<Option<Timestamp>> {
    match element.text_of(tag)? {
        Some(text) => {
            let wrong = Error::Value { element: tag, expected: "a date and time" };
            date::parse(text).map(Some).ok_or(wrong)
        }
        None => Ok(None),
    }
}

/// What one answer came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The mail's id as in the request, where it had one.
    pub request_id: Option<String>,
    /// How it went.
    pub status: Status,
    /// The event in the calendar; none where declined or failed.
    pub calendar_id: Option<String>,
}

/// The server's answer, one outcome for each of the request's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Response {
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
}

impl Response {
    /// The element.
    pub fn to_element(&self) -> Element {
        let results = self.outcomes.iter().map(|outcome| {
            let mut children = Vec::new();
            children.put_some(m::REQUEST_ID, outcome.request_id.as_deref());
            children.put_number(m::STATUS, outcome.status.code());
            children.put_some(m::CALENDAR_ID, outcome.calendar_id.as_deref());
            Element::parent(m::RESULT, children)
        });
        Element::parent(m::MEETING_RESPONSE, results.collect())
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is not a MeetingResponse element, or a result has no status.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(m::MEETING_RESPONSE)?;
        let outcomes = element.each(m::RESULT).take(MAX_REQUESTS).map(|result| {
            Ok(Outcome {
                request_id: result.text_of(m::REQUEST_ID)?.map(str::to_owned),
                status: Status::read(result, m::STATUS)?,
                calendar_id: result.text_of(m::CALENDAR_ID)?.map(str::to_owned),
            })
        });
        Ok(Self { outcomes: outcomes.collect::<Result<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        Answer {
            response: UserResponse::Tentative,
            invitation: Invitation::Item { collection_id: "5".into(), request_id: "5:12".into() },
            instance: Some(Timestamp::from_seconds(1_700_000_000)),
            send: Some(SendResponse {
                body: Some("<p>perhaps</p>".into()),
                html: true,
                proposed: Some((
                    Timestamp::from_seconds(1_700_000_000),
                    Timestamp::from_seconds(1_700_003_600),
                )),
            }),
        }
    }

    #[test]
    fn requests_are_read_as_they_are_written() {
        let by_long_id = Answer {
            invitation: Invitation::LongId("RgAAAA".into()),
            instance: None,
            send: None,
            ..answer()
        };
        let request = Request { answers: vec![answer(), by_long_id] };
        let element = request.to_element(ProtocolVersion::V16_1);
        assert_eq!(Request::from_element(&element), Ok(request));
    }

    #[test]
    fn older_versions_are_spared_what_they_do_not_know() {
        let request = Request { answers: vec![answer()] };
        let read = |version| Request::from_element(&request.to_element(version)).unwrap();
        assert_eq!(read(ProtocolVersion::V12_1).answers[0].instance, None);
        assert_eq!(read(ProtocolVersion::V14_1).answers[0].send, None);
        let sent = read(ProtocolVersion::V16_0).answers[0].send.clone().unwrap();
        assert_eq!((sent.proposed, sent.html), (None, true));
    }

    #[test]
    fn outcomes_are_read_as_they_are_written() {
        let response = Response {
            outcomes: vec![
                Outcome {
                    request_id: Some("5:12".into()),
                    status: Status::Success,
                    calendar_id: Some("2:7".into()),
                },
                Outcome { request_id: None, status: Status::InvalidRequest, calendar_id: None },
            ],
        };
        assert_eq!(Response::from_element(&response.to_element()), Ok(response));
    }

    #[test]
    fn an_answer_is_sent_where_the_phone_asks_for_it() {
        let meant = answer().to_model(ProtocolVersion::V16_1).unwrap();
        assert_eq!(meant.participation, Participation::Tentative);
        assert_eq!(meant.comment, Some(Text::whole(BodyKind::Html, "<p>perhaps</p>")));
        assert!(meant.send && meant.proposal.is_some() && meant.instance.is_some());
        let by = |version, response, send| Answer { response, send, ..answer() }.to_model(version);
        let meant = |response, send| by(ProtocolVersion::V16_0, response, send);
        let empty = Some(SendResponse::default());
        assert!(meant(UserResponse::Accepted, empty).is_some_and(|meant| meant.send));
        assert!(meant(UserResponse::Declined, None).is_some_and(|meant| !meant.send));
        assert_eq!(meant(UserResponse::Unknown(9), None), None);
        // By the phone's own mail.
        let before = by(ProtocolVersion::V14_1, UserResponse::Declined, None);
        assert!(before.is_some_and(|meant| meant.send));
    }

    #[test]
    fn half_a_proposal_and_an_empty_request_are_refused() {
        let start = Element::text(m::PROPOSED_START_TIME, "20231114T221320Z");
        let send = Element::parent(m::SEND_RESPONSE, vec![start]);
        assert!(SendResponse::from_element(&send).is_err());
        assert!(Request::from_element(&Element::empty(m::MEETING_RESPONSE)).is_err());
    }
}
