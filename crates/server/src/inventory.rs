//! What a device told of itself (`DeviceInformation`, MS-ASCMD 2.2.3.45).

use dme_eas::settings::DeviceInformation;
use dme_policy::{Facts, Membership as Member};
use dme_store::Device;
use serde::{Deserialize, Serialize};

/// What a device told of itself. Nobody checks it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Inventory {
    /// Its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The serial number of its radio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imei: Option<String>,
    /// The name its owner gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    /// Its operating system and the system's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The language of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_language: Option<String>,
    /// Its telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// The client's name and version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The network's name (14.0 on).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile_operator: Option<String>,
    /// Whether SMS may be sent through it (14.0 on).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_sms: Option<bool>,
}

impl Inventory {
    /// What a device told so far; none where it told nothing.
    pub fn of(device: &Device) -> Option<Self> {
        let inventory: Self = serde_json::from_str(&device.information).ok()?;
        (inventory != Self::default()).then_some(inventory)
    }

    /// Why nothing is known of a device that told nothing.
    pub fn lacking(device: &Device) -> &'static str {
        match device.protocol.as_str() {
            "12.1" | "14.0" => {
                "the device has told nothing of itself: in its protocol version it may, by \
                 Settings, but need not"
            }
            _ => "the device has told nothing of itself yet",
        }
    }

    /// As the store keeps it.
    pub(crate) fn to_json(&self) -> String {
        // Texts always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<&DeviceInformation> for Inventory {
    fn from(told: &DeviceInformation) -> Self {
        Self {
            model: told.model.clone(),
            imei: told.imei.clone(),
            friendly_name: told.friendly_name.clone(),
            os: told.os.clone(),
            os_language: told.os_language.clone(),
            phone_number: told.phone_number.clone(),
            user_agent: told.user_agent.clone(),
            mobile_operator: told.mobile_operator.clone(),
            outbound_sms: told.outbound_sms,
        }
    }
}

/// What rules are judged by of a device. Of one that told something of itself all is known: what it
/// left out is empty.
pub(crate) fn facts<'a>(
    device: &'a Device,
    inventory: Option<&'a Inventory>,
    member: &'a (dyn Fn(&str) -> Member + Sync),
) -> Facts<'a> {
    Facts {
        user: &device.key.user,
        device: &device.key.device,
        agent: &device.user_agent,
        device_type: &device.device_type,
        protocol: &device.protocol,
        os: inventory.map(|told| told.os.as_deref().unwrap_or_default()),
        model: inventory.map(|told| told.model.as_deref().unwrap_or_default()),
        member,
    }
}
