//! What a user gets in by: sessions in browsers, passwords and certificates of devices.

use crate::admin::AdminOptions;
use crate::ask::{say_each, say_line};
use crate::commands::when;
use anyhow::Result;
use clap::Args;
use dme_console::api;
use serde::de::DeserializeOwned;
use serde_json::json;

/// A user's sessions, and which of them are ended.
#[derive(Args)]
pub struct Sessions {
    /// A login, in any form a phone may send.
    user: String,
    /// End this one.
    #[arg(long, value_name = "SESSION", allow_hyphen_values = true)]
    end: Option<String>,
    /// End all of them, and what was begun to sign in by.
    #[arg(long, conflicts_with = "end")]
    end_all: bool,
    /// As JSON.
    #[arg(long, conflicts_with_all = ["end", "end_all"])]
    json: bool,
    #[command(flatten)]
    server: AdminOptions,
}

/// Passwords or certificates of a user's devices, and which of them is taken back.
#[derive(Args)]
pub struct OfDevices {
    /// A login, in any form a phone may send.
    user: String,
    /// Take the one of this number back, at once.
    #[arg(long, value_name = "NUMBER")]
    revoke: Option<i64>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: AdminOptions,
}

impl Sessions {
    pub async fn run(self) -> Result<()> {
        let client = self.server.client()?;
        let path = ["users", &*self.user, "sessions"];
        let ends = match &self.end {
            Some(session) => Some([&path[..], &[&**session, "end"]].concat()),
            None => self.end_all.then(|| [&path[..], &["end"]].concat()),
        };
        if let Some(path) = ends {
            let api::SessionsEnded { ended } = client.post(&path, &json!({})).await?;
            say_line(format_args!("{ended} sessions are ended"));
            return Ok(());
        }
        let all: Vec<api::UserSession> = client.get(&path).await?;
        say_each(&all, self.json, "nobody is signed in by this name", |one| {
            let place = if one.of == "my" { "the user's own page" } else { "the console" };
            say_line(format_args!(
                "{}: {place}, by {}, since {}, last seen {}",
                one.session,
                one.by,
                when(one.began),
                when(one.seen)
            ));
            say_line(format_args!("  from {} with {}", one.client, one.agent));
        })
    }
}

impl OfDevices {
    pub async fn passwords(self) -> Result<()> {
        let json = self.json;
        let all: Vec<api::DevicePassword> = self.all("passwords").await?;
        say_each(&all, json, "no device has a password of its own", |one| {
            let used = used_by(one.device.as_deref());
            say_line(format_args!(
                "{}: {}, made {}, {used}",
                one.number,
                one.label,
                when(one.made)
            ));
        })
    }

    pub async fn certificates(self) -> Result<()> {
        let json = self.json;
        let all: Vec<api::DeviceCertificate> = self.all("certificates").await?;
        say_each(&all, json, "no device has a certificate", |one| {
            let used = used_by(one.device.as_deref());
            say_line(format_args!(
                "{}: {}, made {}, ends {}, {used}",
                one.number,
                one.label,
                when(one.made),
                when(one.ends)
            ));
            say_line(format_args!("  serial number {}", one.serial));
        })
    }

    /// Those there are, after one was taken back where that is wanted.
    async fn all<T: DeserializeOwned>(self, what: &str) -> Result<Vec<T>> {
        let client = self.server.client()?;
        let path = ["users", &*self.user, what];
        match self.revoke {
            None => client.get(&path).await,
            Some(number) => {
                let number = number.to_string();
                client.post(&[&path[..], &[&*number, "revoke"]].concat(), &json!({})).await
            }
        }
    }
}

fn used_by(device: Option<&str>) -> String {
    device.map_or_else(|| "never used".to_owned(), |device| format!("used by {device}"))
}
