//! `dme console`: the way into the administrators' pages.

use crate::admin::AdminOptions;
use crate::ask::say_line;
use anyhow::Result;
use dme_console::api::ConsoleLink;
use serde_json::json;
use std::process::ExitCode;

/// Makes a link and prints it.
pub async fn run(options: AdminOptions) -> Result<ExitCode> {
    let client = options.client()?;
    let link: ConsoleLink = client.post(&["console", "link"], &json!({})).await?;
    say_line(format_args!(
        "Open this within five minutes; it works once:\n\n  http://{}{}\n",
        client.address(),
        link.path
    ));
    Ok(ExitCode::SUCCESS)
}
