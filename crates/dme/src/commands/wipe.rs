//! `dme wipe`: orders to wipe, those that wait for a second administrator, and their receipts.

use super::{server_file, when, when_millis};
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::{Context, Result};
use clap::Subcommand;
use dme_console::api;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// List orders, the newest first.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Say what an order would erase on a device.
    Foretell {
        /// The device's user, `name@realm`.
        user: String,
        /// Its id.
        device: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Confirm an order that somebody else gave, where there were too many in the hour.
    Confirm(One),
    /// Call an order off. A device that was told may carry it out all the same.
    Cancel(One),
    /// Print an order's receipt, signed by the server.
    Receipt(One),
    /// Check that a receipt is as the server signed it.
    Verify {
        /// The receipt, as `dme wipe receipt` prints it.
        file: PathBuf,
        /// The certificate of the server's authority in PEM; where absent, that of the server of
        /// this configuration.
        #[arg(long)]
        authority: Option<PathBuf>,
        /// The server's configuration file.
        #[arg(long, default_value = "/etc/dme/server.toml")]
        config: PathBuf,
    },
}

/// One order.
#[derive(clap::Args)]
pub struct One {
    /// Its number.
    number: u64,
    #[command(flatten)]
    server: AdminOptions,
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::List { json, server } => {
                let orders: Vec<api::WipeOrder> = server.client()?.get(&["wipes"]).await?;
                if json {
                    say_json(&orders)?;
                } else {
                    orders.iter().for_each(say);
                }
            }
            Self::Foretell { user, device, server } => {
                let path = ["devices", &*user, &*device, "erasure"];
                let told: Value = server.client()?.get(&path).await?;
                for (what, kind) in [("the device", "device"), ("the account", "account")] {
                    let text = told[kind]["text"].as_str().unwrap_or_default();
                    say_line(format_args!("wiping {what}: {text}"));
                }
            }
            Self::Confirm(one) => one.change("confirm").await?,
            Self::Cancel(one) => one.change("cancel").await?,
            Self::Receipt(One { number, server }) => {
                let path = ["wipes", &*number.to_string(), "receipt"];
                say_json(&server.client()?.get::<Value>(&path).await?)?;
            }
            Self::Verify { file, authority, config } => verify(&file, authority, &config)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    async fn change(&self, act: &str) -> Result<()> {
        let path = ["wipes", &*self.number.to_string(), act];
        say(&self.server.client()?.post(&path, &json!({})).await?);
        Ok(())
    }
}

fn say(order: &api::WipeOrder) {
    let api::DeviceName { user, device } = &order.device;
    say_line(format_args!(
        "{}: the {} of {user} {device}, ordered by {} at {}: {}",
        order.number,
        order.of,
        order.by,
        when_millis(order.requested),
        order.state
    ));
}

fn verify(file: &PathBuf, authority: Option<PathBuf>, config: &std::path::Path) -> Result<()> {
    let authority = match authority {
        Some(path) => path,
        None => server_file(config)?.server.directory.join("authority").join("authority.pem"),
    };
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let receipt = dme_server::wipes::verify(&read(file)?, &read(&authority)?)?;
    let moment = |at: Option<i64>| at.map_or_else(|| "never".to_owned(), when);
    say_line("the signature fits");
    say_line(format_args!(
        "order {} on {}: {} {}, by {} at {}{}; told {}, acknowledged {}",
        receipt.order,
        receipt.server,
        receipt.user,
        receipt.device,
        receipt.ordered_by,
        when(receipt.ordered_at),
        receipt.confirmed_by.map(|by| format!(", confirmed by {by}")).unwrap_or_default(),
        moment(receipt.told_at),
        moment(receipt.acknowledged_at)
    ));
    Ok(())
}
