//! The set-up on two hosts as the README tells it, in network namespaces: a branch with its mail
//! system and the connector behind a router that translates addresses, a server that has no route
//! to the branch, and a phone elsewhere. Files and commands are the README's own.

use crate::site::{PATIENCE, REALM, USERS, dovecot, hold_no_secret, ldif, postfix};
use anyhow::{Context, Result, ensure};
use dme_testkit::dovecot::Dovecot;
use dme_testkit::host::Host;
use dme_testkit::ports::wait_until;
use dme_testkit::process::{Folder, Process};
use dme_testkit::radicale::Radicale;
use dme_testkit::slapd::{SERVICE_DN, SERVICE_PASSWORD, Slapd, SlapdOptions};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

const README: &str = include_str!("../../../../README.md");
const SERVER_UNIT: &str = include_str!("../../../../packaging/dme-server.service");
const CONNECTOR_UNIT: &str = include_str!("../../../../packaging/dme-connector.service");

/// Where hosts have their configuration; each sees its own there.
const CONFIGURATION: &str = "/etc/dme";
const BRANCH: &str = "192.168.77.2";

/// A host that has a configuration, and knows the server by its name.
fn host(role: &str) -> Result<Host> {
    let host = Host::new(role, &[("10.77.0.2", "mail.example.org")])?;
    fs::create_dir_all(host.etc("dme"))?;
    Ok(host)
}

/// Runs a command of the README on a host; what it writes in capitals is filled in.
fn follow(host: &Host, line: &str, fill: &[(&str, &str)]) -> Result<String> {
    follow_as(host, line, fill, &[])
}

/// The same, with the file of the password that a person is asked for.
fn follow_as(
    host: &Host,
    line: &str,
    fill: &[(&str, &str)],
    password_file: &[&str],
) -> Result<String> {
    let words: Vec<&str> = in_readme(line)?
        .split_whitespace()
        .map(|word| fill.iter().find(|(name, _)| *name == word).map_or(word, |(_, it)| *it))
        .chain(password_file.iter().copied())
        .collect();
    let (program, arguments) = words.split_first().context("an empty command")?;
    let program = if *program == "dme" { env!("CARGO_BIN_EXE_dme") } else { *program };
    host.run(program, arguments)
}

/// Starts on a host what a unit of `packaging/` starts.
fn start(host: &Host, name: &'static str, unit: &str, log: &Path) -> Result<Process> {
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/dme "));
    let arguments: Vec<&str> = line.context("the unit starts dme")?.split(' ').collect();
    Process::start(name, &mut host.command(env!("CARGO_BIN_EXE_dme"), &arguments), log)
}

/// Where `/etc/dme` of a host is put over; made where this machine has none.
struct MountPoint {
    made: bool,
}

impl MountPoint {
    fn new() -> Result<Self> {
        let made = !Path::new(CONFIGURATION).exists();
        fs::create_dir_all(CONFIGURATION)?;
        Ok(Self { made })
    }
}

impl Drop for MountPoint {
    fn drop(&mut self) {
        if self.made {
            let _ = fs::remove_dir(CONFIGURATION);
        }
    }
}

/// A command that the README tells its reader to give.
fn in_readme(line: &str) -> Result<&str> {
    let told =
        README.lines().any(|told| told.strip_prefix("runuser -u dme -- ").unwrap_or(told) == line);
    ensure!(told, "the README no longer has {line:?}");
    Ok(line)
}

/// A file that the README shows, with what differs here.
fn file(path: &str, changes: &[(&str, &str)]) -> Result<String> {
    let start = README.find(&format!("# {path}\n")).with_context(|| format!("no {path}"))?;
    let text = README.get(start..).and_then(|rest| rest.split("```").next());
    let mut text = text.context("the file has no end")?.to_owned();
    for (from, to) in changes {
        ensure!(text.matches(from).count() == 1, "{path} in the README has no single {from:?}");
        text = text.replace(from, to);
    }
    Ok(text)
}

fn connect(to: &str) -> std::io::Result<TcpStream> {
    let to: SocketAddr = to.parse().map_err(std::io::Error::other)?;
    TcpStream::connect_timeout(&to, Duration::from_secs(2))
}

