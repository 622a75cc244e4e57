//! Find: as Search, with a short form of mail in its results (MS-ASCMD 2.2.1.2; 16.1).

use crate::compose::bounded;
use crate::date;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::gal::{Person, PictureLimits};
use crate::range::Range;
use crate::status::statuses;
use dme_model::{Importance, Timestamp};
use dme_wbxml::pages::{air_sync, email, email2, find as f, gal, item_operations};
use dme_wbxml::{Element, Tag};

/// The longest text searched for, in characters.
const MAX_TEXT: usize = 1024;
const MAX_ID: usize = 64;
/// More results than any range can ask for.
const MAX_RESULTS: usize = 1000;

statuses! {
    /// How a Find went (MS-ASCMD 2.2.3.177.2).
    pub enum Status {
        /// Done; there may be no results.
        Success = 1,
        /// The request is wrong.
        InvalidRequest = 2,
        /// The folder is not known: sync the hierarchy.
        FolderSyncRequired = 3,
        /// The range must begin at 0.
        StartWithRangeZero = 4,
    }
}

/// Where is searched, and what for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Criterion {
    /// In the mailbox.
    Mailbox {
        /// Words, or a query in Keyword Query Language.
        free_text: String,
        /// Items of this class (`Email`).
        class: Option<String>,
        /// In this folder; none for all.
        collection_id: Option<String>,
        /// Folders below it are searched too.
        deep_traversal: bool,
    },
    /// For people in the directory.
    Directory {
        /// The beginning of a name or address.
        text: String,
        /// Pictures are wanted.
        picture: Option<PictureLimits>,
    },
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The phone's own name for this search; a GUID.
    pub search_id: String,
    /// Where, and what for.
    pub criterion: Criterion,
    /// Which of the results; none for the first ones.
    pub range: Option<Range>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not a Find element with one criterion, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(f::FIND)?;
        let execute = element.required(f::EXECUTE_SEARCH)?;
        let mailbox = execute.child(f::MAILBOX_SEARCH_CRITERION);
        let directory = execute.child(f::GAL_SEARCH_CRITERION);
        let found = match (mailbox, directory) {
            (Some(_), Some(_)) => {
                return Err(Error::Conflict(f::MAILBOX_SEARCH_CRITERION, f::GAL_SEARCH_CRITERION));
            }
            (Some(found), None) | (None, Some(found)) => found,
            (None, None) => {
                let missing = f::MAILBOX_SEARCH_CRITERION;
                return Err(Error::Missing { parent: f::EXECUTE_SEARCH, element: missing });
            }
        };
        let query = found.required(f::QUERY)?;
        let options = found.child(f::OPTIONS);
        let criterion = if mailbox.is_some() {
            let text = bounded(query, f::FREE_TEXT, MAX_TEXT)?;
            Criterion::Mailbox {
                free_text: text
                    .ok_or(Error::Missing { parent: f::QUERY, element: f::FREE_TEXT })?,
                class: bounded(query, air_sync::CLASS, MAX_ID)?,
                collection_id: bounded(query, air_sync::COLLECTION_ID, MAX_ID)?,
                deep_traversal: options.is_some_and(|o| o.child(f::DEEP_TRAVERSAL).is_some()),
            }
        } else {
            let text = query.text_value()?.trim();
            if text.is_empty() || text.chars().nth(MAX_TEXT).is_some() {
                return Err(Error::Value { element: f::QUERY, expected: "1 to 1024 characters" });
            }
            let picture = options.and_then(|options| options.child(f::PICTURE));
            let limits =
                picture.map(|p| PictureLimits::from_element(p, f::MAX_SIZE, f::MAX_PICTURES));
            Criterion::Directory { text: text.to_owned(), picture: limits.transpose()? }
        };
        let range = options.and_then(|options| options.child(f::RANGE));
        Ok(Self {
            search_id: bounded(element, f::SEARCH_ID, MAX_ID)?.unwrap_or_default(),
            criterion,
            range: range.map(Range::from_element).transpose()?,
        })
    }

    /// The element.
    pub fn to_element(&self) -> Element {
        let mut options = Vec::new();
        options.put_some(f::RANGE, self.range.map(|range| range.to_string()));
        let (tag, query) = match &self.criterion {
            Criterion::Mailbox { free_text, class, collection_id, deep_traversal } => {
                let mut query = Vec::new();
                query.put_some(air_sync::CLASS, class.as_deref());
                query.put_some(air_sync::COLLECTION_ID, collection_id.as_deref());
                query.put(f::FREE_TEXT, free_text.as_str());
                options.put_mark(f::DEEP_TRAVERSAL, *deep_traversal);
                (f::MAILBOX_SEARCH_CRITERION, Element::parent(f::QUERY, query))
            }
            Criterion::Directory { text, picture } => {
                if let Some(limits) = picture {
                    options.push(limits.to_element(f::PICTURE, f::MAX_SIZE, f::MAX_PICTURES));
                }
                (f::GAL_SEARCH_CRITERION, Element::text(f::QUERY, text.as_str()))
            }
        };
        let mut criterion = vec![query];
        criterion.put_parent(f::OPTIONS, options);
        let execute = Element::parent(f::EXECUTE_SEARCH, vec![Element::parent(tag, criterion)]);
        let mut children = Vec::new();
        children.put_some(f::SEARCH_ID, Some(&*self.search_id).filter(|id| !id.is_empty()));
        children.push(execute);
        Element::parent(f::FIND, children)
    }
}

