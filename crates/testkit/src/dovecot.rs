//! Dovecot (2.3, Debian's `dovecot-imapd` and `dovecot-lmtpd`, for Sieve `dovecot-managesieved` and
//! `dovecot-sieve`) on free loopback ports, with switches for the quirks a backend has to live
//! with. Works as root without systemd.

use crate::certificate::Certificate;
use crate::ports::free_port;
use crate::process::{Folder, Process, give_to};
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// What the server is to be like.
#[derive(Clone, Debug, Default)]
pub struct DovecotOptions {
    /// Login names and passwords.
    pub users: Vec<(String, String)>,
    /// The capabilities it announces after login, instead of all it has.
    pub capabilities: Capabilities,
    /// Whether it speaks TLS, also on the IMAP port by STARTTLS, with a certificate for
    /// `localhost` and 127.0.0.1.
    pub tls: bool,
    /// A master user and its password: `user*master` opens any mailbox.
    pub master: Option<(String, String)>,
    /// OAuth access tokens and whose they are; any switches XOAUTH2 and OAUTHBEARER on.
    pub tokens: Vec<(String, String)>,
    /// Which of the two there is then; both where not set.
    pub token_mechanism: Option<&'static str>,
    /// Instead of Maildir in a folder of the server's own; `%u` is the user.
    pub mail_location: Option<String>,
    /// The hierarchy separator, `/` where none is given.
    pub separator: Option<char>,
    /// Whether it takes Sieve scripts by ManageSieve and carries them out on delivery.
    pub sieve: bool,
    /// More lines for the configuration file.
    pub extra: String,
}

impl DovecotOptions {
    /// A plain server with these users.
    pub fn with_users<U: Into<String>, P: Into<String>>(
        users: impl IntoIterator<Item = (U, P)>,
    ) -> Self {
        Self {
            users: users.into_iter().map(|(user, pass)| (user.into(), pass.into())).collect(),
            ..Self::default()
        }
    }
}

/// Which extensions are announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Capabilities {
    /// All that Dovecot has: QRESYNC, NOTIFY, MOVE and so on.
    #[default]
    All,
    /// All but NOTIFY.
    NoNotify,
    /// CONDSTORE without QRESYNC and NOTIFY.
    Condstore,
    /// IMAP4rev1 with UIDPLUS, IDLE and LITERAL+ only.
    Basic,
    /// IMAP4rev1 and nothing else.
    Bare,
}

impl Capabilities {
    fn line(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::NoNotify => Some(
                "IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS ENABLE CONDSTORE QRESYNC ESEARCH SORT \
                 LIST-EXTENDED LIST-STATUS SPECIAL-USE MOVE UNSELECT CHILDREN",
            ),
            Self::Condstore => Some(
                "IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS ENABLE CONDSTORE ESEARCH SORT \
                 LIST-EXTENDED SPECIAL-USE MOVE UNSELECT CHILDREN",
            ),
            Self::Basic => Some("IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS CHILDREN"),
            Self::Bare => Some("IMAP4rev1"),
        }
    }
}

/// A running Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    /// The port for IMAP, in plain or by STARTTLS.
    pub imap_port: u16,
    /// The port for IMAP over TLS; nothing listens there without TLS.
    pub imaps_port: u16,
    /// The port for ManageSieve, where it speaks it.
    pub sieve_port: u16,
    /// The port on which LMTP takes mail for the users.
    pub lmtp_port: u16,
    /// The port on which other servers (Postfix) may ask about passwords and tokens.
    pub auth_port: u16,
    /// The authority that signed its certificate, as PEM, where it speaks TLS.
    pub ca_pem: Option<String>,
    sieve: bool,
    process: Option<Process>,
    folder: Folder,
    _tokens: Option<TokenServer>,
}

