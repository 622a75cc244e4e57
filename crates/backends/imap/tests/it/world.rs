//! A Dovecot, perhaps a Postfix, and users with their handles.

use dme_imap::{ImapConfig, ImapMailSystem, ServerConfig, SmtpConfig, TlsMode};
use dme_mailbox::{
    Account, CallContext, Credentials, MailSystem, Mailbox, Submission, SubmissionKey,
};
use dme_model::{RequestId, Secret, Span, UserId};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::postfix::Postfix;
use std::sync::Arc;
use std::time::Duration;

pub const PASSWORD: &str = "a Pässword\"with\\signs";

pub fn users(names: &[&str]) -> DovecotOptions {
    DovecotOptions::with_users(names.iter().map(|name| (format!("{name}@example.org"), PASSWORD)))
}

/// A configuration for servers on this machine.
pub fn config(dovecot: &Dovecot, postfix: Option<&Postfix>) -> ImapConfig {
    ImapConfig {
        server: plain(dovecot.imap_port),
        smtp: postfix
            .map(|postfix| SmtpConfig { server: plain(postfix.port), ..SmtpConfig::default() }),
        poll: Span(Duration::from_millis(100)),
        ..ImapConfig::default()
    }
}

pub fn plain(port: u16) -> ServerConfig {
    ServerConfig {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        tls: TlsMode::None,
        ..ServerConfig::default()
    }
}

pub fn account(name: &str) -> Account {
    let address = format!("{name}@example.org");
    Account {
        user: UserId::from(address.as_str()),
        address,
        display_name: Some("Ann Exämple".to_owned()),
        credentials: Credentials::Password(Secret::new(PASSWORD)),
    }
}

pub fn context() -> CallContext {
    CallContext::new(RequestId::from("test"), Duration::from_secs(60))
}

pub async fn open(system: &ImapMailSystem, name: &str) -> Arc<dyn Mailbox> {
    system.open(&account(name), &context()).await.unwrap()
}

/// A message to send that nobody tried to send before.
pub fn submission(message: &str) -> Submission {
    Submission {
        key: SubmissionKey("k1".to_owned()),
        uncertain: false,
        taken: false,
        message: message.to_owned().into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    }
}

/// One to Bob.
pub const ONCE: &str = "To: bob@example.org\r\nSubject: once\r\n\r\nhello\r\n";