/// A mail in short.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FoundMail {
    /// Its server id, as Sync gives it.
    pub server_id: String,
    /// Its folder.
    pub collection_id: String,
    /// Subject.
    pub subject: String,
    /// When it arrived.
    pub received: Timestamp,
    /// Names of the receivers.
    pub display_to: String,
    /// Names of those who get a copy.
    pub display_cc: Option<String>,
    /// Names of those who get a hidden copy.
    pub display_bcc: Option<String>,
    /// Urgency.
    pub importance: Importance,
    /// Whether it was read.
    pub read: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// Its first characters.
    pub preview: Option<String>,
    /// Whether it has attachments.
    pub has_attachments: bool,
    /// The author, as a header has it.
    pub from: String,
}

impl FoundMail {
    fn to_element(&self) -> Element {
        let mut properties = Vec::new();
        properties.put(email::SUBJECT, self.subject.as_str());
        properties.put(email::DATE_RECEIVED, date::format(self.received));
        properties.put(email::DISPLAY_TO, self.display_to.as_str());
        properties.put_some(f::DISPLAY_CC, self.display_cc.as_deref());
        properties.put_some(f::DISPLAY_BCC, self.display_bcc.as_deref());
        let importance = match self.importance {
            Importance::Low => "0",
            Importance::Normal => "1",
            Importance::High => "2",
        };
        properties.put(email::IMPORTANCE, importance);
        properties.put_boolean(email::READ, self.read);
        properties.put_boolean(email2::IS_DRAFT, self.draft);
        properties.put_some(f::PREVIEW, self.preview.as_deref());
        properties.put_boolean(f::HAS_ATTACHMENTS, self.has_attachments);
        properties.put(email::FROM, self.from.as_str());
        let mut children = Vec::new();
        children.put(air_sync::CLASS, "Email");
        children.put(air_sync::SERVER_ID, self.server_id.as_str());
        children.put(air_sync::COLLECTION_ID, self.collection_id.as_str());
        children.push(Element::parent(f::PROPERTIES, properties));
        Element::parent(f::RESULT, children)
    }

    fn from_element(result: &Element, properties: &Element) -> Result<Self> {
        let text = |tag: Tag| properties.text_of(tag).map(|text| text.map(str::to_owned));
        let wrong = Error::Value { element: email::DATE_RECEIVED, expected: "a date and time" };
        Ok(Self {
            server_id: result.required_text(air_sync::SERVER_ID)?.to_owned(),
            collection_id: result.required_text(air_sync::COLLECTION_ID)?.to_owned(),
            subject: text(email::SUBJECT)?.unwrap_or_default(),
            received: date::parse(properties.required_text(email::DATE_RECEIVED)?).ok_or(wrong)?,
            display_to: text(email::DISPLAY_TO)?.unwrap_or_default(),
            display_cc: text(f::DISPLAY_CC)?,
            display_bcc: text(f::DISPLAY_BCC)?,
            importance: match properties.number_of::<u8>(email::IMPORTANCE)? {
                Some(0) => Importance::Low,
                Some(2) => Importance::High,
                _ => Importance::Normal,
            },
            read: properties.boolean_of(email::READ)?.unwrap_or(false),
            draft: properties.boolean_of(email2::IS_DRAFT)?.unwrap_or(false),
            preview: text(f::PREVIEW)?,
            has_attachments: properties.boolean_of(f::HAS_ATTACHMENTS)?.unwrap_or(false),
            from: text(email::FROM)?.unwrap_or_default(),
        })
    }
}

/// One result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// A mail.
    Mail(Box<FoundMail>),
    /// A person.
    Person(Box<Person>),
}

impl Found {
    fn to_element(&self) -> Element {
        match self {
            Self::Mail(mail) => mail.to_element(),
            Self::Person(person) => {
                let properties = Element::parent(f::PROPERTIES, person.to_elements());
                Element::parent(f::RESULT, vec![properties])
            }
        }
    }

    fn from_element(element: &Element) -> Result<Self> {
        let properties = element.required(f::PROPERTIES)?;
        let person = element.child(air_sync::SERVER_ID).is_none()
            || properties.child(gal::DISPLAY_NAME).is_some();
        Ok(if person {
            Self::Person(Box::new(Person::from_element(properties)?))
        } else {
            Self::Mail(Box::new(FoundMail::from_element(element, properties)?))
        })
    }
}

/// The server's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// How the command went.
    pub status: Status,
    /// What was found; none where the command failed.
    pub answer: Option<Answer>,
}

/// Where it was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Store {
    /// In the mailbox.
    Mailbox,
    /// In the directory.
    Directory,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Where.
    pub store: Store,
    /// How the search went.
    pub status: Status,
    /// The results within the range.
    pub results: Vec<Found>,
    /// Which these are; none where there are none.
    pub range: Option<Range>,
    /// How many there are in all.
    pub total: u32,
}

