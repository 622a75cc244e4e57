//! `Options`: how a collection's items of one class are wanted (MS-ASCMD 2.2.3.125.6).

use super::ItemClass;
use crate::body::ContentOptions;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use dme_wbxml::{Element, Tag, pages::air_sync as page};
use std::time::Duration;

/// How items of one class are wanted. What is none is the default: whoever says anything anew says
/// all of it (MS-ASCMD 2.2.3.125.6).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// For which class; none means the collection's own.
    pub class: Option<ItemClass>,
    /// How far back.
    pub filter: Option<FilterType>,
    /// In what form contents are wanted.
    pub content: ContentOptions,
    /// Whose change wins where both sides changed an item.
    pub conflict: Option<Conflict>,
    /// So many items at the most (14.0 on; recipient information only).
    pub max_items: Option<u32>,
}

/// How far back items are wanted (MS-ASCMD 2.2.3.68.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FilterType {
    /// All (0).
    All,
    /// One day (1).
    OneDay,
    /// Three days (2).
    ThreeDays,
    /// One week (3).
    OneWeek,
    /// Two weeks (4).
    TwoWeeks,
    /// One month (5).
    OneMonth,
    /// Three months (6), calendars only.
    ThreeMonths,
    /// Six months (7), calendars only.
    SixMonths,
    /// Tasks that are not done (8).
    IncompleteTasks,
}

/// Whose change wins where both sides changed an item (MS-ASCMD 2.2.3.33).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Conflict {
    /// The phone's (0).
    ClientWins,
    /// The server's (1), the default.
    ServerWins,
}

impl FilterType {
    const ALL: [Self; 9] = [
        Self::All,
        Self::OneDay,
        Self::ThreeDays,
        Self::OneWeek,
        Self::TwoWeeks,
        Self::OneMonth,
        Self::ThreeMonths,
        Self::SixMonths,
        Self::IncompleteTasks,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The filter with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// How long ago an item may be; none where that does not matter. A month is 31 days.
    pub fn span(self) -> Option<Duration> {
        let days = match self {
            Self::All | Self::IncompleteTasks => return None,
            Self::OneDay => 1,
            Self::ThreeDays => 3,
            Self::OneWeek => 7,
            Self::TwoWeeks => 14,
            Self::OneMonth => 31,
            Self::ThreeMonths => 92,
            Self::SixMonths => 183,
        };
        Some(Duration::from_secs(days * 86_400))
    }

    pub(crate) fn read(parent: &Element) -> Result<Option<Self>> {
        let wrong = Error::Value { element: page::FILTER_TYPE, expected: "0 to 8" };
        let code = parent.number_of(page::FILTER_TYPE)?;
        code.map(|code| Self::from_code(code).ok_or(wrong)).transpose()
    }
}

impl Options {
    pub(crate) fn from_element(element: &Element) -> Result<Self> {
        let conflict = match element.number_of(page::CONFLICT)? {
            None => None,
            Some(0) => Some(Conflict::ClientWins),
            Some(1u8) => Some(Conflict::ServerWins),
            Some(_) => return Err(Error::Value { element: page::CONFLICT, expected: "0 or 1" }),
        };
        Ok(Self {
            class: read_class(element, page::CLASS)?,
            filter: FilterType::read(element)?,
            content: ContentOptions::from_options(element)?,
            conflict,
            max_items: element.number_of(page::MAX_ITEMS)?,
        })
    }

    pub(crate) fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_some(page::CLASS, self.class.map(ItemClass::name));
        children.put_some_number(page::FILTER_TYPE, self.filter.map(FilterType::code));
        self.content.put(&mut children);
        children.put_some_number(
            page::CONFLICT,
            self.conflict.map(|conflict| u8::from(conflict == Conflict::ServerWins)),
        );
        children.put_some_number(page::MAX_ITEMS, self.max_items);
        Element::parent(page::OPTIONS, children)
    }
}

/// A class, where one is named; an unknown one is an error.
pub(crate) fn read_class(parent: &Element, tag: Tag) -> Result<Option<ItemClass>> {
    parent
        .text_of(tag)?
        .map(|name| {
            ItemClass::from_name(name)
                .ok_or(Error::Value { element: tag, expected: "the name of a class" })
        })
        .transpose()
}