#[test]
fn the_readme_puts_a_server_and_a_connector_on_two_hosts() -> Result<()> {
    let _mount_point = MountPoint::new()?;
    let folder = Folder::new("two-hosts")?;
    let data = |name: &str| folder.path().join(name).display().to_string();
    let (server, router) = (host("server")?, host("router")?);
    let (branch, phone) = (host("branch")?, host("phone")?);

    // The networks. The server can reach the phone's, and nothing else.
    router.link(("server0", "10.77.0.1/24"), &server, ("eth0", "10.77.0.2/24"))?;
    router.link(("phone0", "10.78.0.1/24"), &phone, ("eth0", "10.78.0.2/24"))?;
    router.link(("branch0", "192.168.77.1/24"), &branch, ("eth0", "192.168.77.2/24"))?;
    server.run("ip", &["route", "add", "10.78.0.0/24", "via", "10.77.0.1"])?;
    phone.run("ip", &["route", "add", "default", "via", "10.78.0.1"])?;
    branch.run("ip", &["route", "add", "default", "via", "192.168.77.1"])?;
    router.route()?;
    router.wall("-t nat -A POSTROUTING -s 192.168.77.0/24 -j MASQUERADE")?;
    router.wall("-A FORWARD -o branch0 -m conntrack --ctstate NEW -j DROP")?;

    // Something listens in the branch, and the server cannot get there: it has no route, and with
    // one the branch's router lets nothing new in.
    let listener = branch.inside(|| Ok(TcpListener::bind("0.0.0.0:8443")?))?;
    router.inside(|| connect(&format!("{BRANCH}:8443")).context("the listener is there"))?;
    let refused = server.inside(|| Ok(connect(&format!("{BRANCH}:8443")).map(drop)))?;
    let refused = refused.err().context("the server reached the branch")?;
    ensure!(refused.kind() == std::io::ErrorKind::NetworkUnreachable, "{refused}");
    server.run("ip", &["route", "add", "192.168.77.0/24", "via", "10.77.0.1"])?;
    let refused = server.inside(|| Ok(connect(&format!("{BRANCH}:8443")).map(drop)))?;
    ensure!(refused.is_err(), "the branch's router let the server in");
    server.run("ip", &["route", "delete", "192.168.77.0/24"])?;
    drop(listener);

    // The branch's mail system and directory.
    let (slapd, dovecot, postfix, radicale) = branch.inside(|| {
        let slapd = Slapd::start(&SlapdOptions { ldif: ldif(), ..SlapdOptions::default() })?;
        let dovecot = dovecot()?;
        let postfix = postfix(&dovecot)?;
        let users = USERS.map(|(name, password)| (format!("{name}@{REALM}"), password));
        let users: Vec<_> = users.iter().map(|(name, it)| (name.as_str(), *it)).collect();
        let radicale = Radicale::start(&users)?;
        Ok((slapd, dovecot, postfix, radicale))
    })?;

    // The server.
    let path = "/etc/dme/server.toml";
    let text = file(
        path,
        &[
            ("/var/lib/dme", &data("server")),
            ("certificate = \"/etc/dme/phones.pem\"\nkey = \"/etc/dme/phones.key\"\n", ""),
        ],
    )?;
    fs::write(server.etc("dme/server.toml"), text)?;
    let said = follow(&server, "dme check server", &[])?;
    ensure!(!said.contains('✗'), "{said}");
    let log = folder.path().join("server.log");
    let _server = start(&server, "dme server", SERVER_UNIT, &log)?;
    wait_until("the server is up", PATIENCE, || {
        Ok(server.run("curl", &["-sf", "http://127.0.0.1:8480/healthz"]).is_ok())
    })
    .with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
    let token = follow(&server, "dme connector token branch", &[])?;

    // The connector.
    fs::write(
        branch.etc("dme/connector.toml"),
        connector_file(&data, &slapd, &dovecot, postfix.port, &radicale.url())?,
    )?;
    fs::write(branch.etc("dme/ldap.password"), format!("{SERVICE_PASSWORD}\n"))?;
    fs::write(folder.path().join("dovecot.pem"), dovecot.ca_pem.as_deref().unwrap_or_default())?;
    let password = data("ann.password");
    fs::write(&password, USERS[0].1)?;
    let password_file = ["--password-file", &*password];
    let check = format!("dme check connector --user ann@{REALM}");
    let said = follow_as(&branch, &check, &[], &password_file)?;
    ensure!(!said.contains('✗'), "{said}");
    let enrolled = follow(&branch, "dme connector enroll TOKEN", &[("TOKEN", token.trim())])?;
    let fingerprint = enrolled.lines().find_map(|line| line.strip_prefix("fingerprint "));
    let fingerprint = fingerprint.with_context(|| enrolled.clone())?;
    let listed = follow(&server, "dme connector list", &[])?;
    ensure!(listed.contains(fingerprint) && listed.contains("locked"), "{listed}");
    follow(&server, "dme connector unlock branch", &[])?;
    let log = folder.path().join("connector.log");
    let _connector = start(&branch, "dme connector", CONNECTOR_UNIT, &log)?;
    wait_until("the server is ready", PATIENCE, || {
        Ok(follow(&server, "curl -s http://127.0.0.1:8480/readyz", &[])?.contains("\"ready\":true"))
    })
    .with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
    let listed = follow(&server, "dme connector list", &[])?;
    ensure!(listed.contains("linked since"), "{listed}");

    // A phone.
    dovecot_delivers(&branch, &dovecot)?;
    let anns = format!("ann@{REALM}:{}", USERS[0].1);
    let calendar = format!("{}ann@{REALM}/work/", radicale.url());
    branch.run("curl", &["-sf", "-u", &anns, "-X", "MKCALENDAR", &calendar])?;
    let probe = format!(
        "dme probe ann@{REALM} --server https://mail.example.org/Microsoft-Server-ActiveSync \
         --ca AUTHORITY"
    );
    let authority = data("server/authority/authority.pem");
    let said = follow_as(&phone, &probe, &[("AUTHORITY", &authority)], &password_file)?;
    ensure!(!said.contains("FAIL") && said.contains(" 1 mails"), "{said}");
    ensure!(said.contains("0 events, 0 tasks, 0 notes; no folder for contacts"), "{said}");
    let devices = follow(&server, "dme device list", &[])?;
    ensure!(devices.contains(&format!("ann@{REALM}")), "{devices}");
    for name in ["server.log", "connector.log"] {
        let log = fs::read_to_string(folder.path().join(name))?;
        hold_no_secret(&log, &[token.trim().to_owned()])?;
    }
    Ok(())
}

