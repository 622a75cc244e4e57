//! Settings: out of office, the device's password and description, the user's addresses
//! (MS-ASCMD 2.2.1.18). One request may carry several; each is answered on its own.

mod device_information;
mod oof;
mod user_information;

#[cfg(test)]
mod tests;

pub use device_information::DeviceInformation;
pub use oof::{Audience, Oof, OofMessage, OofState, ReplyFormat};
pub use user_information::{Account, UserInformation};

use crate::fields::Fields;
use crate::status::statuses;
use crate::{Error, ProtocolVersion};
use dme_model::Secret;
use dme_wbxml::pages::rights_management as rm;
use dme_wbxml::pages::settings as s;
use dme_wbxml::{Element, Tag};

/// The longest recovery password, in characters (MS-ASCMD 2.2.3.131.2).
const MAX_PASSWORD: usize = 255;

statuses! {
    /// The status of the command, and of each setting (MS-ASCMD 2.2.3.177.15).
    pub enum Status {
        /// Done.
        Success = 1,
        /// The request broke the protocol.
        ProtocolError = 2,
        /// Not for this user (Oof, UserInformation, RightsManagementInformation).
        AccessDenied = 3,
        /// The server cannot now.
        ServerUnavailable = 4,
        /// An argument is wrong.
        InvalidArguments = 5,
        /// Arguments contradict each other.
        ConflictingArguments = 6,
        /// A policy forbids it (DevicePassword).
        DeniedByPolicy = 7,
    }
}

/// What is wanted of the out-of-office settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OofRequest {
    /// Tell them, replies in this form.
    Get {
        /// The form.
        format: ReplyFormat,
    },
    /// Change them.
    Set(Oof),
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// Out of office; an error where this one is wrong, which the others need not suffer for.
    pub oof: Option<Result<OofRequest, Error>>,
    /// The recovery password to keep; an empty one deletes what is kept.
    pub device_password: Option<Result<Secret, Error>>,
    /// What the phone says of itself.
    pub device_information: Option<DeviceInformation>,
    /// Whether the user's accounts are asked for.
    pub user_information: bool,
    /// Whether rights-management templates are asked for (14.1 on).
    pub rights_management: bool,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not a Settings element.
    pub fn from_element(element: &Element) -> Result<Self, Error> {
        element.expect_tag(s::SETTINGS)?;
        let password = element.child(s::DEVICE_PASSWORD).and_then(|setting| setting.child(s::SET));
        let device = element.child(s::DEVICE_INFORMATION).and_then(|device| device.child(s::SET));
        let asks = |tag: Tag| element.child(tag).is_some_and(|ask| ask.child(s::GET).is_some());
        Ok(Self {
            oof: element.child(s::OOF).map(Self::oof_from),
            device_password: password.map(Self::password_from),
            device_information: device.map(DeviceInformation::from_element),
            user_information: asks(s::USER_INFORMATION),
            rights_management: asks(s::RIGHTS_MANAGEMENT_INFORMATION),
        })
    }

    fn oof_from(oof: &Element) -> Result<OofRequest, Error> {
        if let Some(set) = oof.child(s::SET) {
            return Ok(OofRequest::Set(Oof::from_element(set)?));
        }
        let get = oof.required(s::GET)?;
        let format = ReplyFormat::from_text(get.required_text(s::BODY_TYPE)?)?;
        Ok(OofRequest::Get { format })
    }

    fn password_from(set: &Element) -> Result<Secret, Error> {
        let text = set.text_of(s::PASSWORD)?.unwrap_or_default();
        if text.chars().count() > MAX_PASSWORD {
            let expected = "at most 255 characters";
            return Err(Error::Value { element: s::PASSWORD, expected });
        }
        Ok(Secret::new(text))
    }

    /// The element for a version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        if self.rights_management && version >= ProtocolVersion::V14_1 {
            let get = Element::empty(s::GET);
            children.push(Element::parent(s::RIGHTS_MANAGEMENT_INFORMATION, vec![get]));
        }
        if let Some(Ok(oof)) = &self.oof {
            let within = match oof {
                OofRequest::Get { format } => {
                    let format = Element::text(s::BODY_TYPE, format.as_str());
                    Element::parent(s::GET, vec![format])
                }
                OofRequest::Set(oof) => oof.to_element(s::SET),
            };
            children.push(Element::parent(s::OOF, vec![within]));
        }
        if let Some(Ok(password)) = &self.device_password {
            let password = Element::text(s::PASSWORD, password.expose());
            let set = Element::parent(s::SET, vec![password]);
            children.push(Element::parent(s::DEVICE_PASSWORD, vec![set]));
        }
        if let Some(device) = &self.device_information {
            let set = device.to_element(s::SET, version);
            children.push(Element::parent(s::DEVICE_INFORMATION, vec![set]));
        }
        if self.user_information {
            let get = Element::empty(s::GET);
            children.push(Element::parent(s::USER_INFORMATION, vec![get]));
        }
        Element::parent(s::SETTINGS, children)
    }
}

