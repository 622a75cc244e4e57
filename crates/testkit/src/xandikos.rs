//! Xandikos (Debian's `xandikos`) on a free loopback port: one user's calendar and address book in
//! a git repository. It asks for no password.

use crate::ports::free_port;
use crate::process::{Folder, Process};
use std::process::Command;

/// A running server.
#[derive(Debug)]
pub struct Xandikos {
    /// Where it listens.
    pub port: u16,
    process: Option<Process>,
    folder: Folder,
}

impl Xandikos {
    /// Starts a server whose one user is `user`, and waits until it accepts connections.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(user: &str) -> anyhow::Result<Self> {
        let folder = Folder::new("xandikos")?;
        let mut last = None;
        // Another process may take the port between its choice and its use.
        for _ in 0..3 {
            let port = free_port()?;
            let mut command = Command::new("/usr/bin/python3");
            command.arg("/usr/bin/xandikos").arg("--defaults").arg("-d");
            command.arg(folder.path().join("data")).args(["-l", "127.0.0.1", "-p"]);
            command.arg(port.to_string()).arg("--current-user-principal").arg(format!("/{user}/"));
            // It keeps its data in git, which wants to know who writes.
            command.env("HOME", folder.path()).env("EMAIL", "test@example.org");
            let log = folder.path().join("xandikos.log");
            let started = Process::start("xandikos", &mut command, &log)
                .and_then(|mut process| process.wait_ready(&[port]).map(|()| process));
            match started {
                Ok(process) => return Ok(Self { port, process: Some(process), folder }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("xandikos was not tried")))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Where its data and log are.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }
}
