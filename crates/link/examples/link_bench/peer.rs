//! The same beside what administrators take today for a way back into a site: `ssh -R`, and a published
//! tunnel, rathole. The site's end dials out, and the server reaches a small echo behind it.

use crate::Process;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Bytes of a small answer; that of a link's call has as many.
const SMALL: u64 = 200;
/// Bytes of the large one.
const LARGE: u64 = 1 << 30;

/// Says where rathole is, if not in the path.
const RATHOLE: &str = "DME_BENCH_RATHOLE";

/// Measures them, one after the other.
pub async fn run() {
    let echo_port = echo().await;
    ssh(echo_port).await;
    rathole(echo_port).await;
}

/// Answers whoever connects; at which port.
async fn echo() -> u16 {
    let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo_port = echo.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = echo.accept().await.unwrap();
            tokio::spawn(answer(tcp));
        }
    });
    echo_port
}

/// `ssh -R`; prints why not where there is no ssh.
async fn ssh(echo_port: u16) {
    if !Path::new("/usr/sbin/sshd").exists() {
        return println!("ssh -R: there is no sshd here (Debian: openssh-server)");
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for key in ["host", "user"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(dir.join(key))
            .status();
        assert!(made.unwrap().success());
    }
    let (sshd_port, back_port) = (free_port().await, free_port().await);
    let at = |name: &str| dir.join(name).display().to_string();
    let config = format!(
        "ListenAddress 127.0.0.1:{sshd_port}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
         UsePAM no\nPidFile none\nPermitRootLogin yes\n",
        at("host"),
        at("user.pub")
    );
    std::fs::write(dir.join("config"), config).unwrap();
    std::fs::create_dir_all("/run/sshd").unwrap();
    let quiet = || Stdio::null();
    let mut sshd = Command::new("/usr/sbin/sshd");
    let sshd = sshd.args(["-D", "-f", &at("config")]).stderr(quiet()).spawn().unwrap();
    let _sshd = Process(sshd);
    until_open(sshd_port).await;
    let mut ssh = Command::new("ssh");
    ssh.args(["-N", "-F", "none", "-i", &at("user"), "-p", &sshd_port.to_string()])
        .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"])
        .args(["-R", &format!("127.0.0.1:{back_port}:127.0.0.1:{echo_port}"), "127.0.0.1"])
        .stderr(quiet());
    let _ssh = Process(ssh.spawn().unwrap());
    until_open(back_port).await;
    all("ssh -R", back_port).await;
}

/// rathole, encrypted by Noise; prints why not where there is none.
async fn rathole(echo_port: u16) {
    let given = std::env::var_os(RATHOLE).map_or_else(|| PathBuf::from("rathole"), PathBuf::from);
    let Ok(keys) = Command::new(&given).arg("--genkey").output() else {
        return println!(
            "rathole: there is none here (cargo install rathole --no-default-features \
             --features embedded; {RATHOLE} says where it is)"
        );
    };
    let keys = String::from_utf8(keys.stdout).unwrap();
    let key = |which: &str| {
        let mut lines = keys.lines().skip_while(|line| !line.starts_with(which));
        lines.nth(1).unwrap_or_else(|| panic!("rathole made no {which}: {keys}")).to_owned()
    };
    let (private, public) = (key("Private"), key("Public"));
    let (port, back_port) = (free_port().await, free_port().await);
    let dir = tempfile::tempdir().unwrap();
    let start = |role: &str, config: String| {
        let path = dir.path().join(format!("{role}.toml"));
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new(&given);
        let quiet = command.arg(path).stdout(Stdio::null()).stderr(Stdio::null());
        Process(quiet.spawn().unwrap())
    };
    let _server = start(
        "server",
        format!(
            "[server]\nbind_addr = \"127.0.0.1:{port}\"\ndefault_token = \"bench\"\n\
             [server.transport]\ntype = \"noise\"\n\
             [server.transport.noise]\nlocal_private_key = \"{private}\"\n\
             [server.services.echo]\nbind_addr = \"127.0.0.1:{back_port}\"\nnodelay = true\n"
        ),
    );
    until_open(port).await;
    let _client = start(
        "client",
        format!(
            "[client]\nremote_addr = \"127.0.0.1:{port}\"\ndefault_token = \"bench\"\n\
             [client.transport]\ntype = \"noise\"\n\
             [client.transport.noise]\nremote_public_key = \"{public}\"\n\
             [client.services.echo]\nlocal_addr = \"127.0.0.1:{echo_port}\"\nnodelay = true\n"
        ),
    );
    until_open(back_port).await;
    all("rathole", back_port).await;
}

/// Everything that is measured of one way.
async fn all(way: &str, port: u16) {
    measure(&format!("{way}: one call at a time"), port, 2_000, 1).await;
    measure(&format!("{way}: 64 calls at a time"), port, 50_000, 64).await;
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let begun = Instant::now();
    ask(&mut tcp, LARGE).await;
    println!("{way}: bulk {:.0} MB/s", LARGE as f64 / 1e6 / begun.elapsed().as_secs_f64());
}

/// Answers as many bytes as it is asked for.
async fn answer(mut tcp: TcpStream) {
    tcp.set_nodelay(true).unwrap();
    let piece = vec![b'x'; 64 << 10];
    while let Ok(mut left) = tcp.read_u64().await {
        while left > 0 {
            let now = usize::try_from(left).unwrap().min(piece.len());
            if tcp.write_all(&piece[..now]).await.is_err() {
                return;
            }
            left -= now as u64;
        }
    }
}

async fn ask(tcp: &mut TcpStream, bytes: u64) {
    tcp.write_u64(bytes).await.unwrap();
    let (mut piece, mut left) = (vec![0; 64 << 10], usize::try_from(bytes).unwrap());
    while left > 0 {
        let room = piece.len().min(left);
        let read = tcp.read(&mut piece[..room]).await.unwrap();
        assert!(read > 0, "the tunnel hung up");
        left -= read;
    }
}

async fn measure(label: &str, port: u16, total: usize, parallel: usize) {
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..parallel {
        callers.spawn(async move {
            let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            ask(&mut tcp, SMALL).await;
            let mut times = Vec::with_capacity(total / parallel);
            for _ in 0..total / parallel {
                let begun = Instant::now();
                ask(&mut tcp, SMALL).await;
                times.push(begun.elapsed());
            }
            times
        });
    }
    let times = callers.join_all().await.concat();
    crate::say(label, times, begun.elapsed());
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn until_open(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
