//! Devices: list, allow, quarantine, block, wipe, resync, remove.

use super::policies::word;
use crate::language::Language;
use crate::principal::{Boundaries, Principal};
use crate::{Console, Refusal, api};
use dme_directory::{Access, DirectoryService, Right, Standing};
use dme_eas::ProtocolVersion;
use dme_model::{DeviceId, Timestamp, UserId};
use dme_server::devices::{DeviceQuery, Tally};
use dme_server::policies::Compliance;
use dme_server::records::audit::changed;
use dme_server::wipes::Hand;
use dme_store::{Admission, Decider, Decision, Device, DeviceFilter, Held, Hold, Wipe, WipeKind};
use dme_sync::{DeviceKey, Holding, StateStore};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

/// So many kinds of devices are told apart.
const KINDS: usize = 8;

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
    NoLogin(String),
}

impl Caution {
    /// For administrators.
    fn words(&self, language: Language) -> String {
        match self {
            Self::Second(number) => language.of("warn-second", &number.to_string()),
            Self::TooOld => language.text("warn-no-words", &[]),
            Self::NoLogin(why) => language.of("warn-no-login", why),
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

/// Devices of those that were wanted.
pub(crate) struct Found {
    /// The part that was asked for.
    pub devices: Vec<api::Device>,
    /// How many there are in all, by their state, whatever state was asked for.
    pub tally: Tally,
    /// What they call their kind and how many do, the most first, whatever kind was asked for.
    pub kinds: Vec<(String, u64)>,
}

/// Devices in numbers.
#[derive(Default)]
pub(crate) struct Figures {
    /// By their state.
    pub tally: Tally,
    /// Whose they are.
    pub users: u64,
    /// That wait to be told of a wipe.
    pub wiping: u64,
    /// That misbehave now.
    pub misbehave: u64,
}

impl Console {
    /// The devices that are wanted of everybody whom the principal sees, those that came last first.
    pub(crate) async fn list_devices(
        &self,
        principal: &Principal,
        query: &api::DeviceQuery,
    ) -> Result<Vec<api::Device>, Refusal> {
        Ok(self.find_devices(principal, query).await?.devices)
    }

    pub(crate) async fn find_devices(
        &self,
        principal: &Principal,
        query: &api::DeviceQuery,
    ) -> Result<Found, Refusal> {
        let query = self.device_query(principal, query).await?;
        let found = self.front.find_devices(&query).await?;
        let devices = found.devices.iter().map(|device| self.device(device)).collect();
        let mut kinds: Vec<_> = found.kinds.into_iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        kinds.truncate(KINDS);
        Ok(Found { devices, tally: found.tally, kinds })
    }

    /// The devices of everybody whom the principal sees, in numbers.
    pub(crate) async fn device_figures(&self, principal: &Principal) -> Result<Figures, Refusal> {
        let now = (self.front.clock)();
        let in_force = |device: &Device| match &device.hold {
            Some(Hold { held: Held::Slowed { until }, .. }) => *until > now,
            Some(_) => true,
            None => false,
        };
        let store = &self.front.store;
        let Some(seen) = self.owners(principal, None).await? else {
            let wiping = DeviceFilter { wipe: Some("requested".into()), ..DeviceFilter::default() };
            let held = DeviceFilter { held: true, ..DeviceFilter::default() };
            let held = store.find_devices(&held, 0, u32::MAX).await?;
            return Ok(Figures {
                tally: self.front.tally_devices(&DeviceFilter::default()).await?,
                users: store.count_device_owners().await?,
                wiping: self.front.tally_devices(&wiping).await?.all(),
                misbehave: held.iter().filter(|device| in_force(device)).count() as u64,
            });
        };
        let mut figures = Figures { users: seen.len() as u64, ..Figures::default() };
        let query = DeviceQuery { among: Some(seen), limit: u32::MAX, ..DeviceQuery::default() };
        let found = self.front.find_devices(&query).await?;
        figures.tally = found.tally;
        for device in &found.devices {
            figures.wiping += u64::from(matches!(device.wipe, Wipe::Requested { .. }));
            figures.misbehave += u64::from(in_force(device));
        }
        Ok(figures)
    }

    async fn device_query(
        &self,
        principal: &Principal,
        query: &api::DeviceQuery,
    ) -> Result<DeviceQuery, Refusal> {
        let unknown = |word: &str| Refusal::wrong("no-filter", word);
        let admission = match query.admission.as_deref() {
            None => None,
            Some("allowed") => Some(Admission::Allowed),
            Some("quarantined") => Some(Admission::Quarantined),
            Some("blocked") => Some(Admission::Blocked),
            Some(word) => return Err(unknown(word)),
        };
        let compliance = match query.compliance.as_deref() {
            None => None,
            Some(said) => {
                let named = Compliance::ALL.into_iter().find(|one| word(one) == said);
                Some(named.ok_or_else(|| unknown(said))?)
            }
        };
        if let Some(word) = &query.wipe
            && !["none", "requested", "sent", "acknowledged"].contains(&word.as_str())
        {
            return Err(unknown(word));
        }
        let now = (self.front.clock)();
        let ago = |days: u32| now.minus(Duration::from_secs(u64::from(days) * 86_400));
        Ok(DeviceQuery {
            filter: DeviceFilter {
                user: None,
                admission,
                wipe: query.wipe.clone(),
                kind: query.kind.clone(),
                protocol: query.protocol.clone(),
                os: query.os.clone(),
                connector: query.connector.clone(),
                seen_from: query.within_days.map(ago),
                seen_until: query.idle_days.map(ago),
                held: query.held,
                text: query.text.clone(),
            },
            compliance,
            among: self.owners(principal, query.group.as_deref()).await?,
            after: query.after,
            limit: query.limit.unwrap_or(u32::MAX),
        })
    }

    /// The users of devices whom the principal sees and who are in a group; none where that is
    /// everybody.
    async fn owners(
        &self,
        principal: &Principal,
        group: Option<&str>,
    ) -> Result<Option<HashSet<UserId>>, Refusal> {
        let counted = self.counted_owners(principal, group).await?;
        Ok(counted.map(|all| all.into_iter().map(|(user, _)| user).collect()))
    }

    /// The same, in their order, each with how many they have.
    async fn counted_owners(
        &self,
        principal: &Principal,
        group: Option<&str>,
    ) -> Result<Option<Vec<(UserId, u64)>>, Refusal> {
        if group.is_none() && principal.sees_all() {
            return Ok(None);
        }
        let group = group.map(|group| Boundaries {
            groups: [group.to_owned()].into(),
            connectors: BTreeSet::new(),
        });
        let mut sight = self.sight(principal);
        let mut owners = Vec::new();
        for (user, count) in self.front.store.device_owners().await? {
            let user = UserId::from(user);
            if sight.reaches(self, &user).await
                && match &group {
                    Some(group) => self.is_within(group, &user).await,
                    None => true,
                }
            {
                owners.push((user, count));
            }
        }
        Ok(Some(owners))
    }

    /// Some of those whom the principal sees, who have a device and this in their name, each with
    /// how many they have; and how many there are of them.
    pub(crate) async fn device_owners(
        &self,
        principal: &Principal,
        text: &str,
        after: u32,
        limit: u32,
    ) -> Result<(Vec<(String, u64)>, u64), Refusal> {
        let store = &self.front.store;
        let Some(mut seen) = self.counted_owners(principal, None).await? else {
            return Ok(store.find_device_owners(text, after, limit).await?);
        };
        let sought = text.to_ascii_lowercase();
        seen.retain(|(user, _)| user.as_str().to_ascii_lowercase().contains(&sought));
        let count = seen.len() as u64;
        let page = seen.into_iter().skip(after as usize).take(limit as usize);
        Ok((page.map(|(user, count)| (user.to_string(), count)).collect(), count))
    }

    /// By which connectors the users of these devices are served, by the users' names.
    pub(crate) async fn serving(
        &self,
        devices: &[api::Device],
    ) -> Result<BTreeMap<UserId, BTreeSet<String>>, Refusal> {
        let users = devices.iter().map(|device| UserId::from(device.user.as_str()));
        Ok(self.front.store.serving(users).await?)
    }

    pub(crate) async fn devices_of(&self, user: &str) -> Result<Vec<api::Device>, Refusal> {
        let devices = self.front.store.devices(Some(&self.meant(user).await?)).await?;
        Ok(devices.iter().map(|device| self.device(device)).collect())
    }

    /// One device, where the principal sees its user.
    pub(crate) async fn seen_device(
        &self,
        principal: &Principal,
        user: &str,
        device: &str,
    ) -> Result<Option<Device>, Refusal> {
        let key = DeviceKey { user: UserId::from(user), device: DeviceId::from(device) };
        if !self.sight(principal).reaches(self, &key.user).await {
            return Ok(None);
        }
        Ok(self.front.store.device(&key).await?)
    }

    /// One device of a user's, with what was decided of it in words of a language.
    pub(crate) async fn device_of(
        &self,
        user: &str,
        device: &str,
        language: Language,
    ) -> Result<api::Device, Refusal> {
        let (_, found) = self.known(user, device).await?;
        Ok(self.device_in(&found, language))
    }

    /// What a device holds of each folder it knows.
    pub(crate) async fn folders(
        &self,
        user: &str,
        device: &str,
    ) -> Result<Vec<api::Folder>, Refusal> {
        let key = self.key(user, device).await?;
        self.front.store.known_device(&key).await?;
        let holdings = self.front.engine.holdings(&key).await.map_err(Refusal::failed)?;
        let folders = holdings.into_iter().map(|Holding { folder, held }| api::Folder {
            folder: folder.no.0,
            parent: folder.parent.map(|parent| parent.0),
            name: folder.name,
            class: word(&folder.class),
            items: held.map(|held| held.items),
            outstanding: held.map_or(0, |held| held.outstanding),
            placeholders: held.map_or(0, |held| held.placeholders),
        });
        Ok(folders.collect())
    }

    pub(crate) async fn trace(
        &self,
        user: &str,
        device: &str,
    ) -> Result<Vec<api::Traced>, Refusal> {
        let (key, _) = self.known(user, device).await?;
        let trace = self.front.store.trace(&key).await.map_err(Refusal::failed)?;
        let trace = trace.into_iter().map(|entry| api::Traced {
            at: entry.at.as_millis(),
            folder: u64::from(entry.folder.0),
            event: serde_json::to_value(&entry.event).unwrap_or_default(),
        });
        Ok(trace.collect())
    }

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
            DeviceAct::Unwipe => {
                front.wipes.call_off_open(&key, by, at).await?;
                store.set_wipe(&key, Wipe::None).await?;
            }
            DeviceAct::Resync => store.resync_device(&key).await.map_err(Refusal::failed)?,
            DeviceAct::Remove => {
                store.disown_device(&key, at).await?;
                store.remove_device(&key).await?;
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
    async fn no_login(&self, user: &UserId) -> Option<String> {
        let directory = user.realm().and_then(|realm| self.front.directories.get(&realm))?;
        match directory.find(user).await {
            Ok(Some(person)) if person.standing != Standing::Active => {
                Some(person.standing.as_str().to_owned())
            }
            Ok(Some(person)) => match self.front.gate.explain(Right::User, &person) {
                Access::Allowed(_) => None,
                Access::Refused(reason) => Some(reason.to_string()),
            },
            Ok(None) => Some("the directory does not have the user".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// What happened to a device.
    pub(crate) async fn device_events(
        &self,
        user: &str,
        device: &str,
        query: api::DeviceEventQuery,
    ) -> Result<api::EventPage, Refusal> {
        let key = self.key(user, device).await?;
        let api::DeviceEventQuery { before, limit } = query;
        self.events(api::EventQuery {
            user: Some(key.user.to_string()),
            device: Some(key.device.to_string()),
            before,
            limit,
            ..api::EventQuery::default()
        })
        .await
    }

    pub(crate) async fn key(&self, user: &str, device: &str) -> Result<DeviceKey, Refusal> {
        Ok(DeviceKey { user: self.meant(user).await?, device: DeviceId::from(device) })
    }

    pub(crate) fn device(&self, device: &Device) -> api::Device {
        self.device_in(device, Language::English)
    }

    /// A device, with what was decided of it in words of a language.
    pub(crate) fn device_in(&self, device: &Device, language: Language) -> api::Device {
        let kind = |kind: WipeKind| match kind {
            WipeKind::Account => "account",
            WipeKind::Device => "device",
        };
        let wipe = match device.wipe {
            Wipe::None => "none".to_owned(),
            Wipe::Requested { kind: of, .. } => format!("requested ({})", kind(of)),
            Wipe::Sent { kind: of, .. } => format!("sent ({})", kind(of)),
            Wipe::Acknowledged { kind: of, .. } => format!("acknowledged ({})", kind(of)),
        };
        let admission = match device.admission {
            Admission::Allowed => "allowed",
            Admission::Quarantined => "quarantined",
            Admission::Blocked => "blocked",
        };
        api::Device {
            user: device.key.user.to_string(),
            device: device.key.device.to_string(),
            kind: device.device_type.clone(),
            user_agent: device.user_agent.clone(),
            protocol: device.protocol.clone(),
            first_seen: device.first_seen.as_seconds(),
            last_seen: device.last_seen.as_seconds(),
            admission: admission.into(),
            wipe,
            policy: self.front.policies.has_taken(device),
            information: serde_json::from_str(&device.information).unwrap_or_default(),
            compliance: word(&self.front.policies.compliance(device)),
            decision: device.decision.as_ref().map(|one| decision(one, language)),
            hold: device.hold.as_ref().map(|one| hold(one, language)),
            waiting: self.front.pending(device).len() as u64,
            told: device.notice_sent.map(Timestamp::as_seconds),
        }
    }
}

/// Who decided of a device's admission, in words.
fn decision(decision: &Decision, language: Language) -> String {
    let by = match &decision.by {
        Decider::Rules(Some(rule)) => language.of("by-rule", rule),
        Decider::Rules(None) => language.text("by-no-rule", &[]),
        Decider::Person(name) => language.of("by-person", name),
        Decider::Behaviour(rule) => language.of("by-behaviour", rule),
    };
    if decision.reason.is_empty() { by } else { format!("{by}: {}", decision.reason) }
}

/// How a device misbehaves, in words.
fn hold(hold: &Hold, language: Language) -> String {
    let held = match hold.held {
        Held::Slowed { until } => language.of("held-slowed", &until.to_string()),
        Held::Blocked { .. } => language.text("held-blocked", &[]),
        Held::Told => language.text("held-told", &[]),
    };
    format!("{held}, {}: {}", language.of("by-rule", &hold.rule), hold.reason)
}
