//! Settings (MS-ASCMD 2.2.1.20): what the phone is, who its user is, whether they are away.

use super::admission::store;
use super::exchange::Exchange;
use super::failure::Failure;
use super::oof;
use crate::inventory::Inventory;
use dme_eas::CommonStatus;
use dme_eas::settings::{Account, DeviceInformation, Request, Response, Status, UserInformation};
use dme_store::{Admission, Device};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        return Ok(Response::status(Status::ProtocolError).to_element(exchange.version));
    };
    let mut response = Response::status(Status::Success);
    if let Some(device) = &request.device_information {
        note_information(exchange, device).await?;
        response.device_information = Some(Status::Success);
    }
    if request.user_information {
        response.user_information = Some((Status::Success, Some(user_information(exchange).await)));
    }
    // Each has a status of its own: 2 and 5 where it is wrong (MS-ASCMD 2.2.3.177.15).
    response.oof = match request.oof {
        Some(Ok(asked)) => Some(oof::answer(exchange, asked).await?),
        Some(Err(_)) => Some((Status::ProtocolError, None)),
        None => None,
    };
    // There is no place for recovery passwords and no rights management: said plainly, so that the
    // phone hides what would not work.
    response.device_password = request.device_password.as_ref().map(|password| match password {
        Ok(_) => Status::AccessDenied,
        Err(_) => Status::InvalidArguments,
    });
    if request.rights_management {
        response.rights_management = Some(dme_eas::CommonStatus::IrmFeatureDisabled.into());
    }
    Ok(response.to_element(exchange.version))
}

async fn user_information(exchange: &Exchange<'_>) -> UserInformation {
    // The directory's address serves where the mail system does not say more.
    let identity = exchange.mailbox().identity().await.unwrap_or_default();
    let mut addresses = identity.addresses;
    if addresses.is_empty() {
        addresses.push(exchange.account.address.clone());
    }
    let display_name = exchange.account.display_name.clone().or(identity.display_name);
    UserInformation {
        accounts: vec![Account {
            id: None,
            name: None,
            display_name,
            send_disabled: false,
            primary_address: addresses.first().cloned(),
            addresses,
        }],
    }
}

/// Keeps what the phone said of itself, by which the rules of admission may decide anew; answers
/// the device as it then is.
pub(super) async fn note_information(
    exchange: &Exchange<'_>,
    told: &DeviceInformation,
) -> Result<Device, Failure> {
    let json = Inventory::from(told).to_json();
    if json == exchange.record.information {
        return Ok(exchange.record.clone());
    }
    let front = exchange.front();
    store(front.store.set_information(&exchange.device, &json).await)?;
    let device = Device { information: json, ..exchange.record.clone() };
    let device = store(front.admissions.reconsider(device, exchange.now).await)?;
    // One that was blocked before is here because it is to be wiped.
    if device.admission == Admission::Blocked && exchange.record.admission != Admission::Blocked {
        return Err(CommonStatus::DeviceIsBlockedForThisUser.into());
    }
    Ok(device)
}
