//! The starters themselves: each server answers, is killed and comes back with its mail.

#![allow(clippy::unwrap_used, reason = "tests")]

use dme_testkit::dovecot::{Capabilities, Dovecot, DovecotOptions};
use dme_testkit::ports::{accepts, wait_until};
use dme_testkit::postfix::{Postfix, PostfixOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

fn talk(port: u16, lines: &[&str], until: &str) -> String {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream);
    let mut all = String::new();
    reader.read_line(&mut all).unwrap();
    for line in lines {
        reader.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }
    while !all.contains(until) {
        if reader.read_line(&mut all).unwrap() == 0 {
            break;
        }
    }
    all
}

#[test]
fn dovecot_delivers_and_keeps_mail_over_a_kill() {
    let mut dovecot =
        Dovecot::start(DovecotOptions::with_users([("ann@example.org", "pässword:1")])).unwrap();
    dovecot.deliver("ann@example.org", b"Subject: one\r\n\r\nhello\r\n").unwrap();
    let login = r#"a LOGIN ann@example.org "pässword:1""#;
    let answer = talk(dovecot.imap_port, &[login, "b STATUS INBOX (MESSAGES)", "c LOGOUT"], "c OK");
    assert!(answer.contains("(MESSAGES 1)"), "{answer}\n{}", dovecot.log());
    dovecot.kill();
    assert!(!accepts(dovecot.imap_port));
    dovecot.restart().unwrap();
    let answer = talk(dovecot.imap_port, &[login, "b STATUS INBOX (MESSAGES)", "c LOGOUT"], "c OK");
    assert!(answer.contains("(MESSAGES 1)"), "{answer}");
}

#[test]
fn dovecot_hides_the_capabilities_that_are_switched_off() {
    let mut options = DovecotOptions::with_users([("ann@example.org", "secret")]);
    options.capabilities = Capabilities::Condstore;
    let dovecot = Dovecot::start(options).unwrap();
    let lines = ["a LOGIN ann@example.org secret", "b CAPABILITY", "c LOGOUT"];
    let answer = talk(dovecot.imap_port, &lines, "c OK");
    assert!(answer.contains("CONDSTORE"), "{answer}");
    assert!(!answer.contains("QRESYNC") && !answer.contains("NOTIFY"), "{answer}");
}

#[test]
fn postfix_takes_mail_by_a_dovecot_password_and_delivers_it_there() {
    let users = [("ann@example.org", "secret"), ("bob@example.org", "secret")];
    let dovecot = Dovecot::start(DovecotOptions::with_users(users)).unwrap();
    let postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
    // base64 of NUL ann@example.org NUL secret
    let lines = [
        "EHLO test",
        "AUTH PLAIN AGFubkBleGFtcGxlLm9yZwBzZWNyZXQ=",
        "MAIL FROM:<ann@example.org>",
        "RCPT TO:<bob@example.org>",
        "DATA",
        "Subject: hello\r\n\r\nhello\r\n.",
        "QUIT",
    ];
    let answer = talk(postfix.port, &lines, "221");
    assert!(answer.contains("queued"), "{answer}\n{}", postfix.log());
    wait_until("bob has no mail", Duration::from_secs(20), || {
        let lines = ["a LOGIN bob@example.org secret", "b STATUS INBOX (MESSAGES)", "c LOGOUT"];
        Ok(talk(dovecot.imap_port, &lines, "c OK").contains("(MESSAGES 1)"))
    })
    .unwrap_or_else(|error| panic!("{error}\n{}\n{}", postfix.log(), dovecot.log()));
}
