//! Postfix (Debian's package) as submission server on a free loopback port: passwords and tokens
//! are checked by a [`Dovecot`], mail for its users is delivered there.

use crate::dovecot::Dovecot;
use crate::ports::free_port;
use crate::process::{Folder, Process, give_to};
use anyhow::Context;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// What the server is to be like.
#[derive(Clone, Debug)]
pub struct PostfixOptions {
    /// The domain whose users are Dovecot's; mail to any other is refused.
    pub domain: String,
    /// Further domains of the same kind.
    pub further_domains: Vec<String>,
    /// The largest message it takes, in bytes.
    pub message_size_limit: u64,
    /// A further port that takes mail for the users from anyone, as the servers of others and a
    /// Dovecot that answers by Sieve need it.
    pub open_port: Option<u16>,
    /// More lines for `main.cf`.
    pub extra: String,
}

impl Default for PostfixOptions {
    fn default() -> Self {
        Self {
            domain: "example.org".to_owned(),
            further_domains: Vec::new(),
            message_size_limit: 10_000_000,
            open_port: None,
            extra: String::new(),
        }
    }
}

/// A running Postfix.
#[derive(Debug)]
pub struct Postfix {
    /// The port for submission: plain text, SASL by Dovecot.
    pub port: u16,
    process: Option<Process>,
    folder: Folder,
}

impl Postfix {
    /// Starts a server that delivers to this Dovecot, and waits until it accepts connections.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(dovecot: &Dovecot, options: &PostfixOptions) -> anyhow::Result<Self> {
        let mut last = None;
        for _ in 0..3 {
            match Self::try_start(dovecot, options) {
                Ok(postfix) => return Ok(postfix),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("postfix was not tried")))
    }

    fn try_start(dovecot: &Dovecot, options: &PostfixOptions) -> anyhow::Result<Self> {
        let mut postfix =
            Self { port: free_port()?, process: None, folder: Folder::new("postfix")? };
        postfix.configure(dovecot, options)?;
        postfix.restart()?;
        Ok(postfix)
    }

    /// Starts it again on the same port and queue.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        let dir = self.folder.path();
        let _ = std::fs::remove_file(dir.join("queue/pid/master.pid"));
        let mut command = Command::new("/usr/lib/postfix/sbin/master");
        command.arg("-d").arg("-c").arg(dir.join("conf")).current_dir(dir.join("queue"));
        let mut process = Process::start("postfix", &mut command, &dir.join("output.log"))?;
        process.wait_ready(&[self.port]).with_context(|| self.log())?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it at once, as a power cut would. What is queued stays.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// What it logged and printed.
    pub fn log(&self) -> String {
        let read =
            |name| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("output.log") + &read("log/postfix.log")
    }

    fn configure(&self, dovecot: &Dovecot, options: &PostfixOptions) -> anyhow::Result<()> {
        let dir = self.folder.path();
        let at = dir.display();
        std::fs::create_dir(dir.join("conf"))?;
        std::fs::create_dir(dir.join("log"))?;
        std::fs::create_dir(dir.join("data"))?;
        let queue = dir.join("queue");
        std::fs::create_dir(&queue)?;
        for sub in [
            "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
            "private", "public", "maildrop", "saved", "trace",
        ] {
            std::fs::create_dir(queue.join(sub))?;
        }
        give_to("postfix", &queue)?;
        give_to("postfix", &dir.join("data"))?;
        // Postfix insists on who owns the queue itself and its folder of process ids.
        std::fs::create_dir(queue.join("pid"))?;
        let status = Command::new("chown").arg("root").arg(&queue).status()?;
        anyhow::ensure!(status.success(), "chown root {} failed", queue.display());
        let main = format!(
            "compatibility_level = 3.6\nconfig_directory = {at}/conf\nqueue_directory = {at}/queue\n\
             data_directory = {at}/data\ndaemon_directory = /usr/lib/postfix/sbin\n\
             command_directory = /usr/sbin\nmail_owner = postfix\nsetgid_group = postdrop\n\
             maillog_file = {at}/log/postfix.log\nmaillog_file_prefixes = {at}/log\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.{domain}\n\
             mydestination =\nlocal_recipient_maps =\nalias_maps =\n\
             virtual_mailbox_domains = {domain} {further}\nvirtual_mailbox_maps = hash:{at}/conf/users\n\
             virtual_transport = lmtp:inet:127.0.0.1:{lmtp}\n\
             mynetworks =\nmessage_size_limit = {limit}\nmailbox_size_limit = 0\n\
             smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n\
             smtpd_sasl_path = inet:127.0.0.1:{auth}\nsmtpd_tls_security_level = none\n\
             smtpd_delay_reject = no\nsmtpd_peername_lookup = no\nsmtp_host_lookup = native\n\
             smtpd_recipient_restrictions = reject_non_fqdn_recipient, \
             reject_unauth_destination\n\
             smtpd_sender_restrictions = permit_sasl_authenticated, reject\n\
             queue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n\
             transport_retry_time = 1s\n{extra}",
            domain = options.domain,
            further = options.further_domains.join(" "),
            lmtp = dovecot.lmtp_port,
            auth = dovecot.auth_port,
            limit = options.message_size_limit,
            extra = options.extra,
        );
        std::fs::write(dir.join("conf/main.cf"), main)?;

        let mut master = format!("127.0.0.1:{} inet n - n - - smtpd\n", self.port);
        if let Some(port) = options.open_port {
            writeln!(
                master,
                "127.0.0.1:{port} inet n - n - - smtpd -o smtpd_sasl_auth_enable=no\n  \
                 -o smtpd_sender_restrictions="
            )?;
        }
        for line in [
            // Woken each second: what a killed one left in its queue is looked for then, and not
            // after a minute or five.
            "pickup unix n - n 1 1 pickup",
            "cleanup unix n - n - 0 cleanup",
            "qmgr unix n - n 1 1 qmgr",
            "tlsmgr unix - - n 1000? 1 tlsmgr",
            "rewrite unix - - n - - trivial-rewrite",
            "bounce unix - - n - 0 bounce",
            "defer unix - - n - 0 bounce",
            "trace unix - - n - 0 bounce",
            "verify unix - - n - 1 verify",
            "flush unix n - n 1000? 0 flush",
            "proxymap unix - - n - - proxymap",
            "smtp unix - - n - - smtp",
            "showq unix n - n - - showq",
            "error unix - - n - - error",
            "retry unix - - n - - error",
            "lmtp unix - - n - - lmtp",
            "anvil unix - - n - 1 anvil",
            "scache unix - - n - 1 scache",
            "postlog unix-dgram n - n - 1 postlogd",
        ] {
            writeln!(master, "{line}")?;
        }
        std::fs::write(dir.join("conf/master.cf"), master)?;

        let users = std::fs::read_to_string(dovecot.dir().join("users"))?;
        let mut map = String::new();
        for user in users.lines().filter_map(|line| line.split_once(':')).map(|(user, _)| user) {
            writeln!(map, "{user} {user}")?;
        }
        std::fs::write(dir.join("conf/users"), map)?;
        let status = Command::new("postmap")
            .arg("-c")
            .arg(dir.join("conf"))
            .arg(format!("hash:{at}/conf/users"))
            .status()
            .context("postmap could not be started; is the package postfix installed?")?;
        anyhow::ensure!(status.success(), "postmap failed");
        Ok(())
    }
}
