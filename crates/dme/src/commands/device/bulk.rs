//! One thing done to many devices.

use crate::admin::AdminOptions;
use crate::ask::say_line;
use anyhow::Result;
use clap::{Args, ValueEnum};
use dme_console::api;
use std::process::ExitCode;

/// What is done to which devices.
#[derive(Args)]
pub struct Bulk {
    /// What is done.
    act: Act,
    /// The devices, each as USER/DEVICE; 500 at the most.
    #[arg(required = true)]
    devices: Vec<String>,
    #[command(flatten)]
    server: AdminOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum Act {
    /// Let them synchronise.
    Allow,
    /// Have them wait.
    Quarantine,
    /// Refuse them.
    Block,
    /// Have them fetch everything anew.
    Resync,
    /// Have the account on them erased.
    WipeAccount,
}

impl Bulk {
    /// Prints what became of each; fails where one was not done.
    pub async fn run(self) -> Result<ExitCode> {
        let (client, devices) = (self.server.client()?, self.devices);
        let act = match self.act {
            Act::Allow => Some("allow"),
            Act::Quarantine => Some("quarantine"),
            Act::Block => Some("block"),
            Act::Resync => Some("resync"),
            Act::WipeAccount => None,
        };
        let done: api::BulkDone = match act {
            None => client.post(&["bulk", "wipe-account"], &api::BulkWipe { devices }).await?,
            Some(act) => {
                let act = act.to_owned();
                client.post(&["bulk", "devices"], &api::Bulk { act, devices }).await?
            }
        };
        for api::BulkItem { device, done, said } in &done.results {
            let mark = if *done { "✓" } else { "✗" };
            say_line(format_args!("{mark} {device} {said}"));
        }
        let all = done.results.iter().all(|one| one.done);
        Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
