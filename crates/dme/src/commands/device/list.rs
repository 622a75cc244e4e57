//! Which devices are listed.

use super::say;
use crate::admin::AdminOptions;
use crate::ask::say_each;
use anyhow::Result;
use clap::Args;
use dme_console::api;

/// Which devices; all of them where nothing is said.
#[derive(Args)]
pub struct Wanted {
    /// Only this user's.
    #[arg(conflicts_with = "Filters")]
    user: Option<String>,
    #[command(flatten)]
    filters: Filters,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: AdminOptions,
}

/// What they must be.
#[derive(Args)]
#[group(id = "Filters", multiple = true)]
struct Filters {
    /// With this in what they or their users are called.
    #[arg(long)]
    text: Option<String>,
    /// Of this state: allowed, quarantined or blocked.
    #[arg(long)]
    admission: Option<String>,
    /// Whose wipe has come so far: none, requested, sent or acknowledged.
    #[arg(long)]
    wipe: Option<String>,
    /// That call their kind so, such as iPhone.
    #[arg(long)]
    kind: Option<String>,
    /// That spoke this version of the protocol last, such as 16.1.
    #[arg(long)]
    protocol: Option<String>,
    /// Whose operating system's name begins so.
    #[arg(long)]
    os: Option<String>,
    /// How they do what their policy says: `not_asked`, pending, compliant, partial or refused.
    #[arg(long)]
    compliance: Option<String>,
    /// Whose user this connector serves.
    #[arg(long)]
    connector: Option<String>,
    /// Whose user is in this directory group, at any depth.
    #[arg(long)]
    group: Option<String>,
    /// That came within so many days.
    #[arg(long)]
    within_days: Option<u32>,
    /// That did not come for so many days.
    #[arg(long)]
    idle_days: Option<u32>,
    /// That misbehave.
    #[arg(long)]
    held: bool,
    /// So many at the most.
    #[arg(long)]
    limit: Option<u32>,
}

impl Filters {
    fn query(self) -> Vec<(&'static str, String)> {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let all = [
            ("text", self.text),
            ("admission", self.admission),
            ("wipe", self.wipe),
            ("kind", self.kind),
            ("protocol", self.protocol),
            ("os", self.os),
            ("compliance", self.compliance),
            ("connector", self.connector),
            ("group", self.group),
            ("within_days", number(self.within_days)),
            ("idle_days", number(self.idle_days)),
            ("held", self.held.then(|| "true".to_owned())),
            ("limit", number(self.limit)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl Wanted {
    pub async fn run(self) -> Result<()> {
        let client = self.server.client()?;
        let devices: Vec<api::Device> = match &self.user {
            Some(user) => client.get(&["devices", user]).await?,
            None => client.ask(&["devices"], &self.filters.query()).await?,
        };
        say_each(&devices, self.json, "no devices", say)
    }
}
