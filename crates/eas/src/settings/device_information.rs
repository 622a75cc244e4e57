//! What a phone says of itself: `DeviceInformation` (MS-ASCMD 2.2.3.45), in Settings and, from 14.1
//! on, in Provision.

use crate::ProtocolVersion;
use crate::fields::Children;
use dme_wbxml::pages::settings as s;
use dme_wbxml::{Element, Tag};

/// The longest value taken, in characters; the schema's own limit. Longer ones are cut.
const MAX_CHARS: usize = 1024;

/// What a phone says of itself. Nothing of it is checked by anyone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeviceInformation {
    /// `iPhone15,2`.
    pub model: Option<String>,
    /// The serial number of its radio.
    pub imei: Option<String>,
    /// The name its owner gave it.
    pub friendly_name: Option<String>,
    /// `iOS 19.1 23B81`.
    pub os: Option<String>,
    /// Language.
    pub os_language: Option<String>,
    /// Its telephone number.
    pub phone_number: Option<String>,
    /// The client's name and version.
    pub user_agent: Option<String>,
    /// Whether the server may send SMS through it (14.0 on).
    pub outbound_sms: Option<bool>,
    /// The network's name (14.0 on).
    pub mobile_operator: Option<String>,
}

impl DeviceInformation {
    /// From the `Set` element round it. Values of the wrong kind are passed over: a phone's
    /// boasting is no reason to refuse it.
    pub(crate) fn from_element(set: &Element) -> Self {
        let text = |tag: Tag| {
            let text = set.child_text(tag).map(str::trim).filter(|text| !text.is_empty());
            text.map(|text| text.chars().take(MAX_CHARS).collect::<String>())
        };
        Self {
            model: text(s::MODEL),
            imei: text(s::IMEI),
            friendly_name: text(s::FRIENDLY_NAME),
            os: text(s::OS),
            os_language: text(s::OS_LANGUAGE),
            phone_number: text(s::PHONE_NUMBER),
            user_agent: text(s::USER_AGENT),
            outbound_sms: text(s::ENABLE_OUTBOUND_SMS).map(|value| value == "1"),
            mobile_operator: text(s::MOBILE_OPERATOR),
        }
    }

    /// As the element of this tag (`Set`).
    pub(crate) fn to_element(&self, tag: Tag, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        let mut text = |tag: Tag, value: Option<&str>| {
            if let Some(value) = value {
                children.put(tag, value);
            }
        };
        text(s::MODEL, self.model.as_deref());
        text(s::IMEI, self.imei.as_deref());
        text(s::FRIENDLY_NAME, self.friendly_name.as_deref());
        text(s::OS, self.os.as_deref());
        text(s::OS_LANGUAGE, self.os_language.as_deref());
        text(s::PHONE_NUMBER, self.phone_number.as_deref());
        text(s::USER_AGENT, self.user_agent.as_deref());
        if version >= ProtocolVersion::V14_0 {
            text(s::ENABLE_OUTBOUND_SMS, self.outbound_sms.map(|on| if on { "1" } else { "0" }));
            text(s::MOBILE_OPERATOR, self.mobile_operator.as_deref());
        }
        Element::parent(tag, children)
    }
}
