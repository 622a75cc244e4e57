//! What waits for a connector's next contact.

use super::super::when;
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::Result;
use dme_console::api;

/// Has a connector do something at its next contact.
pub async fn order(server: &AdminOptions, name: &str, order: &str) -> Result<()> {
    let new = api::NewConnectorOrder { order: order.into() };
    let waiting: Vec<api::ConnectorOrder> =
        server.client()?.post(&["connectors", name, "orders"], &new).await?;
    say(&waiting, "");
    Ok(())
}

/// What waits, or what is left of it when one was called off.
pub async fn show(
    server: &AdminOptions,
    name: &str,
    call_off: Option<&str>,
    json: bool,
) -> Result<()> {
    let client = server.client()?;
    let waiting: Vec<api::ConnectorOrder> = match call_off {
        Some(order) => client.delete(&["connectors", name, "orders", order]).await?,
        None => client.get(&["connectors", name, "orders"]).await?,
    };
    if json {
        return say_json(&waiting);
    }
    if waiting.is_empty() {
        say_line("nothing waits");
    }
    say(&waiting, "");
    Ok(())
}

/// One line for each.
pub fn say(waiting: &[api::ConnectorOrder], indent: &str) {
    for api::ConnectorOrder { order, by, at } in waiting {
        let by = by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
        say_line(format_args!(
            "{indent}waits for its next contact: {order}, since {}{by}",
            when(*at)
        ));
    }
}
