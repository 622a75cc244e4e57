//! Dnsmasq (Debian's `dnsmasq-base`) on a free loopback port: DNS records of a test's own.

use crate::ports::free_port;
use crate::process::{Folder, Process};
use std::net::SocketAddr;
use std::process::Command;

/// A running server.
#[derive(Debug)]
pub struct Dnsmasq {
    /// Where it listens, by UDP and TCP.
    pub address: SocketAddr,
    _process: Process,
    _folder: Folder,
}

impl Dnsmasq {
    /// Starts a server that knows these records, each an option of dnsmasq(8) such as
    /// `srv-host=_caldavs._tcp.example.org,dav.example.org,443`, and nothing else.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(records: &[&str]) -> anyhow::Result<Self> {
        let folder = Folder::new("dnsmasq")?;
        let port = free_port()?;
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--user=root"]);
        command.args(["--no-resolv", "--no-hosts", "--pid-file=", "--log-facility=-"]);
        command.args(["--bind-interfaces", "--listen-address=127.0.0.1", "--auth-ttl=1"]);
        // What it does not know does not exist.
        command.args(["--local=/#/".to_owned(), format!("--port={port}")]);
        command.args(records.iter().map(|record| format!("--{record}")));
        let mut process = Process::start("dnsmasq", &mut command, &folder.path().join("log"))?;
        process.wait_ready(&[port])?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self { address, _process: process, _folder: folder })
    }
}
