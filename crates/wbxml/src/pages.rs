//! The code pages of Exchange ActiveSync (MS-ASWBXML 2.1.2.1), one module each.
//!
//! Page 3 is not used by the versions spoken here.

use crate::Tag;

/// One code page: its number, its name, and the names of its tokens in ascending order.
pub(crate) struct Page {
    number: u8,
    name: &'static str,
    tags: &'static [(u8, &'static str)],
}

/// Makes a constant of each token and a [`Page`] of them all.
macro_rules! page {
    ($number:literal, $page:literal, $($constant:ident = $token:literal, $name:literal;)*) => {
        $(
            #[doc = concat!("`", $page, ":", $name, "`")]
            pub const $constant: crate::Tag = crate::Tag { page: $number, token: $token };
        )*

        pub(super) const PAGE: super::Page = super::Page::new(
            $number,
            $page,
            &[$(($token, $name)),*],
        );
    };
}
use page;

pub mod air_sync;
pub mod air_sync_base;
pub mod calendar;
pub mod compose_mail;
pub mod contacts;
pub mod contacts2;
pub mod document_library;
pub mod email;
pub mod email2;
pub mod find;
pub mod folder_hierarchy;
pub mod gal;
pub mod get_item_estimate;
pub mod item_operations;
pub mod meeting_response;
pub mod move_items;
pub mod notes;
pub mod ping;
pub mod provision;
pub mod resolve_recipients;
pub mod rights_management;
pub mod search;
pub mod settings;
pub mod tasks;
pub mod validate_cert;

const PAGES: [Page; 25] = [
    air_sync::PAGE,
    contacts::PAGE,
    email::PAGE,
    calendar::PAGE,
    move_items::PAGE,
    get_item_estimate::PAGE,
    folder_hierarchy::PAGE,
    meeting_response::PAGE,
    tasks::PAGE,
    resolve_recipients::PAGE,
    validate_cert::PAGE,
    contacts2::PAGE,
    ping::PAGE,
    provision::PAGE,
    search::PAGE,
    gal::PAGE,
    air_sync_base::PAGE,
    settings::PAGE,
    document_library::PAGE,
    item_operations::PAGE,
    compose_mail::PAGE,
    email2::PAGE,
    notes::PAGE,
    rights_management::PAGE,
    find::PAGE,
];

impl Page {
    const fn new(number: u8, name: &'static str, tags: &'static [(u8, &'static str)]) -> Self {
        Self { number, name, tags }
    }
}

/// Whether a document may switch to this page.
pub(crate) fn is_known(page: u8) -> bool {
    matches!(page, 0..=2 | 4..=25)
}

impl Tag {
    /// The name MS-ASWBXML gives the tag; none for tokens it leaves free.
    pub fn name(self) -> Option<&'static str> {
        let page = PAGES.iter().find(|page| page.number == self.page)?;
        page.tags.iter().find(|(token, _)| *token == self.token).map(|(_, name)| *name)
    }

    /// The name of the tag's code page, `AirSync` and so on; none for pages that do not exist.
    pub fn page_name(self) -> Option<&'static str> {
        PAGES.iter().find(|page| page.number == self.page).map(|page| page.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_those_of_the_protocol_each_token_once_and_in_range() {
        let numbers: Vec<u8> = PAGES.iter().map(|page| page.number).collect();
        let expected: Vec<u8> = (0..=25).filter(|n| *n != 3).collect();
        assert_eq!(numbers, expected);
        assert!((0..=255).all(|n| is_known(n) == expected.contains(&n)));
        for page in &PAGES {
            assert!(page.tags.iter().all(|(token, _)| (0x05..=0x3F).contains(token)));
            assert!(page.tags.windows(2).all(|pair| pair[0].0 < pair[1].0), "{}", page.name);
            let mut names: Vec<_> = page.tags.iter().map(|(_, name)| name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), page.tags.len(), "{}", page.name);
        }
    }

    #[test]
    fn tokens_after_a_gap_have_the_numbers_of_the_document() {
        for (tag, page, token) in [
            (air_sync::COLLECTION_ID, 0, 0x12),
            (air_sync::HEARTBEAT_INTERVAL, 0, 0x29),
            (contacts::WEIGHTED_RANK, 1, 0x3E),
            (email::DISALLOW_NEW_TIME_PROPOSAL, 2, 0x3F),
            (calendar::CLIENT_UID, 4, 0x3C),
            (move_items::DST_MSG_ID, 5, 0x0C),
            (get_item_estimate::STATUS, 6, 0x0E),
            (folder_hierarchy::COUNT, 7, 0x17),
            (meeting_response::SEND_RESPONSE, 8, 0x12),
            (tasks::FIRST_DAY_OF_WEEK, 9, 0x26),
            (resolve_recipients::MAX_PICTURES, 10, 0x1D),
            (validate_cert::STATUS, 11, 0x0A),
            (contacts2::MMS, 12, 0x0E),
            (ping::MAX_FOLDERS, 13, 0x0D),
            (provision::ACCOUNT_ONLY_REMOTE_WIPE, 14, 0x3B),
            (search::MAX_PICTURES, 15, 0x23),
            (gal::DATA, 16, 0x12),
            (air_sync_base::INSTANCE_ID, 17, 0x2D),
            (settings::RIGHTS_MANAGEMENT_INFORMATION, 18, 0x2B),
            (document_library::CONTENT_TYPE, 19, 0x0C),
            (item_operations::MOVE_ALWAYS, 20, 0x19),
            (compose_mail::EMAIL, 21, 0x18),
            (email2::SEND, 22, 0x17),
            (notes::CATEGORY, 23, 0x09),
            (rights_management::REMOVE_RIGHTS_MANAGEMENT_PROTECTION, 24, 0x18),
            (find::PICTURE, 25, 0x22),
        ] {
            assert_eq!(tag, Tag { page, token });
        }
    }

    #[test]
    fn a_tag_knows_its_name_and_a_vendors_tag_has_none() {
        assert_eq!(air_sync::SYNC.name(), Some("Sync"));
        assert_eq!(air_sync::SYNC.page_name(), Some("AirSync"));
        let vendor = Tag { page: 0, token: 0x3F };
        assert_eq!((vendor.name(), vendor.page_name()), (None, Some("AirSync")));
        assert_eq!(Tag { page: 3, token: 5 }.page_name(), None);
    }
}
