//! A server process of a test: started in its own process group and folder, ended with all its
//! children when dropped.

use crate::ports::{accepts_at, wait_until};
use anyhow::Context;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    /// What it prints.
    output: PathBuf,
    /// Where it listens; its children do too.
    listens: Vec<SocketAddr>,
}

impl Process {
    /// Starts the command in a process group of its own. What it prints is added to `output`, which
    /// so tells of all its lives.
    ///
    /// # Errors
    /// When it cannot be started, most often because its package is not installed.
    pub fn start(name: &'static str, command: &mut Command, output: &Path) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(output)?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{name} could not be started; is its package installed?"))?;
        Ok(Self { name, child, output: output.to_owned(), listens: Vec::new() })
    }

    /// Waits until all ports of 127.0.0.1 accept connections.
    ///
    /// # Errors
    /// When the process ends before, or takes too long.
    pub fn wait_ready(&mut self, ports: &[u16]) -> anyhow::Result<()> {
        let places: Vec<_> =
            ports.iter().map(|port| SocketAddr::from(([127, 0, 0, 1], *port))).collect();
        self.wait_ready_at(&places)
    }

    /// Waits until it accepts connections at all these places.
    ///
    /// # Errors
    /// When the process ends before, or takes too long.
    pub fn wait_ready_at(&mut self, places: &[SocketAddr]) -> anyhow::Result<()> {
        let name = self.name;
        self.listens = places.to_vec();
        wait_until(&format!("{name} did not listen"), PATIENCE, || {
            if let Some(status) = self.child.try_wait()? {
                let printed = std::fs::read_to_string(&self.output).unwrap_or_default();
                anyhow::bail!("{name} ended at its start: {status}\n{printed}");
            }
            Ok(places.iter().all(|place| accepts_at(*place)))
        })
    }

    /// Its process id, to look at it from outside.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process and its children at once, as a power cut would.
    pub fn kill(&mut self) {
        self.signal("KILL");
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its children die a moment later; until then they would seem to be a server.
        let places = std::mem::take(&mut self.listens);
        let _ = wait_until("its children still listen", Duration::from_secs(5), || {
            Ok(!places.iter().any(|place| accepts_at(*place)))
        });
    }

    /// Asks the process to end, and kills what is left after a while.
    pub fn stop(&mut self) {
        self.end_by("TERM", Duration::from_secs(3));
    }

    /// The same by a signal of its own, and with this patience.
    pub fn end_by(&mut self, signal: &str, patience: Duration) {
        self.signal(signal);
        let ended = wait_until("end", patience, || Ok(self.child.try_wait()?.is_some()));
        // Children outlive their master by a moment: the group goes as a whole.
        self.signal("KILL");
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// Stops the process and its children where they are, as a host does that hangs: their
    /// connections stay open, and nothing is answered.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        // A negative id means the group; the standard library cannot send signals to one.
        let _ = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -s {signal} -- -{} 2>/dev/null", self.child.id()))
            .status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server's folder: removed when dropped, but kept and named when the test failed.
#[derive(Debug)]
pub struct Folder {
    name: &'static str,
    dir: Option<tempfile::TempDir>,
    path: PathBuf,
}

impl Folder {
    /// A new folder that servers running as other users can look into.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &'static str) -> anyhow::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::Builder::new().prefix(&format!("dme-{name}-")).tempdir()?;
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))?;
        let path = dir.path().to_owned();
        Ok(Self { name, dir: Some(dir), path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(dir) = self.dir.take()
        {
            eprintln!("{}: logs are kept in {}", self.name, dir.keep().display());
        }
    }
}

/// Runs a command, which must succeed; answers what it printed.
///
/// # Errors
/// When it cannot be started, most often because its package is not installed, or fails: with all
/// that it said.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("{command:?} could not be run; is its package installed?"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} failed: {said}{complained}");
    Ok(said)
}

/// Gives a folder and all in it to a system user.
///
/// # Errors
/// When the user does not exist or the tests do not run as root.
pub fn give_to(owner: &str, path: &Path) -> anyhow::Result<()> {
    let status = Command::new("chown").arg("-R").arg(owner).arg(path).status()?;
    anyhow::ensure!(status.success(), "chown -R {owner} {} failed", path.display());
    Ok(())
}
