//! Provision: the policy's download and acknowledgement, and the order to wipe (MS-ASPROV 2.2.2.44).
//!
//! Two phases. The phone asks for the policy and gets it with a temporary key; it says how it
//! applied it and gets the key that later requests must carry. An order to wipe comes in the answer
//! to either, and the phone acknowledges it in a request of its own.

mod policy;

#[cfg(test)]
mod tests;

pub use policy::{ApplicationHashes, ApplicationNames, Bluetooth, Policy};

use crate::codes::codes;
use crate::fields::{Children, Fields};
use crate::settings::{self, DeviceInformation};
use crate::status::statuses;
use crate::{Error, ProtocolVersion};
use dme_wbxml::pages::provision as p;
use dme_wbxml::pages::settings as s;
use dme_wbxml::{Element, Tag};

/// `PolicyType` (MS-ASPROV 2.2.2.43).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PolicyType {
    /// `MS-EAS-Provisioning-WBXML`, the only one from 12.0 on.
    Wbxml,
    /// Another; it is answered with [`PolicyStatus::UnknownType`].
    Unknown(String),
}

impl PolicyType {
    const WBXML: &str = "MS-EAS-Provisioning-WBXML";

    fn from_text(text: &str) -> Self {
        if text == Self::WBXML { Self::Wbxml } else { Self::Unknown(text.to_owned()) }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Wbxml => Self::WBXML,
            Self::Unknown(text) => text,
        }
    }
}

codes! {
    /// How the phone applied the policy (MS-ASPROV 2.2.2.54.1, request).
    Applied {
        /// Wholly.
        Fully = 1,
        /// In part, but the password at least.
        Partly = 2,
        /// Not at all.
        Not = 3,
        /// The phone says that another management provisioned it.
        ByOthers = 4,
    }
}

codes! {
    /// The status of a policy (MS-ASPROV 2.2.2.54.1, response).
    PolicyStatus {
        /// Here it is, or: acknowledgement taken.
        Success = 1,
        /// There is none for this phone.
        NoPolicy = 2,
        /// The `PolicyType` is not known.
        UnknownType = 3,
        /// The policy on the server is damaged.
        Corrupt = 4,
        /// The acknowledgement is for another key.
        WrongKey = 5,
    }
}

statuses! {
    /// The status of the command (MS-ASPROV 2.2.2.54.2).
    pub enum Status {
        /// Done.
        Success = 1,
        /// The request broke the protocol.
        ProtocolError = 2,
        /// The server failed.
        ServerError = 3,
    }
}

codes! {
    /// How a wipe went (MS-ASPROV 2.2.2.54.3).
    Wiped {
        /// The phone is going to be wiped.
        Success = 1,
        /// It could not.
        Failed = 2,
    }
}

/// Which wipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wipe {
    /// The whole device, to factory settings (`RemoteWipe`).
    Device,
    /// Only what came from this server (`AccountOnlyRemoteWipe`, 16.1).
    Account,
}

impl Wipe {
    fn tag(self) -> Tag {
        match self {
            Self::Device => p::REMOTE_WIPE,
            Self::Account => p::ACCOUNT_ONLY_REMOTE_WIPE,
        }
    }

    fn of(element: &Element) -> Option<(Self, &Element)> {
        [Self::Device, Self::Account]
            .into_iter()
            .find_map(|wipe| element.child(wipe.tag()).map(|child| (wipe, child)))
    }
}

/// What the phone says of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PolicyRequest {
    /// First phase: send it.
    Download {
        /// In which form.
        policy_type: PolicyType,
    },
    /// Second phase: this is how it was applied.
    Acknowledge {
        /// In which form.
        policy_type: PolicyType,
        /// The temporary key it came with.
        key: u32,
        /// How it was applied.
        applied: Applied,
    },
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// What the device is; with the first phase, 14.1 on.
    pub device: Option<DeviceInformation>,
    /// Policy asked for or acknowledged. None in answer to an order to wipe.
    pub policy: Option<PolicyRequest>,
    /// An order to wipe is acknowledged.
    pub wiped: Option<(Wipe, Wiped)>,
}

