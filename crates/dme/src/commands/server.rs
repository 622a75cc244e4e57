//! `dme server`.

use super::server_file;
use crate::log;
use anyhow::Result;
use dme_connector::Offered;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

pub async fn run(path: &Path) -> Result<ExitCode> {
    let file = server_file(path)?;
    log::begin(&file.log);
    raise_open_files(file.server.limits.connections);
    let embedded = match &file.embedded {
        Some(config) => Some(dme_connector::services(&Offered::from(config))?),
        None => None,
    };
    let server = dme_console::start(file.server, embedded).await?;
    tracing::info!(phones = %server.phones, admin = %server.admin,
        links = server.links.map(tracing::field::display), "serving");
    terminated().await?;
    tracing::info!("going down: waiting phones are released, running requests are answered");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Each phone is an open file, and the usual soft limit of 1024 would be met on the first morning:
/// the limit is raised as far as the system lets it be.
fn raise_open_files(connections: usize) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < connections as u64 => tracing::warn!(
            limit,
            connections,
            "fewer files may be open than connections are allowed; raise LimitNOFILE"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit on open files could not be raised"),
    }
}

/// Waits for the signal to end.
pub async fn terminated() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
