//! One's own: devices, passwords for them, links to add one, terms to accept.

use super::devices::{Caution, Changed, DeviceAct};
use super::terms::terms_of;
use crate::endpoint::{Endpoint, get, post};
use crate::language::Language;
use crate::my::qr;
use crate::openapi::{self, Ways};
use crate::principal::{Duty, Principal, Reach};
use crate::{Console, Refusal, api};
use dme_model::{DeviceId, Secret, UserId};
use dme_server::own::Given;
use dme_server::wipes::Hand;
use dme_store::{Admission, Device, Wipe};
use dme_sync::DeviceKey;
use http::StatusCode;
use std::net::IpAddr;

/// The longest name of a device, in characters.
const LABEL: usize = 60;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    let look = |path, summary| get(path, summary).duty(Duty::Own).reach(Reach::Oneself);
    let act = |path, summary| post(path, summary).duty(Duty::Own).reach(Reach::Oneself);
    vec![
        look("/api/my", "One's own devices, passwords for them, terms to accept")
            .by(|console, call| async move {
                console.own_page(&call.principal, Language::English).await
            }),
        look("/api/my/openapi.json", "What is asked for of one's own, as an OpenAPI 3.1 document")
            .by(|console, _| async move {
                let own = console.endpoints.iter().filter(|one| one.duty == Duty::Own);
                Ok(openapi::document(own, Ways::Own))
            }),
        look("/api/my/devices", "One's own devices")
            .by(|console, call| async move { console.own_devices(&call.principal).await }),
        act("/api/my/devices/{device}/label", "Call a device of one's own something else")
            .takes::<api::Label>()
            .by(|console, mut call| async move {
                let label = call.body()?;
                console.label_own_device(&call.principal, call.arg("device"), &label).await
            }),
        act("/api/my/devices/{device}/lost", "Block a lost device and have it erased")
            .takes::<api::Lost>()
            .by(|console, mut call| async move {
                let lost = call.body()?;
                console.lose_own_device(&call.principal, call.arg("device"), lost).await
            }),
        act("/api/my/devices/{device}/block", "Shut out a device of one's own").by(
            |console, call| async move {
                console.block_own_device(&call.principal, call.arg("device")).await
            },
        ),
        act("/api/my/devices/{device}/remove", "Forget a device that is not used any more").by(
            |console, call| async move {
                console.remove_own_device(&call.principal, call.arg("device")).await
            },
        ),
        look("/api/my/passwords", "The passwords one made for devices, without what they say")
            .by(|console, call| async move { console.own_passwords(&call.principal).await }),
        act("/api/my/passwords", "Make a password for one device; it is shown once")
            .takes::<api::Label>()
            .by(|console, mut call| async move {
                let label = call.body()?;
                console.make_own_password(&call.principal, &label).await
            }),
        act("/api/my/passwords/{number}/revoke", "Take a password for a device back").by(
            |console, call| async move {
                console.revoke_own_password(&call.principal, call.arg("number")).await
            },
        ),
        look("/api/my/certificates", "The certificates one made for devices")
            .by(|console, call| async move { console.own_certificates(&call.principal).await }),
        act("/api/my/certificates", "Make a certificate for one device; it is given once")
            .takes::<api::Label>()
            .by(|console, mut call| async move {
                let label = call.body()?;
                console.make_own_certificate(&call.principal, &label).await
            }),
        act("/api/my/certificates/{number}/revoke", "Take a certificate for a device back").by(
            |console, call| async move {
                console.revoke_own_certificate(&call.principal, call.arg("number")).await
            },
        ),
        act("/api/my/invitations", "Make a link to add a device with; it is shown once")
            .takes::<api::NewInvitation>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.invite_own_device(&call.principal, &new).await
            }),
        look("/api/my/away", "What one's mailbox answers, where that needs no password")
            .by(|console, call| async move { console.own_away(&call.principal, None).await }),
        act("/api/my/away/look", "What one's mailbox answers, where that needs the password")
            .takes::<api::Shown>()
            .by(|console, mut call| async move {
                let api::Shown { password } = call.body()?;
                console.own_away(&call.principal, Some(password)).await
            }),
        act("/api/my/away", "Say what one's mailbox answers while one is away")
            .takes::<api::NewAway>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.set_own_away(&call.principal, new).await
            }),
        act("/api/my/terms/{version}/accept", "Accept terms of use").by(
            |console, call| async move {
                let (version, client) = (call.arg("version"), call.client);
                console.accept_own_terms(&call.principal, version, client).await
            },
        ),
    ]
}

