//! Where each text of a contact stands in a card. This is the table; `read` and `write` go by it.
//!
//! Names that are not those of an RFC are Apple's (`X-PHONETIC-…`, `X-AB…`), Evolution's,
//! KAddressBook's and Microsoft's (MS-OXVCARD 2.1.3), in that order; the first of a list is the one
//! that is written where there is none yet. For what no program has a name the name is ours.

use super::{
    card::{Card, Version},
    line::Line,
    slot::NONE,
};
use dme_model::ContactText;

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A member of `N`, counted from 0.
    Name(usize),
    /// A member of `ORG`, counted from 0.
    Organisation(usize),
    /// Under which the person is listed: [`FILE_AS`], else `FN`.
    FileAs,
    /// A line of its own.
    Own(&'static Own),
    /// One of several lines, told apart by their types and order.
    Slot,
    /// A member of the address in this slot, counted from 0.
    Address(ContactText, usize),
}

/// A text that has a line of its own.
#[derive(Debug)]
pub(super) struct Own {
    /// Names of the line; earlier ones go before later ones.
    names: &'static [&'static str],
    /// The type of a `RELATED` line (RFC 6350 §6.6.6) that says it.
    related: &'static str,
    /// A property that says it where its group has this label of Apple's.
    labelled: (&'static str, &'static str),
    /// Its values are URIs, which know no escaping.
    pub(super) uri: bool,
}

const fn own(names: &'static [&'static str]) -> Own {
    Own { names, related: "", labelled: ("", ""), uri: false }
}

const fn relation(
    names: &'static [&'static str],
    related: &'static str,
    label: &'static str,
) -> Own {
    Own { names, related, labelled: ("X-ABRELATEDNAMES", label), uri: false }
}

pub(super) static FILE_AS: Own = own(&["X-EVOLUTION-FILE-AS", "X-FILE-AS"]);
pub(super) static NAME: Own = own(&["N"]);
pub(super) static ORGANISATION: Own = own(&["ORG"]);
pub(super) static NOTE: Own = own(&["NOTE"]);
pub(super) static BIRTHDAY: Own = own(&["BDAY"]);
pub(super) static ANNIVERSARY: Own = Own {
    names: &[
        "ANNIVERSARY",
        "X-ANNIVERSARY",
        "X-EVOLUTION-ANNIVERSARY",
        "X-KADDRESSBOOK-X-ANNIVERSARY",
        "X-MS-ANNIVERSARY",
    ],
    related: "",
    labelled: ("X-ABDATE", "ANNIVERSARY"),
    uri: false,
};
pub(super) static CHILDREN: Own = relation(&["X-MS-CHILD", "X-CHILD"], "CHILD", "CHILD");
static SPOUSE: Own = relation(
    &["X-SPOUSE", "X-EVOLUTION-SPOUSE", "X-KADDRESSBOOK-X-SPOUSESNAME", "X-MS-SPOUSE"],
    "SPOUSE",
    "SPOUSE",
);
static MANAGER: Own = relation(
    &["X-MANAGER", "X-EVOLUTION-MANAGER", "X-KADDRESSBOOK-X-MANAGERSNAME", "X-MS-MANAGER"],
    "",
    "MANAGER",
);
static ASSISTANT: Own = relation(
    &["X-ASSISTANT", "X-EVOLUTION-ASSISTANT", "X-KADDRESSBOOK-X-ASSISTANTSNAME", "X-MS-ASSISTANT"],
    "",
    "ASSISTANT",
);
static NICK_NAME: Own = own(&["NICKNAME"]);
static JOB_TITLE: Own = own(&["TITLE"]);
static WEB_PAGE: Own = Own { names: &["URL"], related: "", labelled: ("", ""), uri: true };
static YOMI_FIRST: Own = own(&["X-PHONETIC-FIRST-NAME"]);
static YOMI_LAST: Own = own(&["X-PHONETIC-LAST-NAME"]);
static YOMI_COMPANY: Own = own(&["X-PHONETIC-ORG"]);
static CUSTOMER_ID: Own = own(&["X-DME-CUSTOMER-ID"]);
static GOVERNMENT_ID: Own = own(&["X-DME-GOVERNMENT-ID"]);
static ACCOUNT_NAME: Own = own(&["X-DME-ACCOUNT-NAME"]);
static WEIGHTED_RANK: Own = own(&["X-DME-WEIGHTED-RANK"]);
static ALIAS: Own = own(&["X-DME-ALIAS"]);

