//! The same beside what administrators take today for a way back into a site: `ssh -R`. The site's
//! ssh dials out, and the server reaches a small echo behind it.

use crate::Process;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Bytes of a small answer; that of a link's call has as many.
const SMALL: u64 = 200;
/// Bytes of the large one.
const LARGE: u64 = 1 << 30;

/// Measures it; prints why not where there is no ssh.
pub async fn run() {
    if !Path::new("/usr/sbin/sshd").exists() {
        return println!("ssh -R: there is no sshd here (Debian: openssh-server)");
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo_port = echo.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = echo.accept().await.unwrap();
            tokio::spawn(answer(tcp));
        }
    });
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

    measure("ssh -R: one call at a time", back_port, 2_000, 1).await;
    measure("ssh -R: 64 calls at a time", back_port, 50_000, 64).await;
    let mut tcp = TcpStream::connect(("127.0.0.1", back_port)).await.unwrap();
    let begun = Instant::now();
    ask(&mut tcp, LARGE).await;
    println!("ssh -R: bulk {:.0} MB/s", LARGE as f64 / 1e6 / begun.elapsed().as_secs_f64());
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
        assert!(read > 0, "ssh hung up");
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
