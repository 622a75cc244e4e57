//! Provision: the policy in two phases, and the order to wipe (MS-ASPROV 3.1.5.1, 3.1.5.2).

use super::admission::store;
use super::exchange::Exchange;
use super::failure::Failure;
use super::settings::note_information;
use super::telling::about;
use crate::config::PolicyMode;
use crate::records::EventKind;
use aws_lc_rs::rand;
use dme_eas::provision::{
    Applied, PolicyRequest, PolicyStatus, PolicyType, Request, Response, Status, Wipe as Order,
    Wiped,
};
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_store::{Device, Policy, PolicyKey, PolicyReply, Wipe, WipeKind};
use dme_wbxml::Element;
use std::time::Duration;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        return Ok(Response::status(Status::ProtocolError).to_element(exchange.version));
    };
    // What the device is may decide which policy it gets, so that is looked at first.
    let told = request.device.as_ref().filter(|_| request.policy.is_some());
    let record = match told {
        Some(told) => note_information(exchange, told).await?,
        None => exchange.record.clone(),
    };
    let mut response = answer(exchange, &record, &request).await?;
    if told.is_some() && response.status == Status::Success {
        response.device = Some(dme_eas::settings::Status::Success);
    }
    Ok(response.to_element(exchange.version))
}

async fn answer(
    exchange: &Exchange<'_>,
    record: &Device,
    request: &Request,
) -> Result<Response, Failure> {
    if let Some((order, outcome)) = request.wiped {
        return wiped(exchange, order, outcome).await;
    }
    if let Some(order) = order(record, exchange.version)? {
        return send_order(exchange, order).await;
    }
    let front = exchange.front();
    match &request.policy {
        Some(PolicyRequest::Download { policy_type: PolicyType::Wbxml }) => {
            let current = front.policies.of(record);
            if current.mode == PolicyMode::Off {
                return Ok(Response::refused(PolicyType::Wbxml, PolicyStatus::NoPolicy));
            }
            if lacks_information(exchange, record) {
                return Err(CommonStatus::DeviceInformationRequired.into());
            }
            let pending = PolicyKey { key: new_key()?, revision: current.revision };
            let policy = Policy { pending: Some(pending), ..record.policy };
            store(front.store.set_policy(&exchange.device, &policy).await)?;
            Ok(Response::policy(pending.key, current.policy.clone()))
        }
        Some(PolicyRequest::Acknowledge { policy_type: PolicyType::Wbxml, key, applied }) => {
            acknowledged(exchange, record, *key, *applied).await
        }
        Some(
            PolicyRequest::Download { policy_type }
            | PolicyRequest::Acknowledge { policy_type, .. },
        ) => Ok(Response::refused(policy_type.clone(), PolicyStatus::UnknownType)),
        // Also with what the device is alone, or with a `Policy` that stands elsewhere (2.2.2.54.2).
        None => Ok(Response::status(Status::ProtocolError)),
    }
}

/// Whether a phone that must say what it is (14.1 on) did not, now or ever (MS-ASPROV 3.1.5.1.1.1).
/// One that said so before, by Settings as up to 14.0, is let on.
fn lacks_information(exchange: &Exchange<'_>, record: &Device) -> bool {
    exchange.version >= ProtocolVersion::V14_1 && matches!(record.information.as_str(), "" | "{}")
}

/// The second phase: the phone says how it applied the policy, and gets its key. What it says is
/// kept, whether it is let in by it or not.
async fn acknowledged(
    exchange: &Exchange<'_>,
    record: &Device,
    key: u32,
    applied: Applied,
) -> Result<Response, Failure> {
    let front = exchange.front();
    let held = record.policy;
    // A phone that lost the answer acknowledges the same key again; the key it was then given is
    // of the same revision, so it gets another that counts.
    let Some(pending) = held.pending.filter(|pending| pending.key == key) else {
        return Ok(Response::refused(PolicyType::Wbxml, PolicyStatus::WrongKey));
    };
    let said = match applied {
        Applied::Fully => dme_store::Applied::Fully,
        Applied::Partly => dme_store::Applied::Partly,
        Applied::ByOthers => dme_store::Applied::ByOthers,
        _ => dme_store::Applied::Not,
    };
    let reply = PolicyReply { revision: pending.revision, applied: said, at: exchange.now };
    let answered = Policy { reply: Some(reply), ..held };
    let must = front.policies.of(record).mode == PolicyMode::Required;
    if must && !matches!(applied, Applied::Fully | Applied::Partly) {
        tracing::info!(user = %exchange.device.user, device = %exchange.device.device, ?applied,
            "the device does not apply the policy and stays out");
        let words = format!("the device does not apply the policy and stays out: {applied:?}");
        front.events.note(about(exchange, EventKind::PolicyRefused, words));
        store(front.store.set_policy(&exchange.device, &answered).await)?;
        return Err(match applied {
            Applied::ByOthers => CommonStatus::ExternallyManagedDevicesNotAllowed,
            _ => CommonStatus::DeviceNotFullyProvisionable,
        }
        .into());
    }
    let acknowledged = PolicyKey { key: new_key()?, revision: pending.revision };
    let policy = Policy { acknowledged: Some(acknowledged), ..answered };
    store(front.store.set_policy(&exchange.device, &policy).await)?;
    let words = format!("the device took the policy: {applied:?}");
    front.events.note(about(exchange, EventKind::PolicyTaken, words));
    Ok(Response::acknowledged(acknowledged.key))
}

