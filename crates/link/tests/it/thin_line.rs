//! Mail over a line of 64 kbit/s and 600 ms that loses packets, and is gone for 3 s of every 15.
//!
//! The example `thin_line` makes the line, with real packets in namespaces of its own, plays the
//! scenario, and fails where a mail is lost or sent twice. It also measures; nothing of that is
//! held against a clock here.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The example, which `cargo test` builds beside this test.
fn example() -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let example = test.parent()?.parent()?.join("examples/thin_line");
    example.exists().then_some(example)
}

/// Whether namespaces and TUN devices may be made here.
fn may_make_lines() -> bool {
    let name = format!("thin-try-{}", std::process::id());
    let ip = |verb: &str| {
        let mut ip = Command::new("ip");
        ip.args(["netns", verb, &name]).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    std::path::Path::new("/dev/net/tun").exists() && ip("add") && ip("del")
}

#[test]
fn over_a_thin_and_bad_line_mail_arrives_and_is_sent_once() {
    let Some(example) = example().filter(|_| may_make_lines()) else {
        eprintln!("left out: this takes root, /dev/net/tun, iproute2, and the example thin_line");
        return;
    };
    let played = Command::new(example).arg("--short").status().unwrap();
    assert!(played.success(), "what it printed says what was lost");
}