/// The server's answer: for each setting of the request its status and what was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status of the command; where it is not `Success` nothing else is sent.
    pub status: Status,
    /// Out of office; the settings after a successful `Get`.
    pub oof: Option<(Status, Option<Oof>)>,
    /// The device's description.
    pub device_information: Option<Status>,
    /// The recovery password.
    pub device_password: Option<Status>,
    /// The user's accounts.
    pub user_information: Option<(Status, Option<UserInformation>)>,
    /// Rights management; successful with no template in it, as none is offered.
    pub rights_management: Option<Status>,
}

impl Response {
    /// An answer of a status alone.
    pub fn status(status: Status) -> Self {
        Self {
            status,
            oof: None,
            device_information: None,
            device_password: None,
            user_information: None,
            rights_management: None,
        }
    }

    /// The element for a version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = vec![status_element(self.status)];
        let mut push = |tag: Tag, status: Status, get: Option<Element>| {
            let within = [Some(status_element(status)), get].into_iter().flatten().collect();
            children.push(Element::parent(tag, within));
        };
        if let Some((status, oof)) = &self.oof {
            push(s::OOF, *status, oof.as_ref().map(|oof| oof.to_element(s::GET)));
        }
        if let Some(status) = self.device_information {
            push(s::DEVICE_INFORMATION, status, None);
        }
        if let Some(status) = self.device_password {
            push(s::DEVICE_PASSWORD, status, None);
        }
        if let Some((status, user)) = &self.user_information {
            let get = user.as_ref().map(|user| user.to_element(s::GET, version));
            push(s::USER_INFORMATION, *status, get);
        }
        if let Some(status) = self.rights_management {
            let templates = Element::empty(rm::RIGHTS_MANAGEMENT_TEMPLATES);
            let get = Element::parent(s::GET, vec![templates]);
            push(s::RIGHTS_MANAGEMENT_INFORMATION, status, Some(get));
        }
        Element::parent(s::SETTINGS, children)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is not a Settings element with a status, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self, Error> {
        element.expect_tag(s::SETTINGS)?;
        let status = |tag: Tag| -> Result<Option<Status>, Error> {
            let Some(setting) = element.child(tag) else { return Ok(None) };
            Ok(Some(Status::from_code(setting.required_number(s::STATUS)?)))
        };
        let get = |tag: Tag| element.child(tag).and_then(|setting| setting.child(s::GET));
        let oof = match status(s::OOF)? {
            Some(status) => Some((status, get(s::OOF).map(Oof::from_element).transpose()?)),
            None => None,
        };
        let user_information = match status(s::USER_INFORMATION)? {
            Some(status) => {
                let user = get(s::USER_INFORMATION).map(UserInformation::from_element);
                Some((status, user.transpose()?))
            }
            None => None,
        };
        Ok(Self {
            status: Status::from_code(element.required_number(s::STATUS)?),
            oof,
            device_information: status(s::DEVICE_INFORMATION)?,
            device_password: status(s::DEVICE_PASSWORD)?,
            user_information,
            rights_management: status(s::RIGHTS_MANAGEMENT_INFORMATION)?,
        })
    }
}

fn status_element(status: Status) -> Element {
    Element::text(s::STATUS, status.code().to_string())
}