/// When a phone asks anew whose order to wipe was changed while it asked.
const MEANWHILE: Duration = Duration::from_secs(1);

/// The order the device is to get, if any.
fn order(device: &Device, version: ProtocolVersion) -> Result<Option<Order>, Failure> {
    match device.wipe {
        Wipe::Requested { kind, .. } | Wipe::Sent { kind, .. } => match kind {
            WipeKind::Device => Ok(Some(Order::Device)),
            WipeKind::Account if version >= ProtocolVersion::V16_1 => Ok(Some(Order::Account)),
            WipeKind::Account => Err(CommonStatus::DeviceIsBlockedForThisUser.into()),
        },
        Wipe::None | Wipe::Acknowledged { .. } => Ok(None),
    }
}

async fn send_order(exchange: &Exchange<'_>, order: Order) -> Result<Response, Failure> {
    let wipes = &exchange.front().wipes;
    if !store(wipes.tell(&exchange.device, kind(order), exchange.now).await)? {
        // Called off since the request came, or another one was ordered: it is found when it asks anew.
        return Err(Failure::Later(MEANWHILE));
    }
    tracing::warn!(user = %exchange.device.user, device = %exchange.device.device, ?order,
        "the device was given the order to wipe");
    let words = format!("the device was given the order to wipe: {order:?}");
    exchange.front().events.note(about(exchange, EventKind::WipeSent, words));
    Ok(Response::wipe(order))
}

/// The device says how its wipe went.
async fn wiped(exchange: &Exchange<'_>, order: Order, outcome: Wiped) -> Result<Response, Failure> {
    // Only an order that was given can be acknowledged.
    match exchange.record.wipe {
        Wipe::Sent { kind: sent, .. } if sent == kind(order) => {}
        _ => return Ok(Response::status(Status::ProtocolError)),
    }
    if outcome != Wiped::Success {
        tracing::error!(user = %exchange.device.user, device = %exchange.device.device, ?outcome,
            "the device says that it could not wipe; it is ordered again at its next contact");
        store(exchange.front().wipes.failed(&exchange.device, exchange.now).await)?;
        let words = format!("the device says that it could not wipe: {outcome:?}");
        exchange.front().events.note(about(exchange, EventKind::WipeFailed, words));
        return Ok(Response::status(Status::Success));
    }
    let wipes = &exchange.front().wipes;
    store(wipes.acknowledged(&exchange.device, kind(order), exchange.now).await)?;
    // It had to log in until now; whoever has it needs that no more.
    store(exchange.front().store.revoke_of_device(&exchange.device, exchange.now).await)?;
    tracing::warn!(user = %exchange.device.user, device = %exchange.device.device, ?order,
        "the device acknowledged the order to wipe");
    let words = format!("the device acknowledged the order to wipe: {order:?}");
    exchange.front().events.note(about(exchange, EventKind::WipeDone, words));
    Ok(Response::status(Status::Success))
}

fn kind(order: Order) -> WipeKind {
    match order {
        Order::Device => WipeKind::Device,
        Order::Account => WipeKind::Account,
    }
}

/// A policy key nobody can guess; never 0, which means "none".
fn new_key() -> Result<u32, Failure> {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes).map_err(|_| Failure::from(CommonStatus::ServerError))?;
    Ok((u32::from_be_bytes(bytes) >> 1).max(1))
}
