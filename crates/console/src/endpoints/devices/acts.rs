//! What is done to a device.

use crate::language::Language;
use crate::{Console, Refusal, api};
use dme_directory::{Access, DirectoryService, Reason, Right, Standing};
use dme_eas::ProtocolVersion;
use dme_model::UserId;
use dme_server::elsewhere::Whereabouts;
use dme_server::records::audit::changed;
use dme_server::wipes::Hand;
use dme_store::{Admission, Device, Order, WipeKind};
use dme_sync::StateStore;

/// What is done to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DeviceAct {
    Allow,
    Quarantine,
    Block,
    /// The whole device.
    Wipe,
    /// The account on it.
    WipeAccount,
    /// Called off.
    Unwipe,
    /// It is sent everything again.
    Resync,
    /// Forgotten.
    Remove,
}

/// What became of a device.
pub(crate) struct Changed {
    /// As it is now; none where it was forgotten.
    pub device: Option<api::Device>,
    pub caution: Option<Caution>,
}

/// Why a wipe that was ordered may not come about.
pub(crate) enum Caution {
    /// The order of this number waits for another administrator.
    Second(u64),
    /// The device's protocol has no words for it: it is shut out, and keeps what it has.
    TooOld,
    /// It is told after a login, and nobody can log in; why not.
    NoLogin(NoLogin),
}

/// Why no phone of a user gets in.
pub(crate) enum NoLogin {
    /// The directory does not have the user.
    Unknown,
    /// The user may not.
    Refused(Reason),
    /// It cannot be told.
    Unclear(dme_directory::Error),
}

impl Caution {
    /// For administrators.
    fn words(&self, language: Language) -> String {
        match self {
            Self::Second(number) => language.of("warn-second", &number.to_string()),
            Self::TooOld => language.text("warn-no-words", &[]),
            Self::NoLogin(why) => language.of("warn-no-login", &why.words(language)),
        }
    }
}

impl NoLogin {
    fn words(&self, language: Language) -> String {
        match self {
            Self::Unknown => language.text("user-not-there", &[]),
            Self::Refused(reason) => language.reason(reason),
            Self::Unclear(error) => language.unanswered(error),
        }
    }
}

impl Changed {
    /// What is answered.
    pub fn told(self, language: Language) -> api::DeviceChanged {
        let warning = self.caution.map(|caution| caution.words(language));
        api::DeviceChanged { device: self.device, warning }
    }
}

impl Console {
    pub(crate) async fn change_device(
        &self,
        user: &str,
        device: &str,
        act: DeviceAct,
        hand: Hand<'_>,
    ) -> Result<Changed, Refusal> {
        let by = hand.name();
        let key = self.key(user, device).await?;
        let store = &self.front.store;
        let at = (self.front.clock)();
        let before = store.device(&key).await?;
        let front = &self.front;
        let wipe = async |kind| {
            let order = front.wipes.order(&key, kind, hand, at).await?;
            Ok::<_, Refusal>(order.record.waits_for_second().then_some(order.number))
        };
        let mut second = None;
        match act {
            DeviceAct::Allow => {
                front.admissions.set(&key, Admission::Allowed, by, at).await?;
            }
            DeviceAct::Quarantine => {
                front.admissions.set(&key, Admission::Quarantined, by, at).await?;
            }
            DeviceAct::Block => {
                front.admissions.set(&key, Admission::Blocked, by, at).await?;
            }
            DeviceAct::Wipe => second = wipe(WipeKind::Device).await?,
            DeviceAct::WipeAccount => second = wipe(WipeKind::Account).await?,
            DeviceAct::Unwipe => front.wipes.call_off_all(&key, by, at).await?,
            DeviceAct::Resync => match front.elsewhere.whereabouts(&key) {
                // What it holds is known there.
                Whereabouts::Edge(..) => {
                    front.order(&key, Order::ResyncAll, by).await?;
                }
                _ => store.resync_device(&key).await.map_err(Refusal::failed)?,
            },
            DeviceAct::Remove => {
                store.disown_device(&key, at).await?;
                store.remove_device(&key).await?;
                front.elsewhere.forget(&key).await?;
            }
        }
        // A waiting phone comes back at once and meets the change.
        self.front.parking.end_device(&key);
        if act == DeviceAct::Remove {
            self.front.steps.forget(&key);
        }
        tracing::warn!(%user, %device, ?act, "device changed");
        let after = store.device(&key).await?;
        let seen = |of: &Option<Device>| of.as_ref().map(|device| self.device(device));
        let (was, is) = (seen(&before), seen(&after));
        let of =
            |one: &Option<api::Device>, word: fn(&api::Device) -> String| one.as_ref().map(word);
        let admission = |device: &api::Device| device.admission.clone();
        changed("admission", of(&was, admission), of(&is, admission));
        let wipe = |device: &api::Device| device.wipe.clone();
        changed("wipe", of(&was, wipe), of(&is, wipe));
        let Some(changed) = after else {
            return Ok(Changed { device: None, caution: None });
        };
        let is_newest = changed.protocol == ProtocolVersion::V16_1.to_string();
        let caution = match act {
            _ if second.is_some() => second.map(Caution::Second),
            DeviceAct::WipeAccount if !is_newest => Some(Caution::TooOld),
            DeviceAct::Wipe | DeviceAct::WipeAccount => {
                self.no_login(&key.user).await.map(Caution::NoLogin)
            }
            _ => None,
        };
        Ok(Changed { device: Some(self.device(&changed)), caution })
    }

    /// Why a phone of this user would not get as far as an order to wipe, if it would not: it is
    /// told only after a login that the directory lets in.
    async fn no_login(&self, user: &UserId) -> Option<NoLogin> {
        let directory = self.front.directory_of(user)?;
        match directory.find(user).await {
            Ok(Some(person)) if person.standing != Standing::Active => {
                Some(NoLogin::Refused(Reason::Standing(person.standing)))
            }
            Ok(Some(person)) => match self.front.gate.explain(Right::User, &person) {
                Access::Allowed(_) => None,
                Access::Refused(reason) => Some(NoLogin::Refused(reason)),
            },
            Ok(None) => Some(NoLogin::Unknown),
            Err(error) => Some(NoLogin::Unclear(error)),
        }
    }
}