impl Request {
    /// The first phase.
    pub fn download(device: Option<DeviceInformation>) -> Self {
        let policy = PolicyRequest::Download { policy_type: PolicyType::Wbxml };
        Self { device, policy: Some(policy), wiped: None }
    }

    /// The second phase.
    pub fn acknowledge(key: u32, applied: Applied) -> Self {
        let policy_type = PolicyType::Wbxml;
        let policy = PolicyRequest::Acknowledge { policy_type, key, applied };
        Self { device: None, policy: Some(policy), wiped: None }
    }

    /// The acknowledgement of an order to wipe.
    pub fn wiped(wipe: Wipe, outcome: Wiped) -> Self {
        Self { wiped: Some((wipe, outcome)), ..Self::default() }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not a Provision element, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self, Error> {
        element.expect_tag(p::PROVISION)?;
        let device = element.child(s::DEVICE_INFORMATION).and_then(|device| device.child(s::SET));
        let device = device.map(DeviceInformation::from_element);
        let policy = match element.child(p::POLICIES).and_then(|all| all.child(p::POLICY)) {
            Some(policy) => Some(Self::policy_from(policy)?),
            None => None,
        };
        let wiped = match Wipe::of(element) {
            Some((wipe, child)) => {
                Some((wipe, Wiped::from_code(child.required_number(p::STATUS)?)))
            }
            None => None,
        };
        Ok(Self { device, policy, wiped })
    }

    fn policy_from(policy: &Element) -> Result<PolicyRequest, Error> {
        let policy_type = PolicyType::from_text(policy.required_text(p::POLICY_TYPE)?);
        let key: Option<u32> = policy.number_of(p::POLICY_KEY)?;
        let status: Option<u16> = policy.number_of(p::STATUS)?;
        Ok(match (key, status) {
            (Some(key), Some(status)) => {
                let applied = Applied::from_code(status);
                PolicyRequest::Acknowledge { policy_type, key, applied }
            }
            _ => PolicyRequest::Download { policy_type },
        })
    }

    /// The element for a version; the device information is left out before 14.1.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        if let Some(device) = &self.device
            && version >= ProtocolVersion::V14_1
        {
            let set = device.to_element(s::SET, version);
            children.push(Element::parent(s::DEVICE_INFORMATION, vec![set]));
        }
        if let Some(policy) = &self.policy {
            let mut within = Vec::new();
            match policy {
                PolicyRequest::Download { policy_type } => {
                    within.put(p::POLICY_TYPE, policy_type.as_str());
                }
                PolicyRequest::Acknowledge { policy_type, key, applied } => {
                    within.put(p::POLICY_TYPE, policy_type.as_str());
                    within.put(p::POLICY_KEY, key.to_string());
                    within.put_number(p::STATUS, applied.code());
                }
            }
            let policy = Element::parent(p::POLICY, within);
            children.push(Element::parent(p::POLICIES, vec![policy]));
        }
        if let Some((wipe, outcome)) = self.wiped {
            let status = Element::text(p::STATUS, outcome.code().to_string());
            children.push(Element::parent(wipe.tag(), vec![status]));
        }
        Element::parent(p::PROVISION, children)
    }
}

/// The policy's part of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyAnswer {
    /// In the form asked for.
    pub policy_type: PolicyType,
    /// Its status.
    pub status: PolicyStatus,
    /// The temporary key in the first phase, the final one in the second.
    pub key: Option<u32>,
    /// The policy, in the first phase.
    pub policy: Option<Box<Policy>>,
}

/// The server's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status of the device information, where the request had it.
    pub device: Option<settings::Status>,
    /// The status of the command.
    pub status: Status,
    /// The policy.
    pub policy: Option<PolicyAnswer>,
    /// An order to wipe.
    pub wipe: Option<Wipe>,
}

