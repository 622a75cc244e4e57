//! A person of the directory, as Search and Find show one (MS-ASCMD, namespace `GAL`).

use crate::codes::codes;
use crate::error::Result;
use crate::fields::{Children, Fields};
use crate::validate_cert::binary;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_wbxml::pages::gal as g;
use dme_wbxml::{Element, Tag};

/// The largest picture read, in bytes.
const MAX_PICTURE: usize = 1024 * 1024;

codes! {
    /// Whether there is a picture.
    PictureStatus {
        /// Here it is.
        Success = 1,
        /// The person has none.
        None = 173,
        /// It is larger than wanted.
        TooLarge = 174,
        /// So many pictures as wanted are there already.
        LimitReached = 175,
    }
}

/// Limits of the pictures wanted, none where not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PictureLimits {
    /// Bytes of each.
    pub max_size: Option<u32>,
    /// Pictures in all.
    pub max_pictures: Option<u32>,
}

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// Name.
    pub display_name: Option<String>,
    /// Office telephone.
    pub phone: Option<String>,
    /// Where the office is.
    pub office: Option<String>,
    /// Position.
    pub title: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Short name.
    pub alias: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Telephone at home.
    pub home_phone: Option<String>,
    /// Mobile telephone.
    pub mobile_phone: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Picture, where asked for (14.1 on): its status, and the picture (JPEG).
    pub picture: Option<(PictureStatus, Option<Vec<u8>>)>,
}

impl Person {
    pub(crate) fn to_elements(&self) -> Vec<Element> {
        let mut children = Vec::new();
        for (tag, text) in [
            (g::DISPLAY_NAME, &self.display_name),
            (g::PHONE, &self.phone),
            (g::OFFICE, &self.office),
            (g::TITLE, &self.title),
            (g::COMPANY, &self.company),
            (g::ALIAS, &self.alias),
            (g::FIRST_NAME, &self.first_name),
            (g::LAST_NAME, &self.last_name),
            (g::HOME_PHONE, &self.home_phone),
            (g::MOBILE_PHONE, &self.mobile_phone),
            (g::EMAIL_ADDRESS, &self.email),
        ] {
            children.put_some(tag, text.as_deref());
        }
        if let Some((status, picture)) = &self.picture {
            let mut within = Vec::new();
            within.put_number(g::STATUS, status.code());
            within.put_some(g::DATA, picture.as_ref().map(|bytes| STANDARD.encode(bytes)));
            children.push(Element::parent(g::PICTURE, within));
        }
        children
    }

    pub(crate) fn from_element(properties: &Element) -> Result<Self> {
        let text = |tag: Tag| properties.text_of(tag).map(|text| text.map(str::to_owned));
        let picture = match properties.child(g::PICTURE) {
            Some(picture) => {
                let data = picture.child(g::DATA);
                let data = data.map(|data| binary(data, MAX_PICTURE)).transpose()?;
                Some((PictureStatus::from_code(picture.required_number(g::STATUS)?), data))
            }
            None => None,
        };
        Ok(Self {
            display_name: text(g::DISPLAY_NAME)?,
            phone: text(g::PHONE)?,
            office: text(g::OFFICE)?,
            title: text(g::TITLE)?,
            company: text(g::COMPANY)?,
            alias: text(g::ALIAS)?,
            first_name: text(g::FIRST_NAME)?,
            last_name: text(g::LAST_NAME)?,
            home_phone: text(g::HOME_PHONE)?,
            mobile_phone: text(g::MOBILE_PHONE)?,
            email: text(g::EMAIL_ADDRESS)?,
            picture,
        })
    }
}

impl PictureLimits {
    pub(crate) fn to_element(self, tag: Tag, max_size: Tag, max_pictures: Tag) -> Element {
        let mut children = Vec::new();
        children.put_some_number(max_size, self.max_size);
        children.put_some_number(max_pictures, self.max_pictures);
        Element::parent(tag, children)
    }

    pub(crate) fn from_element(
        element: &Element,
        max_size: Tag,
        max_pictures: Tag,
    ) -> Result<Self> {
        Ok(Self {
            max_size: element.number_of(max_size)?,
            max_pictures: element.number_of(max_pictures)?,
        })
    }
}
