//! Finding devices among many, by what the store knows of them and by what only the server does.

use crate::front::Front;
use crate::policies::Compliance;
use dme_model::UserId;
use dme_store::{Device, DeviceFilter, Result, Tally};
use std::collections::HashSet;

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
}

impl Front {
    /// Finds devices. The store gives the part that is asked for, unless what is wanted is known to
    /// the server alone: then it gives all that may be meant, to be looked through here.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_devices(&self, query: &DeviceQuery) -> Result<FoundDevices> {
        let DeviceQuery { filter, compliance, among, after, limit } = query;
        if compliance.is_none() && among.is_none() {
            let devices = self.store.find_devices(filter, *after, *limit).await?;
            let tally = self.store.tally_devices(filter).await?;
            return Ok(FoundDevices { devices, tally });
        }
        let wide = DeviceFilter { admission: None, ..filter.clone() };
        let mut found = FoundDevices::default();
        let (mut left_out, after) = (0, *after as usize);
        for device in self.store.find_devices(&wide, 0, u32::MAX).await? {
            if among.as_ref().is_some_and(|users| !users.contains(&device.key.user))
                || compliance.is_some_and(|wanted| self.policies.compliance(&device) != wanted)
            {
                continue;
            }
            found.tally.add(device.admission, 1);
            if filter.admission.is_some_and(|admission| admission != device.admission) {
                continue;
            }
            if left_out < after {
                left_out += 1;
            } else if found.devices.len() < *limit as usize {
                found.devices.push(device);
            }
        }
        Ok(found)
    }
}
