//! What waits for a connector's next contact.

use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_store::{ConnectorOrder, WaitingConnectorOrder};

impl Console {
    /// All that waits for a connector, as it will be done.
    pub(crate) async fn connector_orders(
        &self,
        name: &str,
    ) -> Result<Vec<api::ConnectorOrder>, Refusal> {
        let id = self.enrolled(name).await?.id;
        let orders = self.front.store.connector_orders_of(&id).await?;
        let (keys, others): (Vec<_>, Vec<_>) =
            orders.into_iter().partition(|one| one.order < ConnectorOrder::Diagnose);
        let configuration = self.configuration_of(&id).await?;
        let waits = configuration.wanted.filter(|wanted| {
            configuration.in_force != Some(*wanted) && configuration.refused != Some(*wanted)
        });
        let configuration = waits.map(|_| api::ConnectorOrder {
            order: "configuration".into(),
            by: None,
            at: configuration.changed.unwrap_or_default(),
        });
        let (keys, others) = (keys.into_iter().map(Into::into), others.into_iter().map(Into::into));
        Ok(keys.chain(configuration).chain(others).collect())
    }

    /// Has a connector do something at its next contact.
    pub(crate) async fn order_connector(
        &self,
        principal: &Principal,
        name: &str,
        new: &api::NewConnectorOrder,
    ) -> Result<Vec<api::ConnectorOrder>, Refusal> {
        let (id, order) = (self.enrolled(name).await?.id, known(&new.order)?);
        self.front.connector_orders.order(&id, order, &principal.name).await?;
        self.connector_orders(name).await
    }

    /// Calls off what waits for a connector.
    pub(crate) async fn call_off_connector_order(
        &self,
        name: &str,
        order: &str,
    ) -> Result<Vec<api::ConnectorOrder>, Refusal> {
        let (id, order) = (self.enrolled(name).await?.id, known(order)?);
        match self.front.store.end_connector_order(&id, order).await? {
            true => self.connector_orders(name).await,
            false => Err(Refusal::lacks("no-order-waits", order.as_str())),
        }
    }
}

fn known(order: &str) -> Result<ConnectorOrder, Refusal> {
    ConnectorOrder::named(order).ok_or_else(|| Refusal::wrong("no-order", order))
}

impl From<WaitingConnectorOrder> for api::ConnectorOrder {
    fn from(waiting: WaitingConnectorOrder) -> Self {
        Self {
            order: waiting.order.as_str().into(),
            by: Some(waiting.by),
            at: waiting.at.as_seconds(),
        }
    }
}