impl Place {
    /// The place of a text.
    pub(super) fn of(text: ContactText) -> Self {
        use ContactText as T;
        match text {
            T::LastName => Self::Name(0),
            T::FirstName => Self::Name(1),
            T::MiddleName => Self::Name(2),
            T::Title => Self::Name(3),
            T::Suffix => Self::Name(4),
            T::FileAs => Self::FileAs,
            T::CompanyName => Self::Organisation(0),
            T::Department => Self::Organisation(1),
            T::NickName => Self::Own(&NICK_NAME),
            T::YomiFirstName => Self::Own(&YOMI_FIRST),
            T::YomiLastName => Self::Own(&YOMI_LAST),
            T::YomiCompanyName => Self::Own(&YOMI_COMPANY),
            T::JobTitle => Self::Own(&JOB_TITLE),
            T::AssistantName => Self::Own(&ASSISTANT),
            T::ManagerName => Self::Own(&MANAGER),
            T::Spouse => Self::Own(&SPOUSE),
            T::WebPage => Self::Own(&WEB_PAGE),
            T::CustomerId => Self::Own(&CUSTOMER_ID),
            T::GovernmentId => Self::Own(&GOVERNMENT_ID),
            T::AccountName => Self::Own(&ACCOUNT_NAME),
            T::WeightedRank => Self::Own(&WEIGHTED_RANK),
            T::Alias => Self::Own(&ALIAS),
            T::Email1
            | T::Email2
            | T::Email3
            | T::Im1
            | T::Im2
            | T::Im3
            | T::BusinessPhone
            | T::BusinessPhone2
            | T::BusinessFax
            | T::HomePhone
            | T::HomePhone2
            | T::HomeFax
            | T::MobilePhone
            | T::CarPhone
            | T::RadioPhone
            | T::Pager
            | T::CompanyMainPhone
            | T::AssistantPhone
            | T::Mms => Self::Slot,
            // The second member, "extended address", is where Outlook has it (MS-OXVCARD 2.1.3.3).
            T::OfficeLocation => Self::Address(T::BusinessStreet, 1),
            T::BusinessStreet => Self::Address(T::BusinessStreet, 2),
            T::BusinessCity => Self::Address(T::BusinessStreet, 3),
            T::BusinessState => Self::Address(T::BusinessStreet, 4),
            T::BusinessPostalCode => Self::Address(T::BusinessStreet, 5),
            T::BusinessCountry => Self::Address(T::BusinessStreet, 6),
            T::HomeStreet => Self::Address(T::HomeStreet, 2),
            T::HomeCity => Self::Address(T::HomeStreet, 3),
            T::HomeState => Self::Address(T::HomeStreet, 4),
            T::HomePostalCode => Self::Address(T::HomeStreet, 5),
            T::HomeCountry => Self::Address(T::HomeStreet, 6),
            T::OtherStreet => Self::Address(T::OtherStreet, 2),
            T::OtherCity => Self::Address(T::OtherStreet, 3),
            T::OtherState => Self::Address(T::OtherStreet, 4),
            T::OtherPostalCode => Self::Address(T::OtherStreet, 5),
            T::OtherCountry => Self::Address(T::OtherStreet, 6),
        }
    }
}

impl Own {
    /// The lines that say it: the one that counts first.
    pub(super) fn lines<'a>(&self, card: &'a Card) -> Vec<&'a Line> {
        let ranked = card.lines().filter_map(|line| Some((self.rank(card, line)?, line)));
        let mut lines: Vec<_> = ranked.collect();
        // Sorting is stable: else the order of the card counts.
        lines.sort_by_key(|(rank, line)| (*rank, line.preference().unwrap_or(u8::MAX)));
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn rank(&self, card: &Card, line: &Line) -> Option<usize> {
        let rank = match self.names.iter().position(|name| *name == line.name) {
            Some(rank) => Some(rank),
            None if line.name == "RELATED" && !self.related.is_empty() => {
                let text =
                    line.parameter("VALUE").is_some_and(|it| it.eq_ignore_ascii_case("text"));
                let is = text && line.types().iter().any(|it| it == self.related);
                is.then_some(self.names.len())
            }
            None if line.name == self.labelled.0 => {
                (card.label(line) == self.labelled.1).then_some(self.names.len() + 1)
            }
            None => None,
        }?;
        (line.slot().as_deref() != Some(NONE)).then_some(rank)
    }

    /// Adds a line that says it, its value escaped already; returns its id.
    pub(super) fn append(&self, card: &mut Card, value: &str) -> usize {
        if card.version == Version::V4 && !self.related.is_empty() {
            let kind = format!("TYPE={}", self.related.to_ascii_lowercase());
            return card.append("RELATED", &["VALUE=text", &kind], value);
        }
        let name = match self.names {
            // No property of 3.0 and before.
            ["ANNIVERSARY", other, ..] if card.version != Version::V4 => other,
            [name, ..] => name,
            [] => return usize::MAX,
        };
        card.append(name, &[], value)
    }
}
