//! Mail over a line of 64 kbit/s and 600 ms that loses packets, and is gone for 3 s of every 15.
//!
//! The example `thin_line` makes the line, with real packets in namespaces of its own, plays the
//! scenario, and fails where a mail is lost or sent twice. It also measures; nothing of that is
//! held against a clock here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set by whoever knows that no line can be made here, and wants the other tests.
const SKIP: &str = "DME_SKIP_THIN_LINE";

/// The example, which `cargo test` builds beside this test.
fn example() -> Result<PathBuf, &'static str> {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().and_then(Path::parent).map(|dir| dir.join("examples/thin_line"));
    let example = example.filter(|path| path.exists());
    example.ok_or("the example is not built: cargo build -p dme-link --example thin_line")
}

/// Whether namespaces and TUN devices may be made here; why not, and how to mend it.
fn may_make_lines() -> Result<(), &'static str> {
    if !Path::new("/dev/net/tun").exists() {
        return Err("there is no /dev/net/tun: modprobe tun, or mknod /dev/net/tun c 10 200");
    }
    let name = format!("thin-try-{}", std::process::id());
    let ip = |verb: &str| {
        let mut ip = Command::new("ip");
        ip.args(["netns", verb, &name]).stderr(Stdio::null()).status()
    };
    match ip("add") {
        Err(_) => Err("there is no ip: apt-get install iproute2"),
        Ok(made) if !made.success() => Err("no network namespace can be made: run it as root"),
        Ok(_) => {
            let _ = ip("del");
            Ok(())
        }
    }
}

#[test]
fn over_a_thin_and_bad_line_mail_arrives_and_is_sent_once() {
    let example = match may_make_lines().and_then(|()| example()) {
        Ok(example) => example,
        Err(why) if std::env::var_os(SKIP).is_some() => {
            return eprintln!("left out, as {SKIP} says: {why}");
        }
        Err(why) => panic!("{why}. To leave this test out, set {SKIP}=1"),
    };
    let played = Command::new(example).arg("--short").status().unwrap();
    assert!(played.success(), "what it printed says what was lost");
}
