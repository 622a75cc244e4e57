//! A person in an address book in neutral form: what JSContact's `Card` (RFC 9553) has that phones
//! have a place for.
//!
//! A phone knows a person as some seventy single fields, most of them texts; so they are kept, each
//! by its name.

use crate::patch::{Fields, Patch};
use crate::{BodyKind, Date, Text};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// A field of a contact that is one text (MS-ASCNTC 2.2.2).
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum ContactText {
            $($(#[$doc])* $name,)+
        }

        impl ContactText {
            /// Every one, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

texts! {
    /// First name.
    FirstName,
    /// Middle names.
    MiddleName,
    /// Last name.
    LastName,
    /// Before the name: Dr.
    Title,
    /// After the name: jr.
    Suffix,
    /// What friends say.
    NickName,
    /// Under which the person is listed.
    FileAs,
    /// The first name as it is spoken.
    YomiFirstName,
    /// The last name as it is spoken.
    YomiLastName,
    /// The company's name as it is spoken.
    YomiCompanyName,
    /// Company.
    CompanyName,
    /// Department.
    Department,
    /// Position.
    JobTitle,
    /// Where the office is.
    OfficeLocation,
    /// The assistant's name.
    AssistantName,
    /// The assistant's telephone.
    AssistantPhone,
    /// The manager's name.
    ManagerName,
    /// Husband or wife.
    Spouse,
    /// The first mail address.
    Email1,
    /// The second.
    Email2,
    /// The third.
    Email3,
    /// The first address for instant messages.
    Im1,
    /// The second.
    Im2,
    /// The third.
    Im3,
    /// Telephone at work.
    BusinessPhone,
    /// Another one there.
    BusinessPhone2,
    /// Fax at work.
    BusinessFax,
    /// Telephone at home.
    HomePhone,
    /// Another one there.
    HomePhone2,
    /// Fax at home.
    HomeFax,
    /// Mobile telephone.
    MobilePhone,
    /// Telephone in the car.
    CarPhone,
    /// Radio telephone.
    RadioPhone,
    /// Pager.
    Pager,
    /// The company's main telephone.
    CompanyMainPhone,
    /// For multimedia messages.
    Mms,
    /// Address at work: street.
    BusinessStreet,
    /// Address at work: town.
    BusinessCity,
    /// Address at work: state.
    BusinessState,
    /// Address at work: postal code.
    BusinessPostalCode,
    /// Address at work: country.
    BusinessCountry,
    /// Address at home: street.
    HomeStreet,
    /// Address at home: town.
    HomeCity,
    /// Address at home: state.
    HomeState,
    /// Address at home: postal code.
    HomePostalCode,
    /// Address at home: country.
    HomeCountry,
    /// Another address: street.
    OtherStreet,
    /// Another address: town.
    OtherCity,
    /// Another address: state.
    OtherState,
    /// Another address: postal code.
    OtherPostalCode,
    /// Another address: country.
    OtherCountry,
    /// A page in the web.
    WebPage,
    /// Number as a customer.
    CustomerId,
    /// Number the state gave.
    GovernmentId,
    /// Account.
    AccountName,
    /// Rank among those a name may mean, set by the server (14.0 on).
    WeightedRank,
    /// Short name.
    Alias,
}

/// A picture of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Picture(
    /// The file, usually a JPEG.
    #[serde(with = "crate::base64_bytes")]
    pub Bytes,
);

/// One person.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// The same for all copies of the card (`UID`). Empty in a new one: then the backend makes one.
    pub uid: String,
    /// The texts; none is empty.
    pub texts: BTreeMap<ContactText, String>,
    /// Day of birth.
    pub birthday: Option<Date>,
    /// Wedding day.
    pub anniversary: Option<Date>,
    /// The user's categories.
    pub categories: Vec<String>,
    /// The children's names.
    pub children: Vec<String>,
    /// A picture.
    pub picture: Option<Picture>,
    /// The form the notes were written in.
    pub native: Option<BodyKind>,
    /// Notes.
    pub text: Option<Text>,
}

impl Contact {
    /// One of the texts; empty where it is not there.
    pub fn text_of(&self, which: ContactText) -> &str {
        self.texts.get(&which).map_or("", String::as_str)
    }

    /// Sets one of the texts; an empty one is taken out.
    pub fn set_text(&mut self, which: ContactText, text: &str) {
        if text.is_empty() {
            self.texts.remove(&which);
        } else {
            self.texts.insert(which, text.to_owned());
        }
    }
}

/// New values for some fields of a contact.
pub type ContactPatch = Patch<Contact>;

/// A field of a [`Contact`] that a phone can write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactField {
    /// [`Contact::uid`]; only counts for a new contact.
    Uid,
    /// One of [`Contact::texts`].
    Of(ContactText),
    /// [`Contact::birthday`].
    Birthday,
    /// [`Contact::anniversary`].
    Anniversary,
    /// [`Contact::categories`].
    Categories,
    /// [`Contact::children`].
    Children,
    /// [`Contact::picture`].
    Picture,
    /// [`Contact::text`] and [`Contact::native`].
    Text,
}

