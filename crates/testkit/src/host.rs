//! A host of a test: a network namespace with an `/etc/hosts` of its own. Needs root.

use crate::process::run;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// So many were made in this process: no two have one name.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A host, without any line to another yet. It goes with its lines when dropped.
#[derive(Debug)]
pub struct Host {
    name: String,
}

impl Host {
    /// A host that knows these others by name, address first.
    ///
    /// # Errors
    /// When the tests do not run as root.
    pub fn new(role: &str, others: &[(&str, &str)]) -> anyhow::Result<Self> {
        let number = MADE.fetch_add(1, Ordering::SeqCst);
        let host = Self { name: format!("dme-{role}-{}-{number}", std::process::id()) };
        run(Command::new("ip").args(["netns", "add", &host.name]))?;
        fs::create_dir_all(host.etc(""))?;
        let others: String = others.iter().map(|(at, name)| format!("{at} {name}\n")).collect();
        fs::write(host.etc("hosts"), format!("127.0.0.1 localhost\n{others}"))?;
        host.run("ip", &["link", "set", "lo", "up"])?;
        Ok(host)
    }

    /// A file or folder that this host has in `/etc`, for commands run on it. There must be one of
    /// this name in the machine's own.
    pub fn etc(&self, name: &str) -> PathBuf {
        Path::new("/etc/netns").join(&self.name).join(name)
    }

    /// A command on this host.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).args(arguments);
        command
    }

    /// Runs a command on this host; answers what it said.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        run(&mut self.command(program, arguments))
    }

    /// Does something on this host: the thread, and the processes it starts, are in its network.
    ///
    /// # Errors
    /// What the work says.
    pub fn inside<T: Send>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        let namespace = fs::File::open(Path::new("/run/netns").join(&self.name))?;
        let enter_and_work = || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            work()
        };
        let done = std::thread::scope(|scope| scope.spawn(enter_and_work).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// A line to another host: the device here and its address, and those there.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn link(
        &self,
        (own, address): (&str, &str),
        to: &Self,
        (its, at): (&str, &str),
    ) -> anyhow::Result<()> {
        let peer = ["type", "veth", "peer", "name", its, "netns", &to.name];
        let near = ["link", "add", "name", own, "netns", &self.name];
        run(Command::new("ip").args(near).args(peer))?;
        for (host, device, address) in [(self, own, address), (to, its, at)] {
            host.run("ip", &["address", "add", address, "dev", device])?;
            host.run("ip", &["link", "set", device, "up"])?;
        }
        Ok(())
    }

    /// Passes on between its lines, as a router does.
    ///
    /// # Errors
    /// When it cannot.
    pub fn route(&self) -> anyhow::Result<()> {
        self.run("sysctl", &["-q", "-w", "net.ipv4.ip_forward=1"]).map(drop)
    }

    /// Adds a rule of `iptables`, its words with blanks between them.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn wall(&self, rule: &str) -> anyhow::Result<()> {
        self.run("iptables", &rule.split(' ').collect::<Vec<_>>()).map(drop)
    }

    /// Drops whatever this router would pass on from or to a line, as if its cable were cut.
    ///
    /// # Errors
    /// When `iptables` is not there.
    pub fn cut(&self, device: &str) -> anyhow::Result<()> {
        self.wall(&format!("-I FORWARD -i {device} -j DROP"))?;
        self.wall(&format!("-I FORWARD -o {device} -j DROP"))
    }

    /// The cable is mended.
    ///
    /// # Errors
    /// When it was not cut.
    pub fn mend(&self, device: &str) -> anyhow::Result<()> {
        self.wall(&format!("-D FORWARD -i {device} -j DROP"))?;
        self.wall(&format!("-D FORWARD -o {device} -j DROP"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = run(Command::new("ip").args(["netns", "delete", &self.name]));
        let _ = fs::remove_dir_all(self.etc(""));
    }
}
