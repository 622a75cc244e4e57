//! Orders to wipe: what they would erase, who must confirm them, their receipts.

use super::parts::{name, numbered, word};
use crate::endpoint::{Endpoint, get, post};
use crate::principal::{Duty, Principal, Reach};
use crate::{Console, Refusal, api};
use dme_server::wipes::Administrator;
use dme_store::{Refused, WipeKind, WipeOrder};

/// So many orders to wipe are listed.
const LISTED: usize = 1000;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/wipes", "Orders to wipe, the newest first")
            .reach(Reach::Filtered)
            .by(|console, call| async move { console.wipe_orders(&call.principal).await }),
        post("/api/wipes/{order}/confirm", "Confirm an order that waits for a second person")
            .duty(Duty::Operate)
            .each_time()
            .by(|console, call| async move {
                console.confirm_wipe(&call.principal, call.arg("order")).await
            }),
        post("/api/wipes/{order}/cancel", "Call an order to wipe off").duty(Duty::Operate).by(
            |console, call| async move {
                console.cancel_wipe(&call.principal, call.arg("order")).await
            },
        ),
        get("/api/wipes/{order}/receipt", "The signed receipt of an order to wipe")
            .by(|console, call| async move { console.wipe_receipt(call.arg("order")).await }),
    ]
}

impl Console {
    pub(crate) async fn foretell(
        &self,
        user: &str,
        device: &str,
    ) -> Result<api::Erasures, Refusal> {
        let (_, device) = self.known(user, device).await?;
        let wipes = &self.front.wipes;
        Ok(api::Erasures {
            device: wipes.foretell(&device, WipeKind::Device),
            account: wipes.foretell(&device, WipeKind::Account),
        })
    }

    /// Orders of devices whose users the principal sees, the newest first.
    pub(crate) async fn wipe_orders(
        &self,
        principal: &Principal,
    ) -> Result<Vec<api::WipeOrder>, Refusal> {
        let wipes = &self.front.wipes;
        let (mut orders, mut before) = (Vec::new(), u64::MAX);
        loop {
            let page = wipes.orders_before(before).await?;
            let Some(last) = page.last() else { return Ok(orders) };
            before = last.number;
            let users = page.iter().map(|order| order.device.user.clone());
            let seen = self.seen(principal, users).await?;
            for order in page {
                if seen.has(&order.device.user) {
                    orders.push(wipe_order(&order));
                }
                if orders.len() >= LISTED {
                    return Ok(orders);
                }
            }
        }
    }

    /// An order for this device that waits for a second administrator.
    pub(crate) async fn waiting_order(
        &self,
        user: &str,
        device: &str,
        number: &str,
    ) -> Result<api::WipeOrder, Refusal> {
        let order = self.front.wipes.order_of(numbered(number)?).await;
        let order = order.map_err(Refusal::unless("no-wipe", number))?;
        // Whose device it is was permitted, and no other's.
        if order.device != self.key(user, device).await? {
            return Err(Refusal::lacks("no-wipe", number));
        }
        match order.record.waits_for_second() {
            true => Ok(wipe_order(&order)),
            false => Err(Refused::WaitsForNobody(order.number).into()),
        }
    }

    /// How many orders wait for a second administrator, of devices whose users the principal sees.
    pub(crate) async fn wipes_waiting(&self, principal: &Principal) -> Result<u64, Refusal> {
        let wipes = &self.front.wipes;
        if principal.sees_all() {
            return Ok(wipes.count_waiting().await?);
        }
        let waiting = wipes.waiting().await?;
        let users = waiting.iter().map(|order| order.device.user.clone());
        let seen = self.seen(principal, users).await?;
        Ok(waiting.iter().filter(|order| seen.has(&order.device.user)).count() as u64)
    }

    pub(crate) async fn confirm_wipe(
        &self,
        principal: &Principal,
        number: &str,
    ) -> Result<api::WipeOrder, Refusal> {
        let now = (self.front.clock)();
        let (name, behind) = (principal.signature(), principal.behind());
        let by = Administrator { name: &name, behind: &behind };
        let order = self.front.wipes.confirm(numbered(number)?, by, now).await;
        Ok(wipe_order(&order.map_err(Refusal::unless("no-wipe", number))?))
    }

    pub(crate) async fn cancel_wipe(
        &self,
        principal: &Principal,
        number: &str,
    ) -> Result<api::WipeOrder, Refusal> {
        let now = (self.front.clock)();
        let order = self.front.wipes.cancel(numbered(number)?, &principal.name, now).await;
        Ok(wipe_order(&order.map_err(Refusal::unless("no-wipe", number))?))
    }

    pub(crate) async fn wipe_receipt(&self, number: &str) -> Result<serde_json::Value, Refusal> {
        let now = (self.front.clock)();
        let receipt = self.front.wipes.receipt(numbered(number)?, now).await;
        let receipt = receipt.map_err(Refusal::unless("no-wipe", number))?;
        serde_json::to_value(receipt).map_err(Refusal::failed)
    }
}

fn wipe_order(order: &WipeOrder) -> api::WipeOrder {
    let record = &order.record;
    let state = match record {
        _ if record.cancelled.is_some() => "cancelled",
        _ if record.acknowledged.is_some() => "acknowledged",
        _ if record.waits_for_second() => "waiting",
        _ if record.failed.is_some() => "failed",
        _ if record.told.is_some() => "told",
        _ => "ordered",
    };
    api::WipeOrder {
        number: order.number,
        device: name(&order.device),
        of: word(&record.kind),
        by: record.by.clone(),
        requested: order.requested.as_millis(),
        state: state.to_owned(),
        confirmed_by: record.confirmed.as_ref().map(|(by, _)| by.clone()),
        told: record.told.map(dme_model::Timestamp::as_millis),
        acknowledged: record.acknowledged.map(dme_model::Timestamp::as_millis),
    }
}