impl Fields for Contact {
    type Field = ContactField;

    fn fields() -> Vec<ContactField> {
        use ContactField::{Anniversary, Birthday, Categories, Children, Of, Picture, Text, Uid};
        let others = [Uid, Birthday, Anniversary, Categories, Children, Picture, Text];
        others.into_iter().chain(ContactText::ALL.iter().copied().map(Of)).collect()
    }

    fn same(&self, other: &Self, field: ContactField) -> bool {
        match field {
            ContactField::Uid => self.uid == other.uid,
            ContactField::Of(which) => self.text_of(which) == other.text_of(which),
            ContactField::Birthday => self.birthday == other.birthday,
            ContactField::Anniversary => self.anniversary == other.anniversary,
            ContactField::Categories => self.categories == other.categories,
            ContactField::Children => self.children == other.children,
            ContactField::Picture => self.picture == other.picture,
            ContactField::Text => self.text == other.text && self.native == other.native,
        }
    }

    fn take(&mut self, field: ContactField, from: &Self) {
        match field {
            ContactField::Uid => self.uid.clone_from(&from.uid),
            ContactField::Of(which) => self.set_text(which, from.text_of(which)),
            ContactField::Birthday => self.birthday = from.birthday,
            ContactField::Anniversary => self.anniversary = from.anniversary,
            ContactField::Categories => self.categories.clone_from(&from.categories),
            ContactField::Children => self.children.clone_from(&from.children),
            ContactField::Picture => self.picture.clone_from(&from.picture),
            ContactField::Text => {
                self.text.clone_from(&from.text);
                self.native = from.native;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_changes_what_it_names_and_empties_what_it_names_without_a_value() {
        let mut ann = Contact::default();
        ann.set_text(ContactText::FirstName, "Ann");
        ann.set_text(ContactText::Email1, "ann@corp.example");
        ann.birthday = Some(Date { year: None, month: 2, day: 29 });
        let mut wanted = Contact::default();
        wanted.set_text(ContactText::FirstName, "Anna");
        let fields =
            [ContactField::Of(ContactText::FirstName), ContactField::Of(ContactText::Email1)];
        ContactPatch::of(fields, wanted).apply(&mut ann);
        assert_eq!(ann.text_of(ContactText::FirstName), "Anna");
        assert_eq!(ann.text_of(ContactText::Email1), "");
        assert!(ann.birthday.is_some(), "what is not named stays");
    }

    #[test]
    fn a_patch_between_two_makes_the_one_of_the_other() {
        let before = Contact { categories: vec!["Friends".into()], ..Contact::default() };
        let mut after = Contact { categories: vec![], ..before.clone() };
        after.set_text(ContactText::LastName, "Lee");
        let patch = ContactPatch::between(&before, after.clone());
        assert_eq!(patch.fields.len(), 2);
        let mut made = before;
        patch.apply(&mut made);
        assert_eq!(made, after);
    }
}
