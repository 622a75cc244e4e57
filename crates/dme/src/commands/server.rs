//! `dme server`.

use super::server_file;
use crate::log;
use anyhow::Result;
use dme_server::role::Server;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

pub async fn run(path: &Path) -> Result<ExitCode> {
    let file = server_file(path)?;
    log::begin(&file.log);
    let embedded = match &file.embedded {
        Some(config) => {
            let people = config.directory_service.as_ref();
            Some(dme_connector::services(config.mail.as_ref(), people)?)
        }
        None => None,
    };
    let server = Server::start(file.server, embedded).await?;
    tracing::info!(phones = %server.phones, admin = %server.admin,
        links = server.links.map(tracing::field::display), "serving");
    terminated().await?;
    tracing::info!("going down: waiting phones are released, running requests are answered");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
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