/// Whose own it is.
pub(super) fn oneself(principal: &Principal) -> Result<&UserId, Refusal> {
    principal.user.as_ref().ok_or_else(|| Refusal::barred("users-only", ""))
}

/// A name that a person gave.
pub(super) fn label(given: &str) -> Result<String, Refusal> {
    let label = given.trim();
    if label.is_empty() || label.chars().count() > LABEL || label.chars().any(char::is_control) {
        let words = format!("a name is wanted, of at most {LABEL} characters");
        return Err(Refusal::bad(words).said("my-no-name", LABEL.to_string()));
    }
    Ok(label.to_owned())
}

impl Console {
    /// What one has, with what cannot be told in this language.
    pub(crate) async fn own_page(
        &self,
        principal: &Principal,
        language: Language,
    ) -> Result<api::Own, Refusal> {
        let user = oneself(principal)?;
        let own = &self.front.own;
        let opening = self.front.opening(user).await;
        let no_passwords = own.may_have_passwords(user, &opening).err();
        let no_certificates = own.may_have_certificates(user, &opening).err();
        let certificates = own.device_certificates_of(user);
        let terms = own.pending_terms(user).await?;
        Ok(api::Own {
            user: user.to_string(),
            devices: self.own_devices(principal).await?,
            passwords: self.passwords_of_user(user).await?,
            no_passwords: no_passwords.map(|why| Refusal::from(why).words_in(language)),
            passwords_required: own.device_passwords_of(user).are_required(),
            certificates: self.certificates_of_user(user).await?,
            no_certificates: no_certificates.map(|why| Refusal::from(why).words_in(language)),
            certificates_required: certificates.are_required(),
            certificates_suffice: certificates.suffice(),
            mail_needs_password: opening.map_or(true, |opening| opening.mail_needs_password()),
            device_wipe: own.config.device_wipe,
            terms: terms.map(terms_of),
        })
    }

    pub(crate) async fn own_devices(
        &self,
        principal: &Principal,
    ) -> Result<Vec<api::OwnDevice>, Refusal> {
        let user = oneself(principal)?;
        let labels = self.front.store.device_labels(user).await?;
        let mut devices = self.front.store.devices(Some(user)).await?;
        devices.sort_by_key(|device| std::cmp::Reverse(device.last_seen));
        let own = devices.iter().map(|device| {
            let shown = self.device(device);
            let said = |name: &str| {
                let said = shown.information.get(name).and_then(|value| value.as_str());
                said.filter(|said| !said.is_empty()).map(str::to_owned)
            };
            let model = said("model").unwrap_or_else(|| device.device_type.clone());
            let label = labels.get(&device.key.device).cloned();
            api::OwnDevice {
                label: label.or_else(|| said("friendly_name")).unwrap_or_else(|| model.clone()),
                os: said("os"),
                model,
                device: shown.device,
                first_seen: shown.first_seen,
                last_seen: shown.last_seen,
                admission: shown.admission,
                wipe: shown.wipe,
            }
        });
        Ok(own.collect())
    }

    /// The principal's own device of this id.
    async fn own_device(&self, principal: &Principal, device: &str) -> Result<Device, Refusal> {
        let key = DeviceKey { user: oneself(principal)?.clone(), device: DeviceId::from(device) };
        let found = self.front.store.device(&key).await?;
        found.ok_or_else(|| Refusal::lacks("no-device-of-yours", device))
    }

    pub(crate) async fn label_own_device(
        &self,
        principal: &Principal,
        device: &str,
        new: &api::Label,
    ) -> Result<Vec<api::OwnDevice>, Refusal> {
        let device = self.own_device(principal, device).await?;
        self.front.store.label_device(&device.key, &label(&new.label)?).await?;
        self.own_devices(principal).await
    }

