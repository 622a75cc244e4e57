//! `dme policy`: what phones must be set to, on which level.

mod groups;

use super::read_json;
use crate::admin::{AdminClient, AdminOptions};
use crate::ask::{say_json, say_line};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use dme_console::api;
use dme_policy::{Bounds, Client, Defined, Levels, Rules, Setting, are_told};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What writes the files that are read here.
const WRITTEN_BY: &str = "dme policy show --json";

#[derive(Subcommand)]
pub enum Command {
    /// List the settings there are: what they mean, which values they have, who obeys them.
    Settings,
    /// Show the levels; with a device, what holds for it and by which level.
    Show {
        /// A device's user, `name@realm`.
        #[arg(requires = "device")]
        user: Option<String>,
        /// The device's id.
        device: Option<String>,
        /// As JSON: of the levels, what `dme policy load` takes.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Set a setting on a level: the default one, a group's or a device's.
    Set {
        /// Its name, such as `MinDevicePasswordLength`.
        setting: Setting,
        /// Its value: `true`, a number, `none` for no limit, a word, or texts parted by commas.
        value: String,
        /// The levels below may not go under this.
        #[arg(long)]
        least: Option<u32>,
        /// The levels below may not go over this.
        #[arg(long)]
        most: Option<u32>,
        /// The levels below may not change it.
        #[arg(long)]
        lock: bool,
        #[command(flatten)]
        at: Place,
    },
    /// Take a setting away from a level, so that the one above counts again.
    Unset {
        /// Its name.
        setting: Setting,
        #[command(flatten)]
        at: Place,
    },
    /// Make groups of devices, put them in order, take them away.
    Group {
        #[command(subcommand)]
        command: groups::Command,
    },
    /// Set all levels from a file, as `dme policy show --json` writes it.
    Load {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Say whom the levels in a file would affect, and change nothing.
    Preview {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        server: AdminOptions,
    },
}

/// On which level.
#[derive(Args)]
pub struct Place {
    /// On this group's level.
    #[arg(long, conflicts_with = "device")]
    group: Option<String>,
    /// On a device's own level.
    #[arg(long, num_args = 2, value_names = ["USER", "DEVICE"])]
    device: Option<Vec<String>>,
    /// Say whom it would affect, and change nothing. Not for a device's level.
    #[arg(long, conflicts_with = "device")]
    preview: bool,
    #[command(flatten)]
    how: How,
}

/// How a change takes effect.
#[derive(Args)]
pub struct How {
    /// Waiting phones take it at once, not with their next request.
    #[arg(long)]
    push: bool,
    #[command(flatten)]
    server: AdminOptions,
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Settings => list_settings(),
            Self::Show { user: Some(user), device: Some(device), json, server } => {
                show_device(&server.client()?, &user, &device, json).await?;
            }
            Self::Show { json, server, .. } => show_levels(&server.client()?, json).await?,
            Self::Set { setting, value, least, most, lock, at } => {
                let kind = setting.kind();
                let value = kind
                    .parse(&value)
                    .with_context(|| format!("{setting} cannot be {value}: {}", kind.allowed()))?;
                let limited = least.is_some() || most.is_some();
                let bounds = limited.then_some(Bounds::Range { least, most });
                let defined = Defined { value: Some(value), bounds, locked: lock };
                at.change(|rules| drop(rules.insert(setting, defined.clone()))).await?;
            }
            Self::Unset { setting, at } => at.change(|rules| drop(rules.remove(&setting))).await?,
            Self::Group { command } => command.run().await?,
            Self::Load { file, how } => {
                let read: api::PolicyChange = read_json(&file, WRITTEN_BY)?;
                set_levels(&how.server.client()?, read.revision, &read.levels, how.push).await?;
            }
            Self::Preview { file, server } => {
                let read: api::PolicyChange = read_json(&file, WRITTEN_BY)?;
                preview(&server.client()?, &read.levels).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Place {
    async fn change(self, change: impl Fn(&mut Rules)) -> Result<()> {
        let client = self.how.server.client()?;
        if let Some([user, device]) = self.device.as_deref() {
            let path = ["devices", &**user, &**device, "policy"];
            let held: Value = client.get(&path).await?;
            let mut settings: Rules = serde_json::from_value(held["own"].clone())?;
            change(&mut settings);
            let revision = held["revision"].as_u64().unwrap_or(0);
            let level = api::DeviceLevel { revision, settings, push: self.how.push };
            let revised: api::Revised = client.post(&path, &level).await?;
            say_line(format_args!("the device's own level is at revision {}", revised.revision));
            return Ok(());
        }
        let held: api::PolicyLevels = client.get(&["policy"]).await?;
        let mut levels = held.levels;
        let rules = match &self.group {
            None => &mut levels.default,
            Some(name) => {
                let place = levels.place(name).ok_or_else(|| {
                    anyhow!("there is no group {name}; `dme policy group make` makes one")
                })?;
                &mut levels.groups[place].settings
            }
        };
        change(rules);
        let own = rules.clone();
        let are_told = are_told(&[&own, &levels.default, &held.configuration]);
        match self.preview {
            true => preview(&client, &levels).await?,
            false => set_levels(&client, held.revision, &levels, self.how.push).await?,
        }
        if !are_told {
            let at = self.group.map(|name| format!(" --group {name:?}")).unwrap_or_default();
            say_line(format_args!(
                "Enforcement is off there: phones are told none of it until `dme policy set \
                 Enforcement required{at}`"
            ));
        }
        Ok(())
    }
}

async fn set_levels(
    client: &AdminClient,
    revision: u64,
    levels: &Levels,
    push: bool,
) -> Result<()> {
    let change = api::PolicyChange { revision, levels: levels.clone(), push };
    let revised: api::Revised = client.post(&["policy"], &change).await?;
    say_line(format_args!(
        "the levels are at revision {}; {} devices take another policy",
        revised.revision,
        revised.devices.len()
    ));
    Ok(())
}

async fn preview(client: &AdminClient, levels: &Levels) -> Result<()> {
    let trial = api::PolicyTrial { levels: levels.clone() };
    let seen: Value = client.post(&["policy", "preview"], &trial).await?;
    let list = |key: &str| seen[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for one in list("changed") {
        let device = &one["device"];
        say_line(format_args!("{} {}:", text(&device["user"]), text(&device["device"])));
        for change in one["settings"].as_array().cloned().unwrap_or_default() {
            let (was, will) = (&change["before"], &change["after"]);
            say_line(format_args!("  {} {was} -> {will}", text(&change["setting"])));
        }
    }
    for one in list("overridden") {
        let device = &one["device"];
        say_line(format_args!(
            "{} {} keeps {}: {}",
            text(&device["user"]),
            text(&device["device"]),
            text(&one["setting"]),
            one["by"]
        ));
    }
    say_line(format_args!("{} devices are not concerned", seen["untouched"]));
    Ok(())
}

fn list_settings() {
    for setting in Setting::ALL {
        let about = setting.about();
        say_line(format_args!("{}: {}", about.name, about.meaning));
        say_line(format_args!("  {}; unless set: {}", about.kind.allowed(), about.kind.unset()));
        let obeyed = Client::ALL
            .map(|client| format!("{}: {}", client.name(), about.obeyed.by(client).as_str()));
        say_line(format_args!("  obeyed by {}", obeyed.join(", ")));
        if !about.note.is_empty() {
            say_line(format_args!("  {}", about.note));
        }
    }
}

async fn show_levels(client: &AdminClient, json: bool) -> Result<()> {
    let held: api::PolicyLevels = client.get(&["policy"]).await?;
    if json {
        return say_json(&json!({ "revision": held.revision, "levels": held.levels }));
    }
    say_line(format_args!("revision {}, by {:?}", held.revision, held.author));
    say_rules("the server's configuration", &held.configuration);
    say_rules("the default level", &held.levels.default);
    for group in held.levels.groups.iter().rev() {
        say_rules(&format!("the group {}", group.name), &group.settings);
    }
    say_line("each counts where nothing after it says otherwise");
    Ok(())
}

fn say_rules(title: &str, rules: &Rules) {
    say_line(format_args!("{title}:"));
    for (setting, defined) in rules {
        let value = defined.value.as_ref().map(ToString::to_string).unwrap_or_default();
        let bounds = defined.bounds.as_ref().map(|bounds| format!(", below {bounds}"));
        let locked = if defined.locked { ", locked" } else { "" };
        say_line(format_args!("  {setting} {value}{}{locked}", bounds.unwrap_or_default()));
    }
}

async fn show_device(client: &AdminClient, user: &str, device: &str, json: bool) -> Result<()> {
    let held: Value = client.get(&["devices", user, device, "policy"]).await?;
    if json {
        return say_json(&held);
    }
    let Some(settings) = held["effective"]["settings"].as_object() else {
        bail!("the server's answer has no settings");
    };
    say_line(format_args!("compliance: {}", held["compliance"].as_str().unwrap_or_default()));
    for (setting, settled) in settings {
        let from = &settled["from"];
        let level = from["level"].as_str().unwrap_or_default();
        if level != "built_in" {
            let name = from["name"].as_str().map(|name| format!(" {name}")).unwrap_or_default();
            say_line(format_args!("  {setting} {} ({level}{name})", settled["value"]));
        }
    }
    Ok(())
}