impl Response {
    /// An answer of a status alone.
    pub fn status(status: Status) -> Self {
        Self { device: None, status, policy: None, wipe: None }
    }

    /// The first phase's answer: the policy and its temporary key.
    pub fn policy(key: u32, policy: Policy) -> Self {
        let policy = PolicyAnswer {
            policy_type: PolicyType::Wbxml,
            status: PolicyStatus::Success,
            key: Some(key),
            policy: Some(Box::new(policy)),
        };
        Self { policy: Some(policy), ..Self::status(Status::Success) }
    }

    /// The second phase's answer: the key to use from now on.
    pub fn acknowledged(key: u32) -> Self {
        let policy = PolicyAnswer {
            policy_type: PolicyType::Wbxml,
            status: PolicyStatus::Success,
            key: Some(key),
            policy: None,
        };
        Self { policy: Some(policy), ..Self::status(Status::Success) }
    }

    /// The answer to a policy request that cannot be met.
    pub fn refused(policy_type: PolicyType, status: PolicyStatus) -> Self {
        let policy = PolicyAnswer { policy_type, status, key: None, policy: None };
        Self { policy: Some(policy), ..Self::status(Status::Success) }
    }

    /// An order to wipe.
    pub fn wipe(wipe: Wipe) -> Self {
        Self { wipe: Some(wipe), ..Self::status(Status::Success) }
    }

    /// The element for a version. An order to wipe the account only is left out before 16.1, which
    /// does not know it: it must never turn into one to wipe the device, so the caller refuses
    /// such a phone instead.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        if let Some(status) = self.device
            && version >= ProtocolVersion::V14_1
        {
            let status = Element::text(s::STATUS, status.code().to_string());
            children.push(Element::parent(s::DEVICE_INFORMATION, vec![status]));
        }
        children.put_number(p::STATUS, self.status.code());
        if let Some(answer) = &self.policy {
            let mut within = vec![
                Element::text(p::POLICY_TYPE, answer.policy_type.as_str()),
                Element::text(p::STATUS, answer.status.code().to_string()),
            ];
            if let Some(key) = answer.key {
                within.put(p::POLICY_KEY, key.to_string());
            }
            if let Some(policy) = &answer.policy {
                within.push(Element::parent(p::DATA, vec![policy.to_element()]));
            }
            let policy = Element::parent(p::POLICY, within);
            children.push(Element::parent(p::POLICIES, vec![policy]));
        }
        match self.wipe {
            Some(Wipe::Account) if version < ProtocolVersion::V16_1 => {}
            Some(wipe) => children.push(Element::empty(wipe.tag())),
            None => {}
        }
        Element::parent(p::PROVISION, children)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is not a Provision element with a status, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self, Error> {
        element.expect_tag(p::PROVISION)?;
        let device = match element.child(s::DEVICE_INFORMATION) {
            Some(device) => device.number_of(s::STATUS)?.map(settings::Status::from_code),
            None => None,
        };
        let policy = match element.child(p::POLICIES).and_then(|all| all.child(p::POLICY)) {
            Some(policy) => Some(Self::policy_from(policy)?),
            None => None,
        };
        Ok(Self {
            device,
            status: Status::from_code(element.required_number(p::STATUS)?),
            policy,
            wipe: Wipe::of(element).map(|(wipe, _)| wipe),
        })
    }

    fn policy_from(element: &Element) -> Result<PolicyAnswer, Error> {
        let document = element.child(p::DATA).and_then(|data| data.child(p::EAS_PROVISION_DOC));
        let policy = match document {
            Some(document) => Some(Box::new(Policy::from_element(document)?)),
            None => None,
        };
        Ok(PolicyAnswer {
            policy_type: PolicyType::from_text(element.required_text(p::POLICY_TYPE)?),
            status: PolicyStatus::from_code(element.required_number(p::STATUS)?),
            key: element.number_of(p::POLICY_KEY)?,
            policy,
        })
    }
}
