//! A card as somebody in the address list.

use dme_dav::CardContent;
use dme_directory::{Binary, Card, DirectoryEntry, PersonKind};
use dme_model::{Contact, ContactText, ItemId};

/// Before the name of a card in the id of whoever is on it.
pub(super) const PREFIX: &str = "card:";

/// Somebody on a card, with what is shown only where it is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Listed {
    pub entry: DirectoryEntry,
    pub photo: Option<Vec<u8>>,
    pub certificates: Vec<Binary>,
}

impl Listed {
    /// None where the card has no mail address: to such a one nobody can write.
    pub fn of(name: &ItemId, content: CardContent) -> Option<Self> {
        let CardContent { contact, kind, keys } = content;
        let addresses = [ContactText::Email1, ContactText::Email2, ContactText::Email3];
        let address = addresses.into_iter().find_map(|which| text(&contact, which))?;
        let card = Card {
            first_name: text(&contact, ContactText::FirstName),
            last_name: text(&contact, ContactText::LastName),
            title: text(&contact, ContactText::JobTitle),
            company: text(&contact, ContactText::CompanyName),
            department: text(&contact, ContactText::Department),
            office: text(&contact, ContactText::OfficeLocation),
            phone: text(&contact, ContactText::BusinessPhone),
            mobile_phone: text(&contact, ContactText::MobilePhone),
            home_phone: text(&contact, ContactText::HomePhone),
        };
        let kind = match kind.as_deref() {
            Some("location") => PersonKind::Room,
            Some("device") => PersonKind::Resource,
            _ => PersonKind::Person,
        };
        let entry = DirectoryEntry {
            kind,
            id: format!("{PREFIX}{name}"),
            address,
            display_name: text(&contact, ContactText::FileAs),
            alias: text(&contact, ContactText::NickName),
            card,
            ..DirectoryEntry::default()
        };
        Some(Self {
            entry,
            photo: contact.picture.map(|picture| picture.0.to_vec()),
            certificates: keys.into_iter().map(Binary).collect(),
        })
    }

    /// Bytes of its photo and certificates.
    pub fn attached(&self) -> usize {
        let certificates = self.certificates.iter().map(|certificate| certificate.0.len());
        self.photo.as_ref().map_or(0, Vec::len) + certificates.sum::<usize>()
    }
}

fn text(contact: &Contact, which: ContactText) -> Option<String> {
    let text = contact.text_of(which).trim();
    (!text.is_empty()).then(|| text.to_owned())
}
