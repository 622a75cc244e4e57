//! Sending a connector to other addresses of the server (rule L3).

use crate::{Console, Refusal, api};
use dme_link::DrainOrder;
use dme_server::config::{MOST_ADDRESSES, link_address};
use dme_server::records::audit::changed;
use std::time::Duration;

impl Console {
    /// Has a connector that is linked make its next link at other addresses. The old one goes on
    /// until that stands.
    pub(crate) async fn move_connector(
        &self,
        name: &str,
        to: api::Elsewhere,
    ) -> Result<api::Moving, Refusal> {
        if to.servers.is_empty() || to.servers.len() > MOST_ADDRESSES {
            return Err(Refusal::wrong("addresses-count", MOST_ADDRESSES.to_string()));
        }
        for server in &to.servers {
            link_address(server).map_err(|what| {
                Refusal::bad(format!("one of servers {what}")).said("no-address", server)
            })?;
        }
        let record = self.enrolled(name).await?;
        if !self.links.is_linked(&record.id) {
            return Err(Refusal::clash("moved-unlinked", record.name));
        }
        changed("servers", None, Some(to.servers.join(", ")));
        tracing::info!(connector = record.name, servers = ?to.servers, "sent elsewhere");
        let order = DrainOrder { after: Duration::ZERO, servers: to.servers.clone() };
        self.links.drain(&record.id, &order);
        Ok(api::Moving { connector: record.name, servers: to.servers })
    }
}
