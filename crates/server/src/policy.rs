//! The policy a phone is told to apply: from what holds for a device to what the protocol carries,
//! and from the configuration to the level it makes.

use crate::config::{PolicyConfig, PolicyMode};
use aws_lc_rs::digest;
use dme_eas::provision::{ApplicationHashes, ApplicationNames, Bluetooth, Policy};
use dme_policy::{Defined, Effective, Rules, Setting, Value};

/// The policy of a device and its revision, which changes with any of its settings.
#[derive(Clone, Debug)]
pub struct CurrentPolicy {
    /// Whether the device must take it.
    pub mode: PolicyMode,
    /// What it says.
    pub policy: Policy,
    /// Names what it says; never negative as a signed number.
    pub revision: u64,
    /// Whether it may be another one, as it is not known of every group whether the device is in
    /// it. A device that has acknowledged one is not asked again until then (rule A7).
    pub open: bool,
}

impl CurrentPolicy {
    /// From what holds for a device.
    pub fn of(effective: &Effective) -> Self {
        let mode = match word(effective, Setting::Enforcement).as_str() {
            "required" => PolicyMode::Required,
            "optional" => PolicyMode::Optional,
            _ => PolicyMode::Off,
        };
        let policy = to_protocol(effective);
        let described = digest::digest(&digest::SHA256, format!("{policy:?}").as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&described.as_ref()[..8]);
        let revision = u64::from_be_bytes(first) >> 1;
        Self { mode, policy, revision, open: !effective.open.is_empty() }
    }

    /// Whether attachments may be fetched.
    pub fn allows_attachments(&self) -> bool {
        self.policy.attachments || self.mode == PolicyMode::Off
    }
}

fn word(effective: &Effective, setting: Setting) -> String {
    match effective.value(setting) {
        Value::Choice(word) => word,
        _ => String::new(),
    }
}

fn to_protocol(effective: &Effective) -> Policy {
    use Setting as S;
    let on = |setting| effective.value(setting) == Value::Switch(true);
    let number = |setting| match effective.value(setting) {
        Value::Number(number) => Some(number),
        _ => None,
    };
    let small = |setting| number(setting).map(|number| u8::try_from(number).unwrap_or(u8::MAX));
    let size = |setting| match number(setting) {
        Some(kilobytes) => i32::try_from(kilobytes).unwrap_or(i32::MAX),
        None => -1,
    };
    let texts = |setting| match effective.value(setting) {
        Value::Texts(texts) => texts,
        _ => Vec::new(),
    };
    let word = |setting| word(effective, setting);
    Policy {
        password_enabled: on(S::DevicePasswordEnabled),
        alphanumeric_password: on(S::AlphanumericDevicePasswordRequired),
        password_recovery: on(S::PasswordRecoveryEnabled),
        storage_card_encryption: on(S::RequireStorageCardEncryption),
        attachments: on(S::AttachmentsEnabled),
        min_password_length: small(S::MinDevicePasswordLength)
            .filter(|_| on(S::DevicePasswordEnabled)),
        max_inactivity: number(S::MaxInactivityTimeDeviceLock),
        max_failed_attempts: small(S::MaxDevicePasswordFailedAttempts),
        max_attachment_size: number(S::MaxAttachmentSize),
        simple_password: on(S::AllowSimpleDevicePassword),
        password_expiration: number(S::DevicePasswordExpiration),
        password_history: number(S::DevicePasswordHistory).unwrap_or(0),
        storage_card: on(S::AllowStorageCard),
        camera: on(S::AllowCamera),
        device_encryption: on(S::RequireDeviceEncryption),
        unsigned_applications: on(S::AllowUnsignedApplications),
        unsigned_packages: on(S::AllowUnsignedInstallationPackages),
        min_complex_characters: small(S::MinDevicePasswordComplexCharacters).unwrap_or(1),
        wifi: on(S::AllowWiFi),
        text_messaging: on(S::AllowTextMessaging),
        pop_imap: on(S::AllowPOPIMAPEmail),
        bluetooth: match word(S::AllowBluetooth).as_str() {
            "forbidden" => Bluetooth::Forbidden,
            "hands-free" => Bluetooth::HandsFree,
            _ => Bluetooth::Allowed,
        },
        infrared: on(S::AllowIrDA),
        manual_sync_when_roaming: on(S::RequireManualSyncWhenRoaming),
        desktop_sync: on(S::AllowDesktopSync),
        max_calendar_age: match word(S::MaxCalendarAgeFilter).as_str() {
            "two-weeks" => 4,
            "one-month" => 5,
            "three-months" => 6,
            "six-months" => 7,
            _ => 0,
        },
        html_email: on(S::AllowHTMLEmail),
        max_email_age: match word(S::MaxEmailAgeFilter).as_str() {
            "one-day" => 1,
            "three-days" => 2,
            "one-week" => 3,
            "two-weeks" => 4,
            "one-month" => 5,
            _ => 0,
        },
        max_plain_body: size(S::MaxEmailBodyTruncationSize),
        max_html_body: size(S::MaxEmailHTMLBodyTruncationSize),
        signed_smime: on(S::RequireSignedSMIMEMessages),
        encrypted_smime: on(S::RequireEncryptedSMIMEMessages),
        signing_algorithm: u8::from(word(S::RequireSignedSMIMEAlgorithm) == "md5"),
        encryption_algorithm: match word(S::RequireEncryptionSMIMEAlgorithm).as_str() {
            "des" => 1,
            "rc2-128" => 2,
            "rc2-64" => 3,
            "rc2-40" => 4,
            _ => 0,
        },
        algorithm_negotiation: match word(S::AllowSMIMEEncryptionAlgorithmNegotiation).as_str() {
            "none" => 0,
            "strong" => 1,
            _ => 2,
        },
        soft_certificates: on(S::AllowSMIMESoftCerts),
        browser: on(S::AllowBrowser),
        consumer_email: on(S::AllowConsumerEmail),
        remote_desktop: on(S::AllowRemoteDesktop),
        internet_sharing: on(S::AllowInternetSharing),
        forbidden_applications: ApplicationNames(texts(S::UnapprovedInROMApplicationList)),
        approved_applications: ApplicationHashes(texts(S::ApprovedApplicationList)),
    }
}

