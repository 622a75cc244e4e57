//! `dme probe`: acts as a phone against any ActiveSync server and reports each step.

use crate::ask::{password, say_line};
use anyhow::{Context, Result};
use clap::Args;
use dme_eas::ProtocolVersion;
use dme_model::{DeviceId, Span};
use dme_phone::Trust;
use dme_phone::probe::{ProbeOptions, probe};
use std::path::PathBuf;
use std::process::ExitCode;

/// What to probe.
#[derive(Args)]
pub struct Options {
    /// The mail address of the account.
    email: String,
    /// The login, where it is another than the mail address.
    #[arg(long)]
    user: Option<String>,
    /// Read the password from this file; asked for if not given.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// The server, `https://host[:port]/Microsoft-Server-ActiveSync`; found by autodiscover if not
    /// given.
    #[arg(long)]
    server: Option<String>,
    /// Trust the authorities in this PEM file instead of the system's.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Trust any certificate. Whoever sits on the line can then read the password.
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
    /// The newest protocol version to speak.
    #[arg(long, default_value = "16.1")]
    version: ProtocolVersion,
    /// The device's id, as administrators see it; DMEPROBE if not given.
    #[arg(long)]
    device: Option<String>,
    /// How long to watch a Ping before it counts as held, such as `10s`; 3s if not given.
    #[arg(long)]
    hold: Option<Span>,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(options: Options) -> Result<ExitCode> {
    let prompt = format!("password of {}", options.email);
    let password = password(options.password_file.as_deref(), &prompt)?;
    let mut probing = ProbeOptions::new(options.email, password);
    probing.user = options.user;
    probing.version = options.version;
    if let Some(server) = options.server {
        probing.address = Some(server.parse().context("--server")?);
    }
    if let Some(device) = options.device {
        probing.device = DeviceId::new(device);
    }
    if let Some(hold) = options.hold {
        probing.hold = hold.0;
    }
    probing.trust = match (options.ca, options.insecure) {
        (Some(path), _) => {
            let pem =
                std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Trust::Authority(pem)
        }
        (None, true) => Trust::Anyone,
        (None, false) => Trust::System,
    };
    let report = probe(&probing).await;
    if options.json {
        say_line(report.to_json());
    } else {
        say_line(&report);
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