impl Dovecot {
    /// Starts a server and waits until it accepts connections.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(options: DovecotOptions) -> anyhow::Result<Self> {
        let mut last = None;
        // Another process may take one of the ports between their choice and their use.
        for _ in 0..3 {
            match Self::try_start(&options) {
                Ok(dovecot) => return Ok(dovecot),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("dovecot was not tried")))
    }

    fn try_start(options: &DovecotOptions) -> anyhow::Result<Self> {
        let folder = Folder::new("dovecot")?;
        let tokens = match options.tokens.is_empty() {
            true => None,
            false => Some(TokenServer::start(options.tokens.clone())?),
        };
        let certificate = options.tls.then(Certificate::for_loopback).transpose()?;
        let mut dovecot = Self {
            imap_port: free_port()?,
            imaps_port: free_port()?,
            sieve_port: free_port()?,
            lmtp_port: free_port()?,
            auth_port: free_port()?,
            ca_pem: certificate.as_ref().map(|certificate| certificate.ca_pem.clone()),
            sieve: options.sieve,
            process: None,
            folder,
            _tokens: tokens,
        };
        dovecot.configure(options, certificate.as_ref())?;
        dovecot.restart()?;
        Ok(dovecot)
    }

    /// Starts it again on the same ports and mail, after [`Dovecot::kill`] or while it runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        // A process that was killed while it held a mailbox's lock leaves it, and Dovecot waits
        // minutes for it to be given back: longer than any call, or test, waits for Dovecot.
        remove_locks(&self.folder.path().join("mail"))?;
        let mut command = Command::new("dovecot");
        command.arg("-F").arg("-c").arg(self.folder.path().join("dovecot.conf"));
        let mut process =
            Process::start("dovecot", &mut command, &self.folder.path().join("output.log"))?;
        let mut ports = vec![self.imap_port, self.lmtp_port, self.auth_port];
        ports.extend(self.sieve.then_some(self.sieve_port));
        process.wait_ready(&ports).with_context(|| self.log())?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it with all its sessions, as a power cut would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Its folder: configuration, logs and, unless said otherwise, the mail.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Where a user's Maildir is, unless `mail_location` said otherwise.
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user).join("Maildir")
    }

    /// What it logged and printed.
    pub fn log(&self) -> String {
        let read =
            |name| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("output.log") + &read("dovecot.log")
    }

    /// Delivers a message to a user's inbox, as a mail server would (LMTP).
    ///
    /// # Errors
    /// When it is refused.
    pub fn deliver(&self, user: &str, message: &[u8]) -> anyhow::Result<()> {
        self.deliver_all(user, [message])
    }

    /// Delivers several messages over one connection.
    ///
    /// # Errors
    /// When one is refused.
    pub fn deliver_all<'m>(
        &self,
        user: &str,
        messages: impl IntoIterator<Item = &'m [u8]>,
    ) -> anyhow::Result<()> {
        let mut lmtp = Lmtp::connect(self.lmtp_port)?;
        for message in messages {
            lmtp.deliver(user, message)?;
        }
        Ok(())
    }

    fn configure(
        &self,
        options: &DovecotOptions,
        certificate: Option<&Certificate>,
    ) -> anyhow::Result<()> {
        let dir = self.folder.path();
        let at = dir.display();
        for sub in ["run", "state", "mail"] {
            std::fs::create_dir(dir.join(sub))?;
        }
        let mut users = String::new();
        for (user, password) in &options.users {
            let password = BASE64_STANDARD.encode(password);
            writeln!(users, "{user}:{{PLAIN.b64}}{password}::::::")?;
        }
        std::fs::write(dir.join("users"), users)?;

        let location = options
            .mail_location
            .clone()
            .unwrap_or_else(|| format!("maildir:{at}/mail/%u/Maildir"));
        let mechanisms = match options.tokens.is_empty() {
            true => "plain login",
            false => "plain login ",
        };
        let by_token = match (options.tokens.is_empty(), options.token_mechanism) {
            (true, _) => "",
            (false, None) => "xoauth2 oauthbearer",
            (false, Some(one)) => one,
        };
        let mut conf = format!(
            "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/dovecot.log\n\
             protocols = imap lmtp\nlisten = 127.0.0.1\ninstance_name = {at}\n\
             disable_plaintext_auth = no\nauth_mechanisms = {mechanisms}{by_token}\n\
             auth_failure_delay = 0\nauth_cache_size = 1M\nauth_verbose = yes\n\
             mail_location = {location}\nmail_home = {at}/mail/%u\nmail_uid = mail\n\
             mail_gid = mail\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
             mailbox_list_index = yes\nmail_max_userip_connections = 1000\n\
             default_vsz_limit = 1G\nmail_fsync = never\n\
             namespace inbox {{\n  inbox = yes\n  separator = {separator}\n\
             \x20 mailbox Drafts {{\n auto = subscribe\n special_use = \\Drafts\n }}\n\
             \x20 mailbox Sent {{\n auto = subscribe\n special_use = \\Sent\n }}\n\
             \x20 mailbox Trash {{\n auto = subscribe\n special_use = \\Trash\n }}\n\
             \x20 mailbox Junk {{\n auto = subscribe\n special_use = \\Junk\n }}\n}}\n\
             service anvil {{\n client_limit = 4000\n\
             \x20 unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\n\
             service auth {{\n client_limit = 6000\n inet_listener {{\n address = 127.0.0.1\n\
             \x20 port = {auth}\n }}\n}}\n\
             service imap-login {{\n service_count = 0\n client_limit = 4000\n\
             \x20 inet_listener imap {{\n port = {imap}\n }}\n\
             \x20 inet_listener imaps {{\n port = {imaps}\n ssl = yes\n }}\n}}\n\
             service imap {{\n process_limit = 4000\n}}\n\
             service lmtp {{\n inet_listener lmtp {{\n port = {lmtp}\n }}\n}}\n\
             protocol lmtp {{\n postmaster_address = postmaster@localhost\n}}\n",
            separator = options.separator.unwrap_or('/'),
            auth = self.auth_port,
            imap = self.imap_port,
            imaps = if certificate.is_some() { self.imaps_port } else { 0 },
            lmtp = self.lmtp_port,
        );
        if let Some(line) = options.capabilities.line() {
            writeln!(conf, "protocol imap {{\n imap_capability = {line}\n}}")?;
        }
        match certificate {
            None => conf.push_str("ssl = no\n"),
            Some(certificate) => {
                std::fs::write(dir.join("cert.pem"), &certificate.certificate_pem)?;
                std::fs::write(dir.join("key.pem"), &certificate.key_pem)?;
                writeln!(conf, "ssl = yes\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem")?;
            }
        }
        if let Some((master, password)) = &options.master {
            let password = BASE64_STANDARD.encode(password);
            std::fs::write(dir.join("masters"), format!("{master}:{{PLAIN.b64}}{password}\n"))?;
            writeln!(
                conf,
                "auth_master_user_separator = *\npassdb {{\n driver = passwd-file\n master = yes\n\
                 \x20args = {at}/masters\n result_success = continue\n}}"
            )?;
        }
        if let Some(tokens) = &self._tokens {
            std::fs::write(
                dir.join("oauth2.conf"),
                format!(
                    "tokeninfo_url = http://127.0.0.1:{}/?access_token=\n\
                     username_attribute = email\nactive_attribute = active\n\
                     active_value = true\nrawlog_dir =\n",
                    tokens.port
                ),
            )?;
            writeln!(
                conf,
                "passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n\
                 \x20args = {at}/oauth2.conf\n}}"
            )?;
        }
        writeln!(
            conf,
            "passdb {{\n driver = passwd-file\n args = scheme=PLAIN username_format=%u {at}/users\n}}\n\
             userdb {{\n driver = passwd-file\n args = username_format=%u {at}/users\n\
             \x20default_fields = uid=mail gid=mail home={at}/mail/%u\n}}"
        )?;
        if options.sieve {
            writeln!(
                conf,
                "protocols = $protocols sieve\nservice managesieve-login {{\n service_count = 0\n\
                 \x20 inet_listener sieve {{\n port = {}\n }}\n}}\n\
                 service managesieve {{\n process_limit = 1000\n}}\n\
                 protocol lmtp {{\n mail_plugins = sieve\n}}\n\
                 plugin {{\n sieve = file:~/sieve;active=~/.dovecot.sieve\n}}",
                self.sieve_port
            )?;
        }
        conf.push_str(&options.extra);
        std::fs::write(dir.join("dovecot.conf"), conf)?;
        give_to("mail", &dir.join("mail"))
    }
}

/// A client of LMTP (RFC 2033), as small as can be.
struct Lmtp {
    reader: BufReader<TcpStream>,
}

impl Lmtp {
    fn connect(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        let mut lmtp = Self { reader: BufReader::new(stream) };
        lmtp.expect('2')?;
        lmtp.say("LHLO test")?;
        lmtp.expect('2')?;
        Ok(lmtp)
    }

    fn deliver(&mut self, user: &str, message: &[u8]) -> anyhow::Result<()> {
        self.say("MAIL FROM:<sender@example.net>")?;
        self.expect('2')?;
        self.say(&format!("RCPT TO:<{user}>"))?;
        self.expect('2')?;
        self.say("DATA")?;
        self.expect('3')?;
        let mut data = Vec::with_capacity(message.len() + 100);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                data.push(b'.');
            }
            data.extend_from_slice(
                line.strip_suffix(b"\n")
                    .map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line)),
            );
            data.extend_from_slice(b"\r\n");
        }
        data.extend_from_slice(b".\r\n");
        self.reader.get_mut().write_all(&data)?;
        self.expect('2')
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        Ok(self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes())?)
    }

    fn expect(&mut self, class: char) -> anyhow::Result<()> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                bail!("lmtp: the server hung up");
            }
            if !line.starts_with(class) {
                bail!("lmtp: {}", line.trim());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

/// Answers Dovecot's question whose an access token is.
#[derive(Debug)]
struct TokenServer {
    port: u16,
    stop: Arc<std::sync::atomic::AtomicBool>,
}

impl TokenServer {
    fn start(tokens: Vec<(String, String)>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = stop.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
                if let Ok(stream) = stream {
                    let _ = Self::answer(stream, &tokens);
                }
            }
        });
        Ok(Self { port, stop })
    }

    fn answer(mut stream: TcpStream, tokens: &[(String, String)]) -> anyhow::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8_lossy(&head);
        let asked = head.split_whitespace().nth(1).unwrap_or_default();
        let token = asked.rsplit_once("access_token=").map_or("", |(_, token)| token);
        let (status, body) = match tokens.iter().find(|(known, _)| known == token) {
            Some((_, user)) => ("200 OK", format!(r#"{{"email":"{user}","active":true}}"#)),
            None => ("401 Unauthorized", r#"{"error":"invalid_token"}"#.to_owned()),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )?;
        Ok(())
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        // Wakes the accepting thread so that it sees the flag.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn remove_locks(folder: &Path) -> anyhow::Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            remove_locks(&path)?;
        } else if path.file_name().is_some_and(|name| name == "dovecot-uidlist.lock") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