/// What the configuration says of settings; its check keeps the values within their bounds.
pub fn configured(config: &PolicyConfig) -> Rules {
    let limit = |number: Option<u64>| match number {
        Some(number) => Value::Number(u32::try_from(number).unwrap_or(u32::MAX)),
        None => Value::NoLimit,
    };
    let mode = match config.mode {
        PolicyMode::Off => "off",
        PolicyMode::Optional => "optional",
        PolicyMode::Required => "required",
    };
    let values = [
        (Setting::Enforcement, Value::Choice(mode.to_owned())),
        (Setting::DevicePasswordEnabled, Value::Switch(config.password)),
        (Setting::MinDevicePasswordLength, Value::Number(config.password_length.into())),
        (Setting::AlphanumericDevicePasswordRequired, Value::Switch(config.alphanumeric)),
        (Setting::AllowSimpleDevicePassword, Value::Switch(config.simple_password)),
        (Setting::MaxDevicePasswordFailedAttempts, limit(config.failed_attempts.map(Into::into))),
        (
            Setting::MaxInactivityTimeDeviceLock,
            limit(config.lock_after.map(|after| after.0.as_secs())),
        ),
        (Setting::RequireDeviceEncryption, Value::Switch(config.encryption)),
        (Setting::AllowCamera, Value::Switch(config.camera)),
        (Setting::AttachmentsEnabled, Value::Switch(config.attachments)),
        (Setting::MaxAttachmentSize, limit(config.attachment_size.map(|size| size.0))),
    ];
    let defined = |value| Defined { value: Some(value), ..Defined::default() };
    values.into_iter().map(|(setting, value)| (setting, defined(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_policy::{Facts, Kind, Levels, Membership};

    fn current(configuration: &Rules) -> CurrentPolicy {
        let (user, device) = ("ann@example.org".into(), "d1".into());
        let facts = Facts {
            user: &user,
            device: &device,
            agent: "",
            device_type: "",
            protocol: "16.1",
            os: None,
            model: None,
            member: &|_| Membership::No,
        };
        CurrentPolicy::of(&Levels::default().effective(configuration, &facts, &Rules::new()))
    }

    #[test]
    fn what_nobody_sets_demands_nothing_and_every_setting_reaches_the_phone() {
        let plain = current(&Rules::new());
        assert_eq!((plain.mode, &plain.policy), (PolicyMode::Off, &Policy::default()));
        let password = |value: bool| {
            let value = Some(Value::Switch(value));
            (Setting::DevicePasswordEnabled, Defined { value, ..Defined::default() })
        };
        let without = current(&Rules::from([password(true)]));
        let mut seen = std::collections::BTreeSet::from([without.revision]);
        for setting in Setting::ALL {
            let other: Vec<Value> = match setting.kind() {
                Kind::Switch { unset } => vec![Value::Switch(!unset)],
                Kind::Number { most, .. } => vec![Value::Number(most.min(3000))],
                Kind::Choice { words, unset } => {
                    let others = words.iter().filter(|word| **word != unset);
                    others.map(|word| Value::Choice((*word).to_owned())).collect()
                }
                Kind::Texts => vec![Value::Texts(vec!["x".into()])],
            };
            for value in other {
                let mut rules = Rules::from([password(true)]);
                let defined = Defined { value: Some(value.clone()), ..Defined::default() };
                rules.insert(*setting, defined);
                let given = current(&rules);
                match setting {
                    Setting::Enforcement => assert_ne!(given.mode, PolicyMode::Off),
                    Setting::DevicePasswordEnabled => {}
                    _ => assert!(seen.insert(given.revision), "{setting} {value} is lost"),
                }
            }
        }
    }

    #[test]
    fn the_configuration_makes_the_policy_it_always_made() {
        let given = current(&configured(&PolicyConfig::default()));
        let expected = Policy {
            password_enabled: true,
            simple_password: false,
            min_password_length: Some(6),
            max_failed_attempts: Some(10),
            max_inactivity: Some(300),
            device_encryption: true,
            ..Policy::default()
        };
        assert_eq!(given.policy, expected);
        let none = PolicyConfig { password: false, ..PolicyConfig::default() };
        assert_eq!(current(&configured(&none)).policy.min_password_length, None);
    }
}
