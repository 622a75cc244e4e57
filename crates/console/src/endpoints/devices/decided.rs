//! What is decided of one device: its policy, what the rules of admission say of it, what waits for
//! its next contact.

use crate::endpoint::{Endpoint, delete, get, post};
use crate::endpoints::parts::{author, name, numbered, push, word};
use crate::endpoints::revised;
use crate::principal::{Duty, Principal};
use crate::{Console, Refusal, api};
use dme_store::Order;

/// Their endpoints.
pub(in crate::endpoints) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/devices/{user}/{device}/policy", "What holds for a device, and by which level")
            .by(|console, call| async move {
                console.device_policy(call.arg("user"), call.arg("device")).await
            }),
        post("/api/devices/{user}/{device}/policy", "Set a device's own level of policy")
            .fresh()
            .takes::<api::DeviceLevel>()
            .by(|console, mut call| async move {
                let level = call.body()?;
                let key = (call.arg("user"), call.arg("device"));
                console.set_device_policy(&call.principal, key, level).await
            }),
        post(
            "/api/devices/{user}/{device}/policy/setting",
            "Set what a device's own level says of one setting",
        )
        .fresh()
        .takes::<api::OwnSetting>()
        .by(|console, mut call| async move {
            let edit = call.body()?;
            let key = (call.arg("user"), call.arg("device"));
            console.edit_own_setting(&call.principal, key, edit).await
        }),
        get("/api/devices/{user}/{device}/admission", "What the rules say of a device, and which")
            .by(|console, call| async move {
                console.explain_admission(call.arg("user"), call.arg("device")).await
            }),
        post("/api/devices/{user}/{device}/release", "Let a device be that misbehaved")
            .duty(Duty::Operate)
            .by(|console, call| async move {
                let key = (call.arg("user"), call.arg("device"));
                console.release(&call.principal, key).await
            }),
        get("/api/devices/{user}/{device}/orders", "What waits for a device's next contact").by(
            |console, call| async move {
                console.pending_orders(call.arg("user"), call.arg("device")).await
            },
        ),
        post("/api/devices/{user}/{device}/orders", "Have something wait for its next contact")
            .duty(Duty::Operate)
            .takes::<api::NewOrder>()
            .by(|console, mut call| async move {
                let order = call.body()?;
                let key = (call.arg("user"), call.arg("device"));
                console.give_order(&call.principal, key, order).await
            }),
        post("/api/devices/{user}/{device}/send-again", "Send a folder, or an item of it, again")
            .duty(Duty::Operate)
            .takes::<api::SendAgain>()
            .by(|console, mut call| async move {
                let again = call.body()?;
                let key = (call.arg("user"), call.arg("device"));
                console.send_again(&call.principal, key, again).await
            }),
        delete("/api/devices/{user}/{device}/orders/{number}", "Call an order off")
            .duty(Duty::Operate)
            .by(|console, call| async move {
                let key = (call.arg("user"), call.arg("device"));
                console.call_order_off(key, call.arg("number")).await
            }),
        get(
            "/api/devices/{user}/{device}/erasure",
            "What an order to wipe would erase on a device",
        )
        .by(|console, call| async move {
            console.foretell(call.arg("user"), call.arg("device")).await
        }),
    ]
}

impl Console {
    pub(crate) async fn device_policy(
        &self,
        user: &str,
        device: &str,
    ) -> Result<api::DevicePolicy, Refusal> {
        let (key, device) = self.known(user, device).await?;
        let own = self.front.policies.device_level(&key);
        let compliance = self.front.policies.compliance(&device);
        Ok(api::DevicePolicy {
            effective: self.front.policies.effective(&key).await?,
            revision: own.revision,
            own: own.content,
            compliance: word(&compliance),
        })
    }

    pub(crate) async fn set_device_policy(
        &self,
        principal: &Principal,
        (user, device): (&str, &str),
        level: api::DeviceLevel,
    ) -> Result<api::Revised, Refusal> {
        let key = self.key(user, device).await?;
        let (author, push) = (author(principal, level.revision), push(level.push));
        let (policies, now) = (&self.front.policies, (self.front.clock)());
        let before = policies.device_level(&key).content;
        let set = policies.set_device_level(&key, &level.settings, &author, push, now).await?;
        revised::settings(&before, &level.settings);
        Ok(api::Revised { revision: set, devices: vec![name(&key)] })
    }

    pub(crate) async fn explain_admission(
        &self,
        user: &str,
        device: &str,
    ) -> Result<api::Judged, Refusal> {
        let (key, device) = self.known(user, device).await?;
        let decision = self.front.admissions.explain(&device);
        Ok(api::Judged { device: name(&key), now: word(&device.admission), decision })
    }

    pub(crate) async fn release(
        &self,
        principal: &Principal,
        (user, device): (&str, &str),
    ) -> Result<api::Device, Refusal> {
        let key = self.key(user, device).await?;
        let now = (self.front.clock)();
        let released = self.front.behaviours.release(&key, &principal.name, now).await?;
        Ok(self.device(&released))
    }

    pub(crate) async fn pending_orders(
        &self,
        user: &str,
        device: &str,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let (_, device) = self.known(user, device).await?;
        let pending = self.front.pending(&device).into_iter().map(|one| api::PendingOrder {
            number: one.number,
            what: serde_json::to_value(&one.what).unwrap_or_default(),
            by: one.by,
            at: one.at,
        });
        Ok(pending.collect())
    }

    pub(crate) async fn give_order(
        &self,
        principal: &Principal,
        (user, device): (&str, &str),
        order: api::NewOrder,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let key = self.key(user, device).await?;
        let order = match order {
            api::NewOrder::Block => Order::Block,
            api::NewOrder::Policy => Order::Policy,
            api::NewOrder::ResyncAll => Order::ResyncAll,
            api::NewOrder::ResyncFolder(folder) => Order::ResyncFolder(folder),
            api::NewOrder::ResyncItem { folder, item } => Order::ResyncItem { folder, item },
        };
        self.front.order(&key, order, &principal.name).await?;
        self.pending_orders(user, device).await
    }

    pub(crate) async fn send_again(
        &self,
        principal: &Principal,
        key: (&str, &str),
        api::SendAgain { folder, item }: api::SendAgain,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let order = match item.filter(|item| !item.is_empty()) {
            Some(item) => api::NewOrder::ResyncItem { folder, item },
            None => api::NewOrder::ResyncFolder(folder),
        };
        self.give_order(principal, key, order).await
    }

    pub(crate) async fn call_order_off(
        &self,
        (user, device): (&str, &str),
        number: &str,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let key = self.key(user, device).await?;
        let called_off = self.front.call_off(&key, numbered(number)?).await;
        called_off.map_err(Refusal::unless("no-order-numbered", number))?;
        self.pending_orders(user, device).await
    }
}
