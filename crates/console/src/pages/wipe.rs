//! What comes before a wipe, and before one that somebody else ordered is confirmed: what this app on
//! this system will erase, and the password.

use super::devices::Row;
use super::{Frame, Visit, html, moment, path};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "wipe.html")]
struct Wipe {
    frame: Frame,
    row: Row,
    /// Whether all of the device is meant, and not the account alone.
    whole: bool,
    /// What would be erased.
    erased: String,
    /// The order that is to be confirmed, and when it was given; none where one is to be given.
    order: Option<(api::WipeOrder, String)>,
    /// Orders that need nobody else within this hour, and how many may be given in one.
    left: (u32, u32),
    /// The endpoint's path without `/api`.
    endpoint: String,
    back: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let (user, id) = (visit.arg("user"), visit.arg("device"));
    let language = visit.frame.look.language;
    let device = console.device_of(user, id, language).await?;
    let erasures = console.foretell(user, id).await?;
    let order = match visit.wanted("order") {
        Some(number) => Some(console.waiting_order(user, id, &number).await?),
        None => None,
    };
    let whole = match &order {
        Some(order) => order.of == "device",
        None => visit.asked("of") == "device",
    };
    let page = path(&["devices", &device.user, &device.device]);
    let (endpoint, back) = match &order {
        Some(order) => (path(&["wipes", &order.number.to_string(), "confirm"]), "/wipes".into()),
        None if whole => (format!("{page}/wipe"), page),
        None => (format!("{page}/wipe-account"), page),
    };
    html(&Wipe {
        erased: language.erasure(if whole { &erasures.device } else { &erasures.account }),
        left: console.front.wipes.left((console.front.clock)()).await?,
        order: order.map(|order| {
            let at = moment(Some(order.requested / 1000));
            (order, at)
        }),
        row: Row::new(device),
        whole,
        endpoint,
        back,
        frame: visit.frame.asking_each_time(),
    })
}
