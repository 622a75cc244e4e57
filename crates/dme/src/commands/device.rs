//! `dme device`.

mod bulk;
mod list;
mod told;

use super::when;
use crate::admin::AdminOptions;
use crate::ask::say_line;
use anyhow::Result;
use clap::{Args, Subcommand};
use dme_console::api;
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// List devices, those that came last first.
    List(list::Wanted),
    /// Let a device synchronise.
    Allow(One),
    /// Give a device nothing but the mail that explains.
    Quarantine(One),
    /// Refuse a device.
    Block(One),
    /// Order a device to erase itself at its next contact.
    Wipe {
        #[command(flatten)]
        one: One,
        /// Only what came from this server (needs protocol 16.1; an older phone is shut out).
        #[arg(long)]
        account: bool,
        /// Call an order off that the device has not acknowledged.
        #[arg(long, conflicts_with = "account")]
        undo: bool,
    },
    /// Have a device fetch everything anew, at once; or one folder, or one item, at its next contact.
    Resync {
        #[command(flatten)]
        one: One,
        /// Only the folder of this number.
        #[arg(long)]
        folder: Option<u32>,
        /// Only this item of the folder.
        #[arg(long, requires = "folder")]
        item: Option<String>,
    },
    /// Have a device take its policy anew at its next contact.
    Reprovision(One),
    /// Let a device be that was slowed down or shut out because it misbehaved.
    Release(One),
    /// What waits for a device's next contact; with a number, call that off.
    Orders {
        #[command(flatten)]
        one: One,
        /// Call this one off.
        #[arg(long)]
        cancel: Option<u64>,
    },
    /// Forget a device; if it comes again it is a new one.
    Remove(One),
    /// What happened between a device and the mail system that someone may ask about.
    Trace(One),
    /// The folders a device knows, and what it has of each.
    Folders(One),
    /// What a device was told lately: which item, when it was known, sent and acknowledged.
    Steps(One),
    /// Do one thing to many devices, each as if it were done alone.
    Bulk(bulk::Bulk),
}

/// One device.
#[derive(Args)]
pub struct One {
    /// Its user, `name@realm`.
    user: String,
    /// Its id, as `dme device list` shows it.
    device: String,
    #[command(flatten)]
    server: AdminOptions,
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::List(wanted) => wanted.run().await?,
            Self::Allow(one) => one.change("allow").await?,
            Self::Quarantine(one) => one.change("quarantine").await?,
            Self::Block(one) => one.change("block").await?,
            Self::Wipe { one, undo: true, .. } => one.change("unwipe").await?,
            Self::Wipe { one, account: true, .. } => one.change("wipe-account").await?,
            Self::Wipe { one, .. } => one.change("wipe").await?,
            Self::Resync { one, folder: None, .. } => one.change("resync").await?,
            Self::Resync { one, folder: Some(folder), item } => {
                one.order(&match item {
                    Some(item) => api::NewOrder::ResyncItem { folder, item },
                    None => api::NewOrder::ResyncFolder(folder),
                })
                .await?;
            }
            Self::Reprovision(one) => one.order(&api::NewOrder::Policy).await?,
            Self::Release(one) => {
                let path = ["devices", &*one.user, &*one.device, "release"];
                say(&one.server.client()?.post(&path, &json!({})).await?);
            }
            Self::Orders { one, cancel } => {
                let client = one.server.client()?;
                let path = ["devices", &*one.user, &*one.device, "orders"];
                let pending: Vec<api::PendingOrder> = match cancel {
                    None => client.get(&path).await?,
                    Some(number) => {
                        let number = number.to_string();
                        client.delete(&[&path[..], &[&*number]].concat()).await?
                    }
                };
                say_pending(&pending);
            }
            Self::Remove(one) => {
                let path = ["devices", &*one.user, &*one.device, "remove"];
                let _: serde_json::Value = one.server.client()?.post(&path, &json!({})).await?;
                say_line(format_args!("{} is forgotten", one.device));
            }
            Self::Trace(one) => {
                let path = ["devices", &*one.user, &*one.device, "trace"];
                let entries: Vec<serde_json::Value> = one.server.client()?.get(&path).await?;
                if entries.is_empty() {
                    say_line("nothing is on record: no conflict, no mail that could not be read");
                }
                entries.iter().for_each(say_line);
            }
            Self::Folders(one) => one.folders().await?,
            Self::Steps(one) => one.steps().await?,
            Self::Bulk(bulk) => return bulk.run().await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    async fn order(&self, order: &api::NewOrder) -> Result<()> {
        let path = ["devices", &*self.user, &*self.device, "orders"];
        let pending: Vec<api::PendingOrder> = self.server.client()?.post(&path, order).await?;
        say_pending(&pending);
        Ok(())
    }

    async fn change(&self, action: &str) -> Result<()> {
        let path = ["devices", &*self.user, &*self.device, action];
        let changed: api::DeviceChanged = self.server.client()?.post(&path, &json!({})).await?;
        changed.device.iter().for_each(say);
        if let Some(warning) = changed.warning {
            say_line(format_args!("  warning: {warning}"));
        }
        Ok(())
    }
}

fn say_pending(pending: &[api::PendingOrder]) {
    if pending.is_empty() {
        say_line("nothing waits for the device");
    }
    for order in pending {
        let number = order.number.map(|number| format!("{number}: ")).unwrap_or_default();
        let by = order.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
        say_line(format_args!("{number}{}{by}", order.what));
    }
}

/// A device in two lines.
pub fn say(device: &api::Device) {
    let model = device.information.get("model").and_then(|model| model.as_str()).unwrap_or("");
    say_line(format_args!(
        "{} {} {} {model}: {}",
        device.user, device.device, device.kind, device.admission
    ));
    say_line(format_args!(
        "  protocol {}, first seen {}, last seen {}, policy {}, wipe {}",
        device.protocol,
        when(device.first_seen),
        when(device.last_seen),
        if device.policy { "acknowledged" } else { "not acknowledged" },
        device.wipe
    ));
    if let Some(edge) = &device.edge {
        say_line(format_args!("  served at the edge {edge}"));
    }
    if let Some(decision) = &device.decision {
        say_line(format_args!("  {} {decision}", device.admission));
    }
    if let Some(hold) = &device.hold {
        say_line(format_args!("  {hold}"));
    }
    if device.waiting > 0 {
        say_line(format_args!("  {} orders wait for its next contact", device.waiting));
    }
}
