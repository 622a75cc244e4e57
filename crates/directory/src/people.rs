//! People as their colleagues look for them: the address list.

mod album;
mod among;
mod relevance;

pub(crate) use album::Album;
pub use among::{Attached, find_among};
pub use relevance::{Rank, Relevance, Terms};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_model::UserId;
use serde::{Deserialize, Serialize};

/// What is looked for, and on whose behalf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeopleSearch {
    /// Who looks. What of the directory they may see is the directory's to decide.
    pub asking: UserId,
    /// A part of a name, an address or a telephone number; several words must all fit.
    pub text: String,
    /// How many of those who fit are passed over: those an earlier page had.
    pub first: u32,
    /// At most so many are given.
    pub limit: u32,
    /// What of them costs more than the rest.
    #[serde(default)]
    pub details: Details,
}

/// What is read of people only where somebody asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Their photos.
    pub photos: Option<PhotoLimits>,
    /// Their certificates.
    pub certificates: bool,
}

/// How much of photos is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PhotoLimits {
    /// Bytes of each.
    pub bytes: u32,
    /// Photos in all.
    pub count: u32,
}

/// Those who fit, the best first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PeopleFound {
    /// A page of them.
    pub entries: Vec<DirectoryEntry>,
    /// How many fit in all, as far as was looked.
    pub total: u32,
}

/// All whom somebody may see, or as many as were wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Everyone {
    /// They, without photos and certificates.
    pub entries: Vec<DirectoryEntry>,
    /// Whether there is nobody else.
    pub complete: bool,
}

/// Somebody or something that mail can be sent to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DirectoryEntry {
    /// What the directory knows it by, however it is renamed.
    pub id: String,
    /// What it is.
    pub kind: PersonKind,
    /// Its account in this realm, where it has one.
    pub user: Option<UserId>,
    /// The primary mail address.
    pub address: String,
    /// The name for people.
    pub display_name: Option<String>,
    /// The short name.
    pub alias: Option<String>,
    /// What else is known.
    pub card: Card,
    /// The photo, or why there is none; none of this where photos were not asked for.
    pub photo: Option<Photo>,
    /// Certificates as the directory has them (DER of RFC 5280, or of PKCS #7), where asked for.
    /// Whether they are good is not known.
    pub certificates: Vec<Binary>,
}

/// What an entry of the address list is.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// A human being.
    #[default]
    Person,
    /// Several: a distribution list.
    Group,
    /// A room that can be booked.
    Room,
    /// Equipment that can be booked.
    Resource,
}

/// What an address book says beside name and address.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The position.
    pub title: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// Where the office is.
    pub office: Option<String>,
    /// The office's telephone.
    pub phone: Option<String>,
    /// The mobile telephone.
    pub mobile_phone: Option<String>,
    /// The telephone at home.
    pub home_phone: Option<String>,
}

/// A photo that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Photo {
    /// Here it is, JPEG most often.
    Here(Binary),
    /// There is none.
    None,
    /// There is one, larger than wanted.
    TooLarge,
    /// There is one, but as many as wanted are given already.
    LimitReached,
}

/// Bytes, which are base64 where they cross a link.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Binary(pub Vec<u8>);

impl From<Binary> for String {
    fn from(bytes: Binary) -> Self {
        STANDARD.encode(bytes.0)
    }
}

impl TryFrom<String> for Binary {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

impl DirectoryEntry {
    /// The name to show: the address where there is none.
    pub fn name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.address)
    }

    /// Another number whenever anything that is shown has changed, photo and certificates aside.
    pub fn change_mark(&self) -> u64 {
        let card = &self.card;
        let fields = [
            Some(&self.address),
            self.display_name.as_ref(),
            self.alias.as_ref(),
            card.first_name.as_ref(),
            card.last_name.as_ref(),
            card.title.as_ref(),
            card.company.as_ref(),
            card.department.as_ref(),
            card.office.as_ref(),
            card.phone.as_ref(),
            card.mobile_phone.as_ref(),
            card.home_phone.as_ref(),
        ];
        let mut shown = vec![self.kind as u8];
        for field in fields {
            // A byte that no text has stands before each that is there, another where none is.
            shown.push(if field.is_some() { 0xFE } else { 0xFF });
            shown.extend(field.map(String::as_bytes).unwrap_or_default());
        }
        let hash = digest(&SHA256, &shown);
        hash.as_ref().iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_changes_with_what_is_shown_and_with_nothing_else() {
        let ann = DirectoryEntry {
            address: "ann@example.org".into(),
            card: Card { title: Some("Engineer".into()), ..Card::default() },
            ..DirectoryEntry::default()
        };
        let mark = ann.change_mark();
        let with_photo = DirectoryEntry { photo: Some(Photo::None), ..ann.clone() };
        assert_eq!(with_photo.change_mark(), mark);
        let moved = Card { company: Some("Engineer".into()), ..Card::default() };
        for changed in [
            DirectoryEntry { address: "anna@example.org".into(), ..ann.clone() },
            DirectoryEntry { kind: PersonKind::Room, ..ann.clone() },
            DirectoryEntry { card: moved, ..ann.clone() },
            DirectoryEntry { alias: Some(String::new()), ..ann.clone() },
        ] {
            assert_ne!(changed.change_mark(), mark, "{changed:?}");
        }
    }

    #[test]
    fn photos_cross_a_link_as_base64() {
        let entry = DirectoryEntry {
            photo: Some(Photo::Here(Binary(vec![0xFF, 0xD8, 0xFF]))),
            ..DirectoryEntry::default()
        };
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.contains("\"/9j/\""), "{text}");
        assert_eq!(serde_json::from_str::<DirectoryEntry>(&text).unwrap(), entry);
    }
}