impl Response {
    /// The command failed.
    pub fn failed(status: Status) -> Self {
        Self { status, answer: None }
    }

    /// The results from the one of number `first` on, of `total` in all.
    pub fn results(store: Store, results: Vec<Found>, first: u32, total: u32) -> Self {
        let count = u32::try_from(results.len()).unwrap_or(u32::MAX);
        let last = first.saturating_add(count.saturating_sub(1));
        let range = (count > 0).then(|| Range::new(first, last)).flatten();
        let answer = Answer { store, status: Status::Success, results, range, total };
        Self { status: Status::Success, answer: Some(answer) }
    }

    /// The element.
    pub fn to_element(&self) -> Element {
        let mut children = Vec::new();
        children.put_number(f::STATUS, self.status.code());
        if let Some(answer) = &self.answer {
            let mut within = Vec::new();
            let store = match answer.store {
                Store::Mailbox => "Mailbox",
                Store::Directory => "GAL",
            };
            within.put(item_operations::STORE, store);
            within.put_number(f::STATUS, answer.status.code());
            within.extend(answer.results.iter().map(Found::to_element));
            within.put_some(f::RANGE, answer.range.map(|range| range.to_string()));
            within.put_number(f::TOTAL, answer.total);
            children.push(Element::parent(f::RESPONSE, within));
        }
        Element::parent(f::FIND, children)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is not a Find element with a status, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(f::FIND)?;
        let answer = element.child(f::RESPONSE).map(Answer::from_element).transpose()?;
        Ok(Self { status: Status::read(element, f::STATUS)?, answer })
    }
}

impl Answer {
    fn from_element(element: &Element) -> Result<Self> {
        let store = match element.text_of(item_operations::STORE)? {
            Some(name) if name.eq_ignore_ascii_case("GAL") => Store::Directory,
            _ => Store::Mailbox,
        };
        if element.each(f::RESULT).count() > MAX_RESULTS {
            return Err(Error::TooMany { element: f::RESULT, limit: MAX_RESULTS });
        }
        Ok(Self {
            store,
            status: Status::read(element, f::STATUS)?,
            results: element.each(f::RESULT).map(Found::from_element).collect::<Result<_>>()?,
            range: element.child(f::RANGE).map(Range::from_element).transpose()?,
            total: element.number_of(f::TOTAL)?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_are_written() {
        for criterion in [
            Criterion::Mailbox {
                free_text: "subject:Grüße".into(),
                class: Some("Email".into()),
                collection_id: Some("5".into()),
                deep_traversal: true,
            },
            Criterion::Directory {
                text: "ann".into(),
                picture: Some(PictureLimits { max_size: Some(51_200), max_pictures: None }),
            },
        ] {
            let search_id = "10BE2AFB-6F8C-4A0D-8A6B-2D4D6C9E3F6A".into();
            let request = Request { search_id, criterion, range: Range::new(0, 99) };
            assert_eq!(Request::from_element(&request.to_element()), Ok(request));
        }
    }

    #[test]
    fn answers_are_read_as_they_are_written() {
        let mail = FoundMail {
            server_id: "5:12".into(),
            collection_id: "5".into(),
            subject: "hello".into(),
            received: Timestamp::from_millis(1_700_000_000_123),
            display_to: "Ann".into(),
            display_cc: Some("Bob".into()),
            importance: Importance::High,
            read: true,
            preview: Some("hello Ann".into()),
            has_attachments: true,
            from: "\"Eve\" <eve@corp.example>".into(),
            ..FoundMail::default()
        };
        let person = Person { display_name: Some("Ann".into()), ..Person::default() };
        for response in [
            Response::results(Store::Mailbox, vec![Found::Mail(Box::new(mail))], 0, 12),
            Response::results(Store::Directory, vec![Found::Person(Box::new(person))], 0, 1),
            Response::results(Store::Mailbox, vec![], 0, 0),
            Response::failed(Status::StartWithRangeZero),
        ] {
            assert_eq!(Response::from_element(&response.to_element()), Ok(response));
        }
    }

    #[test]
    fn two_criteria_none_or_one_without_text_are_refused() {
        let read = |children: Vec<Element>| {
            let execute = Element::parent(f::EXECUTE_SEARCH, children);
            Request::from_element(&Element::parent(f::FIND, vec![execute]))
        };
        let mailbox = || {
            let text = Element::text(f::FREE_TEXT, "x");
            let query = Element::parent(f::QUERY, vec![text]);
            Element::parent(f::MAILBOX_SEARCH_CRITERION, vec![query])
        };
        let directory = |text: &str| {
            Element::parent(f::GAL_SEARCH_CRITERION, vec![Element::text(f::QUERY, text)])
        };
        assert!(read(vec![mailbox()]).is_ok());
        assert!(read(vec![mailbox(), directory("ann")]).is_err());
        assert!(read(vec![directory("  ")]).is_err());
        assert!(read(vec![]).is_err());
    }
}
