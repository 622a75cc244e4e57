//! Finding devices among many, and counting them.

use crate::endpoints::parts::word;
use crate::principal::{Boundaries, Principal};
use crate::{Console, Refusal, api};
use dme_model::UserId;
use dme_server::devices::{DeviceQuery, Tally};
use dme_server::policies::Compliance;
use dme_store::{Admission, Device, DeviceFilter, Held, Hold, MOST_USERS, Wipe};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// So many kinds of devices are told apart.
const KINDS: usize = 8;

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
        let seen = self.owners(principal, None).await?;
        if seen.as_ref().is_none_or(|seen| seen.len() <= MOST_USERS) {
            let users = match &seen {
                Some(seen) => seen.len() as u64,
                None => store.count_device_owners().await?,
            };
            let named = seen.map(|seen| Arc::new(seen.into_iter().collect()));
            let all = DeviceFilter { users: named, ..DeviceFilter::default() };
            let wiping = DeviceFilter { wipe: Some("requested".into()), ..all.clone() };
            let held = DeviceFilter { held: true, ..all.clone() };
            let held = store.find_devices(&held, 0, u32::MAX).await?;
            return Ok(Figures {
                tally: self.front.tally_devices(&all).await?,
                users,
                wiping: self.front.tally_devices(&wiping).await?.all(),
                misbehave: held.iter().filter(|device| in_force(device)).count() as u64,
            });
        }
        let users = seen.as_ref().map_or(0, |seen| seen.len() as u64);
        let mut figures = Figures { users, ..Figures::default() };
        let query = DeviceQuery { among: seen, limit: u32::MAX, ..DeviceQuery::default() };
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
                users: None,
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
        let owners = self.front.store.device_owners().await?.into_iter();
        let mut owners: Vec<(UserId, u64)> =
            owners.map(|(user, count)| (UserId::from(user), count)).collect();
        let seen = self.seen(principal, owners.iter().map(|(user, _)| user.clone())).await?;
        owners.retain(|(user, _)| seen.has(user));
        if let Some(group) = &group {
            let users = owners.iter().map(|(user, _)| user.clone()).collect();
            let members = self.those_within(group, users).await?;
            owners.retain(|(user, _)| members.contains(user));
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
}
