//! `dme connector configure` and `diagnose`: what a connector serves, and how it is.

use crate::admin::{AdminClient, AdminOptions};
use crate::ask::{say, say_line};
use crate::commands::when;
use crate::settings::as_written;
use anyhow::{Context, Result, anyhow};
use dme_connector::configuration::{SealedConfiguration, seal};
use dme_console::api;
use dme_link::{Diagnosis, SealingKey};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// How long a linked connector may take to say what it makes of a configuration.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether it did.
const LOOK: Duration = Duration::from_millis(200);

/// Seals the file's secrets here, wants the rest of the connector, and waits for its word.
pub async fn configure(server: &AdminOptions, name: &str, file: &Path) -> Result<ExitCode> {
    let client = server.client()?;
    let path = ["connectors", name, "configuration"];
    let before: api::Configuration = client.get(&path).await?;
    let key = before.key.ok_or_else(|| {
        anyhow!(
            "{name} has not told its key yet: it does when it links, from the release on that takes \
             configurations"
        )
    })?;
    let sealing = SealingKey::try_from(key.clone()).context("the key the server knows")?;
    let sealed = seal(as_written(file)?, &sealing)
        .with_context(|| format!("in the configuration {}", file.display()))?;
    let SealedConfiguration { text, sealed } = sealed;
    let new = api::NewConfiguration { key, text, sealed };
    let now: api::Configuration = client.post(&path, &new).await?;
    let wanted = now.wanted.unwrap_or_default();
    say_line(format_args!("{name}: version {wanted} is wanted"));
    if !now.linked {
        say_line("it is not linked; it gets this when it links");
        return Ok(ExitCode::SUCCESS);
    }
    outcome(&client, name, wanted).await
}

/// Takes back what is wanted.
pub async fn withdraw(server: &AdminOptions, name: &str) -> Result<()> {
    let path = ["connectors", name, "configuration"];
    let now: api::Configuration = server.client()?.delete(&path).await?;
    say_line(format_args!("{name}: {}", standing(&now)));
    Ok(())
}

async fn outcome(client: &AdminClient, name: &str, wanted: u64) -> Result<ExitCode> {
    let end = Instant::now() + PATIENCE;
    loop {
        let now: api::Configuration = client.get(&["connectors", name, "configuration"]).await?;
        if now.in_force == Some(wanted) {
            say_line(format_args!("in force: {wanted}"));
            return Ok(ExitCode::SUCCESS);
        }
        if now.refused == Some(wanted) || Instant::now() >= end {
            say_line(standing(&now));
            return Ok(ExitCode::FAILURE);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What is wanted, what holds, and why they differ, in one line.
pub fn standing(configuration: &api::Configuration) -> String {
    let in_force = configuration.in_force.map_or("none".to_owned(), |one| one.to_string());
    let Some(wanted) = configuration.wanted else {
        return match (configuration.in_force, configuration.serves) {
            (Some(in_force), _) => format!("none wanted any more, in force {in_force}"),
            (None, Some(false)) => {
                "none yet: say with `dme connector configure` what it is to serve".to_owned()
            }
            (None, Some(true)) => "in the connector's own file".to_owned(),
            (None, None) => "in the connector's own file, as far as is known".to_owned(),
        };
    };
    let reason = match (&configuration.reason, configuration.refused) {
        (Some(reason), Some(refused)) if refused == wanted => format!(": {reason}"),
        _ if configuration.in_force == Some(wanted) => String::new(),
        _ if !configuration.linked => ": it is not linked".to_owned(),
        _ => ": it has not answered yet".to_owned(),
    };
    format!("wanted {wanted}, in force {in_force}{reason}")
}

/// Says what is wanted of a connector, and what it says.
pub fn say_standing(configuration: &api::Configuration) {
    say_line(format_args!("  services: {}", standing(configuration)));
    if let Some(changed) = configuration.changed {
        say_line(format_args!("    wanted since {}", when(changed)));
    }
    if let Some(fingerprint) = &configuration.key_fingerprint {
        say_line(format_args!("    secrets are sealed to the key {fingerprint}"));
    }
}

/// Gets what a connector finds out about itself, as JSON.
pub async fn diagnose(
    server: &AdminOptions,
    name: &str,
    output: Option<&Path>,
    last: bool,
) -> Result<()> {
    let client = server.client()?;
    let diagnosis: Diagnosis = match last {
        true => {
            let last: api::LastDiagnosis = client.get(&["connectors", name, "diagnosis"]).await?;
            last.diagnosis.with_context(|| format!("{name} was never asked"))?.0
        }
        false => client.post(&["connectors", name, "diagnose"], &json!({})).await?,
    };
    let text = format!("{}\n", serde_json::to_string_pretty(&diagnosis)?);
    match output {
        None => say(&text),
        Some(file) => {
            std::fs::write(file, text)
                .with_context(|| format!("cannot write {}", file.display()))?;
            say_line(format_args!("{name}: written to {}", file.display()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_and_what_holds_are_told_in_one_line() {
        let one = |in_force, refused: Option<u64>, linked| {
            standing(&api::Configuration {
                linked,
                serves: None,
                key: None,
                key_fingerprint: None,
                wanted: Some(3),
                changed: None,
                text: None,
                in_force,
                refused,
                reason: refused.map(|_| "mail: no host".to_owned()),
                reported: None,
            })
        };
        assert_eq!(one(Some(3), None, true), "wanted 3, in force 3");
        assert_eq!(one(Some(2), Some(3), true), "wanted 3, in force 2: mail: no host");
        assert_eq!(one(None, None, false), "wanted 3, in force none: it is not linked");
        assert_eq!(one(Some(1), Some(2), true), "wanted 3, in force 1: it has not answered yet");
        let none = |serves| {
            let none = api::Configuration { serves, ..api::Configuration::default() };
            standing(&none)
        };
        assert!(none(Some(false)).starts_with("none yet"));
        assert_eq!(none(Some(true)), "in the connector's own file");
    }
}
