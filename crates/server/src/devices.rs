//! Finding devices among many, by what the store knows of them and by what only the server does.

use crate::front::Front;
use crate::policies::Compliance;
use dme_model::UserId;
use dme_store::{Admission, Device, DeviceFilter, MOST_USERS, Result};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// So many devices with a text in their names are looked through at once rather than counted by the
/// store, which would read all devices once more.
const FEW: u32 = 1_000;

/// Which devices are wanted, and which part of them.
#[derive(Clone, Debug, Default)]
pub struct DeviceQuery {
    /// By what the store knows of them.
    pub filter: DeviceFilter,
    /// That stand so to their policy.
    pub compliance: Option<Compliance>,
    /// Of these users alone.
    pub among: Option<HashSet<UserId>>,
    /// Without so many of those that came last.
    pub after: u32,
    /// So many at the most.
    pub limit: u32,
}

/// Some of the devices that were wanted.
#[derive(Clone, Debug, Default)]
pub struct FoundDevices {
    /// Those of the part that was asked for, the one that came last first.
    pub devices: Vec<Device>,
    /// How many there are in all, by their state, whatever state was asked for.
    pub tally: Tally,
    /// How many there are of what calls itself so, whatever kind was asked for.
    pub kinds: BTreeMap<String, u64>,
}

/// How many devices there are of each state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// That may in.
    pub allowed: u64,
    /// That wait for an administrator.
    pub quarantined: u64,
    /// That may not.
    pub blocked: u64,
}

impl Tally {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.allowed + self.quarantined + self.blocked
    }
}

impl FoundDevices {
    /// None of them, counted: how many there are of each kind and state.
    fn counted(filter: &DeviceFilter, counts: Vec<(String, Admission, u64)>) -> Self {
        let mut found = Self::default();
        for (kind, admission, count) in counts {
            found.count(filter, (&kind, admission), count);
        }
        found
    }

    /// Counts devices of a kind and a state by what the filter does not ask for.
    fn count(&mut self, filter: &DeviceFilter, (kind, admission): (&str, Admission), more: u64) {
        if filter.kind.as_deref().is_none_or(|wanted| wanted == kind) {
            match admission {
                Admission::Allowed => self.tally.allowed += more,
                Admission::Quarantined => self.tally.quarantined += more,
                Admission::Blocked => self.tally.blocked += more,
            }
        }
        if filter.admission.is_none_or(|wanted| wanted == admission) {
            *self.kinds.entry(kind.to_owned()).or_default() += more;
        }
    }
}

impl Front {
    /// Finds devices. The store gives the part that is asked for, unless what is wanted is known to
    /// the server alone: then it gives all that may be meant, to be looked through here.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_devices(&self, query: &DeviceQuery) -> Result<FoundDevices> {
        let DeviceQuery { filter, among, after, limit, .. } = query;
        let mut filter = filter.clone();
        let by_name = among.as_ref().filter(|users| users.len() <= MOST_USERS);
        if let Some(users) = by_name {
            filter.users = Some(Arc::new(users.iter().cloned().collect()));
        }
        let wide = DeviceFilter { admission: None, kind: None, ..filter.clone() };
        let by_server = query.compliance.is_some() || among.is_some() && by_name.is_none();
        if by_server || filter.text.is_some() {
            let most = if by_server { u32::MAX } else { FEW };
            let all = self.store.find_devices(&wide, 0, most).await?;
            if by_server || all.len() < FEW as usize {
                return Ok(self.looked_through(query, all));
            }
        }
        let devices = self.store.find_devices(&filter, *after, *limit).await?;
        let counts = self.store.count_devices(&wide).await?;
        Ok(FoundDevices { devices, ..FoundDevices::counted(&filter, counts) })
    }

    /// How many devices are wanted, by their state.
    ///
    /// # Errors
    /// The store's.
    pub async fn tally_devices(&self, filter: &DeviceFilter) -> Result<Tally> {
        Ok(FoundDevices::counted(filter, self.store.count_devices(filter).await?).tally)
    }

    /// Those of these that are wanted.
    fn looked_through(&self, query: &DeviceQuery, all: Vec<Device>) -> FoundDevices {
        let DeviceQuery { filter, compliance, among, after, limit } = query;
        let mut found = FoundDevices::default();
        let (mut left_out, after) = (0, *after as usize);
        for device in all {
            if among.as_ref().is_some_and(|users| !users.contains(&device.key.user))
                || compliance.is_some_and(|wanted| self.policies.compliance(&device) != wanted)
            {
                continue;
            }
            found.count(filter, (&device.device_type, device.admission), 1);
            if filter.admission.is_some_and(|wanted| wanted != device.admission)
                || filter.kind.as_ref().is_some_and(|wanted| *wanted != device.device_type)
            {
                continue;
            }
            if left_out < after {
                left_out += 1;
            } else if found.devices.len() < *limit as usize {
                found.devices.push(device);
            }
        }
        found
    }
}
