//! `dme status`: whether all is well, and what wants somebody.

use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::Args;
use dme_console::api;
use std::process::ExitCode;

/// What the console's first page says.
#[derive(Args)]
pub struct Options {
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: AdminOptions,
}

/// Prints it; fails where something goes wrong now, for scripts that watch.
pub async fn run(Options { json, server }: Options) -> Result<ExitCode> {
    let seen: api::Overview = server.client()?.get(&["overview"]).await?;
    let is_grave = seen.wants.iter().any(|want| want.grave);
    let code = if is_grave { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if json {
        say_json(&seen)?;
        return Ok(code);
    }
    if seen.wants.is_empty() {
        say_line("all is well");
    }
    for api::Want { grave, text, .. } in &seen.wants {
        let mark = if *grave { "✗" } else { "!" };
        say_line(format_args!("{mark} {text}"));
    }
    let api::Overview { devices, allowed, users, connectors, running, disk, .. } = seen;
    say_line(format_args!(
        "{devices} devices of {users} users, {allowed} allowed; {running} of {connectors} \
         connectors run"
    ));
    if let Some(api::Disk { free, total }) = disk {
        let mib = |bytes: u64| bytes >> 20;
        say_line(format_args!("{} MiB of {} MiB are free on its disk", mib(free), mib(total)));
    }
    Ok(code)
}