fn connector_file(
    data: &impl Fn(&str) -> String,
    slapd: &Slapd,
    dovecot: &Dovecot,
    smtp_port: u16,
    dav: &str,
) -> Result<String> {
    let (port, ca_file) = (dovecot.imaps_port, data("dovecot.pem"));
    let imap = format!("host = \"localhost\"\nport = {port}\nca_file = {ca_file:?}");
    let smtp = format!("host = \"127.0.0.1\"\nport = {smtp_port}\ntls = \"none\"");
    let urls = format!(
        "urls = [\"ldaps://localhost:{}\"]\nca_file = {:?}",
        slapd.ldaps_port,
        slapd.ca_file()
    );
    file(
        "/etc/dme/connector.toml",
        &[
            ("/var/lib/dme-connector", &data("connector")),
            ("host = \"imap.example.org\"", &imap),
            ("host = \"smtp.example.org\"", &smtp),
            ("https://dav.example.org/", dav),
            ("urls = [\"ldaps://ldap.example.org\"]", &urls),
            ("cn=dme,dc=example,dc=org", SERVICE_DN),
        ],
    )
}

/// A mail for the phone to find.
fn dovecot_delivers(branch: &Host, dovecot: &Dovecot) -> Result<()> {
    let mail = b"From: bob@example.org\r\nTo: ann@example.org\r\nSubject: Hello\r\n\r\nHello\r\n";
    branch.inside(|| dovecot.deliver(&format!("ann@{REALM}"), mail))
}
