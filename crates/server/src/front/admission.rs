//! Whether a device may in, and as what: the one place where quarantine, blocks, wipe orders and
//! policy keys are looked at, before anything of the request's body is.

use super::failure::{Failure, LATER};
use super::telling;
use crate::config::PolicyMode;
use crate::front::Front;
use crate::records::{EventKind, Happened};
use dme_eas::query::Command;
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_model::Timestamp;
use dme_store::{Admission, Device, Seen, Sighting, Wipe, WipeKind};
use dme_sync::DeviceKey;

/// What an admitted device gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pass {
    /// Its user's mailbox.
    Mailbox,
    /// One mail that explains, until an administrator decides.
    Quarantine,
}

/// What a request says of itself before its body.
pub(super) struct Arrival<'a> {
    pub key: &'a DeviceKey,
    pub sighting: Sighting,
    pub command: Command,
    pub version: ProtocolVersion,
    pub policy_key: Option<u32>,
    pub now: Timestamp,
}

/// Lets a device in, or says why not.
pub(super) async fn admit(front: &Front, arrival: Arrival<'_>) -> Result<(Device, Pass), Failure> {
    if front.lease.as_ref().is_some_and(|lease| lease.is_over(arrival.now)) {
        telling::lease_is_over(front, arrival.key);
        return Err(Failure::Later(LATER));
    }
    store(front.elsewhere.bring(arrival.key, &arrival.sighting, arrival.now).await)?;
    if store(front.store.is_disabled(&arrival.key.user).await)? {
        // An order to wipe reaches also the phone of somebody who was shut out: that is when it is
        // given. Nothing else does.
        let known = store(front.store.device(arrival.key).await)?;
        if !known.is_some_and(|device| may_be_told_to_wipe(&device, arrival.version)) {
            return Err(CommonStatus::AccountDisabled.into());
        }
    }
    let device = see(front, &arrival).await?;
    let device = store(front.carry_out(device, arrival.now).await)?;
    if arrival.command != Command::Provision {
        check_wipe(&device, arrival.version)?;
    }
    // A phone that is slowed down is still told to wipe.
    if !device.wipe.is_under_way()
        && let Some(wait) = front.behaviours.must_wait(&device, arrival.now)
    {
        return Err(Failure::Later(wait));
    }
    let pass = match device.admission {
        Admission::Allowed => Pass::Mailbox,
        Admission::Quarantined => Pass::Quarantine,
        Admission::Blocked if device.wipe.is_under_way() => Pass::Mailbox,
        Admission::Blocked => {
            telling::blocked(front, arrival.key);
            return Err(CommonStatus::DeviceIsBlockedForThisUser.into());
        }
    };
    if arrival.command != Command::Provision {
        check_policy(front, &device, arrival.policy_key)?;
    }
    Ok((device, pass))
}

/// Enters the device where it is new, if it may come.
async fn see(front: &Front, arrival: &Arrival<'_>) -> Result<Device, Failure> {
    let Arrival { key, sighting, now, .. } = arrival;
    let known = store(front.store.device(key).await)?;
    let is_new = known.is_none();
    // Nearly every request is of such a one, and no rule is asked about it.
    if let Some(device) = known.filter(|device| device.is_as_seen(sighting, *now)) {
        return Ok(device);
    }
    let mut newcomers = front.admissions.newcomers(key, sighting, *now);
    let held =
        newcomers.admission == Admission::Allowed && waits_for_terms(front, key, is_new).await?;
    if held {
        newcomers.admission = Admission::Quarantined;
        // The rules let it in; they are not asked again before the user has accepted.
        newcomers.decision = None;
    }
    let (admission, limit) = (newcomers.admission, newcomers.per_user);
    match store(front.store.see_device(key, sighting, newcomers, *now).await)? {
        Seen::Known(device) => Ok(device),
        Seen::New(device) => {
            tracing::info!(user = %key.user, device = %key.device, kind = sighting.device_type,
                ?admission, held, "new device");
            if held {
                store(front.store.hold_for_terms(key).await)?;
            }
            telling::new_device(front, key, &sighting.device_type, admission);
            Ok(device)
        }
        Seen::TooMany => {
            tracing::warn!(user = %key.user, device = %key.device, limit,
                "device refused: its user has as many as allowed");
            let words = "a device is refused: its user has as many as allowed";
            front.events.note(Happened::new(EventKind::DeviceTooMany, words).device(key));
            Err(CommonStatus::MaximumDevicesReached.into())
        }
    }
}

/// Whether a device, if it is new, waits until its user has accepted the terms of use.
async fn waits_for_terms(front: &Front, key: &DeviceKey, is_new: bool) -> Result<bool, Failure> {
    Ok(front.own.config.terms_before_mail
        && is_new
        && store(front.own.holds_newcomers(&key.user).await)?)
}

/// Whether there is an order for this device that its version of the protocol has words for.
fn may_be_told_to_wipe(device: &Device, version: ProtocolVersion) -> bool {
    device.wipe.is_under_way() && matches!(check_wipe(device, version), Err(Failure::Provision(_)))
}

/// A device to be wiped is sent to Provision, where it gets the order. Before 16.1 there is no
/// order for the account alone; such a device is shut out, and never wiped whole instead.
fn check_wipe(device: &Device, version: ProtocolVersion) -> Result<(), Failure> {
    match device.wipe {
        Wipe::None => Ok(()),
        Wipe::Requested { kind: WipeKind::Account, .. }
        | Wipe::Sent { kind: WipeKind::Account, .. }
            if version < ProtocolVersion::V16_1 =>
        {
            Err(CommonStatus::DeviceIsBlockedForThisUser.into())
        }
        Wipe::Requested { .. } | Wipe::Sent { .. } => {
            Err(Failure::Provision(CommonStatus::RemoteWipeRequested))
        }
        // A wiped device that comes again was set up anew; an administrator lets it in.
        Wipe::Acknowledged { .. } => Err(CommonStatus::DeviceIsBlockedForThisUser.into()),
    }
}

/// Where a policy is required, only its acknowledged key opens. While it is not known which policy a
/// device is to have, the one it took before does.
fn check_policy(front: &Front, device: &Device, given: Option<u32>) -> Result<(), Failure> {
    let current = front.policies.of(device);
    if current.mode != PolicyMode::Required {
        return Ok(());
    }
    let refuse = |status| Err(Failure::Provision(status));
    match (device.policy.acknowledged, given) {
        (None, _) | (Some(_), None | Some(0)) => refuse(CommonStatus::DeviceNotProvisioned),
        (Some(held), Some(_)) if held.revision != current.revision && !current.open => {
            refuse(CommonStatus::PolicyRefresh)
        }
        (Some(held), Some(given)) if held.key != given => refuse(CommonStatus::InvalidPolicyKey),
        (Some(_), Some(_)) => Ok(()),
    }
}

/// What comes of it where the store failed.
pub(super) fn store<T>(result: dme_store::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| store_failed(&error))
}

/// The store's failure is not the phone's: it comes again later.
pub(super) fn store_failed(error: &dme_store::Error) -> Failure {
    tracing::error!(%error, "the store failed");
    Failure::Later(LATER)
}