    /// Shuts a device out and has the account on it erased, or all of it. Its password stays until
    /// it is wiped: it is told only after a login.
    pub(crate) async fn lose_own_device(
        &self,
        principal: &Principal,
        device: &str,
        lost: api::Lost,
    ) -> Result<api::DeviceLost, Refusal> {
        let Device { key, .. } = self.own_device(principal, device).await?;
        let act = match lost.whole {
            true if !self.front.own.config.device_wipe => {
                let words =
                    "whole devices are erased by administrators only; the account can be erased";
                return Err(Refusal::forbidden(words).said("my-not-whole", ""));
            }
            true => DeviceAct::Wipe,
            false => DeviceAct::WipeAccount,
        };
        let (user, device) = (key.user.as_str(), key.device.as_str());
        let hand = Hand::Owner(&principal.name);
        self.change_device(user, device, DeviceAct::Block, hand).await?;
        let Changed { device, caution } = self.change_device(user, device, act, hand).await?;
        let doubtful = caution.map(|caution| match caution {
            Caution::Second(_) => "second_person",
            Caution::TooOld => "not",
            Caution::NoLogin(_) => "no_login",
        });
        Ok(api::DeviceLost {
            device,
            erasure: doubtful.unwrap_or("next_contact").to_owned(),
            // Pages have words of their own for it.
            warning: doubtful.map(|word| Language::English.word("lost", word)),
        })
    }

    pub(crate) async fn block_own_device(
        &self,
        principal: &Principal,
        device: &str,
    ) -> Result<api::DeviceChanged, Refusal> {
        let Device { key, .. } = self.own_device(principal, device).await?;
        let (user, device) = (key.user.as_str(), key.device.as_str());
        let hand = Hand::Owner(&principal.name);
        let changed = self.change_device(user, device, DeviceAct::Block, hand).await?;
        Ok(changed.told(Language::English))
    }

    /// Forgets a device, and takes back the password and the certificate that are bound to it. One that is blocked or to
    /// be wiped stays known: else it could come again as a new one.
    pub(crate) async fn remove_own_device(
        &self,
        principal: &Principal,
        device: &str,
    ) -> Result<api::DeviceChanged, Refusal> {
        let device = self.own_device(principal, device).await?;
        let is_wiped = matches!(device.wipe, Wipe::Acknowledged { .. });
        if device.admission != Admission::Allowed && !is_wiped {
            let words =
                "a device that is blocked, waits or is to be erased is removed by an administrator";
            return Err(Refusal::new(StatusCode::CONFLICT, words).said("my-not-removed", ""));
        }
        let (user, id) = (device.key.user.as_str(), device.key.device.as_str());
        let hand = Hand::Owner(&principal.name);
        let changed = self.change_device(user, id, DeviceAct::Remove, hand).await?;
        Ok(changed.told(Language::English))
    }

    pub(crate) async fn invite_own_device(
        &self,
        principal: &Principal,
        new: &api::NewInvitation,
    ) -> Result<api::Invitation, Refusal> {
        let user = oneself(principal)?;
        let label = label(&new.label)?;
        if new.with_password {
            self.front.may_have_device_passwords(user).await?;
        }
        if new.with_certificate {
            self.front.may_have_device_certificates(user).await?;
        }
        let suffices = self.front.own.device_certificates_of(user).suffice();
        let certificate = new.with_certificate;
        // Nobody types a password that nobody asks for.
        let given =
            Given { password: new.with_password && !(certificate && suffices), certificate };
        let secret = self.front.own.invite(user, &label, given).await?;
        let link = self.invitation_link(&secret);
        let expires = (self.front.clock)().plus(self.front.own.config.link_life.0);
        Ok(api::Invitation { qr: qr::svg(&link)?, link, expires: expires.as_seconds() })
    }

    fn invitation_link(&self, secret: &Secret) -> String {
        format!("https://{}/my/add/{}", self.front.host, secret.expose())
    }

    pub(crate) async fn accept_own_terms(
        &self,
        principal: &Principal,
        version: &str,
        client: IpAddr,
    ) -> Result<api::Own, Refusal> {
        let user = oneself(principal)?;
        let pending = self.front.own.pending_terms(user).await?;
        let is_meant = |terms: &dme_store::Terms| terms.version.to_string() == version;
        let Some(terms) = pending.filter(is_meant) else {
            let words =
                format!("version {version} is not what is to be accepted: load the page again");
            return Err(Refusal::new(StatusCode::CONFLICT, words).said("my-other-terms", ""));
        };
        self.front.accept_terms(user, terms.version, client).await?;
        self.own_page(principal, Language::English).await
    }
}
