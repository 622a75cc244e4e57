//! The hosts and what runs on them.
//!
//! ```text
//!  phones ──┐          ┌── head: the server
//!           router ────┼── office: mail system, directory    (only the connectors get in)
//!  (internet, DMZ)     ├── first, second: connectors before the office's mail system
//!                      ├── branch: mail system, a copy of the office's directory, connector and
//!                      │           edge, phones               (nobody gets in)
//!                      └── bought: mail system, directory, connector     (nobody gets in)
//! ```

use crate::site::{PATIENCE, REALM, USERS, ldif, phone_at};
use anyhow::{Context, Result};
use dme_model::Secret;
use dme_phone::{Account, Address, Phone, Tls, Trust};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::hanging::Hanging;
use dme_testkit::host::Host;
use dme_testkit::ports::wait_until;
use dme_testkit::process::{Folder, Process, run};
use dme_testkit::slapd::{SERVICE_DN, SERVICE_PASSWORD, SUFFIX, Slapd, SlapdOptions};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// The one user of the branch, in the office's directory.
pub const DORA: (&str, &str) = ("dora@example.org", "doras-secret-Zq6");
/// The one user of the company that was bought, in a directory of its own.
pub const CARL: (&str, &str) = ("carl@bought.example", "carls-secret-Zq5");

const HEAD: &str = "10.77.0.2";
const OFFICE: &str = "10.79.0.2";
pub const BRANCH: &str = "192.168.77.2";
pub const BOUGHT: &str = "192.168.78.2";

pub struct Land {
    pub router: Host,
    pub phones: Host,
    pub head: Host,
    pub office: Host,
    pub second: Host,
    pub branch: Host,
    pub bought: Host,
    pub offices: Dovecot,
    pub branches: Dovecot,
    pub boughts: Dovecot,
    folder: Folder,
    _others: (Host, [Slapd; 3], Vec<Process>),
}

/// A host at the end of a line to the router; both ends have the line's name there.
fn host(router: &Host, name: &str, network: &str) -> Result<Host> {
    let host = Host::new(name, &[])?;
    let (near, far) = (format!("{network}.1/24"), format!("{network}.2/24"));
    router.link((&format!("{name}0"), &near), &host, ("eth0", &far))?;
    let gateway = format!("{network}.1");
    host.run("ip", &["route", "add", "default", "via", &gateway])?;
    Ok(host)
}

fn mail_system(host: &Host, users: &[(&str, &str)]) -> Result<Dovecot> {
    let users = users.iter().map(|(login, password)| ((*login).to_owned(), *password));
    let options = DovecotOptions::with_users(users);
    host.inside(|| Dovecot::start(options))
}

fn imap(port: u16) -> String {
    format!("[mail.imap.server]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n")
}

fn ldap(realm: &str, slapd: &Slapd) -> String {
    format!(
        "[people.ldap]\nrealm = \"{realm}\"\nurls = [\"ldaps://localhost:{}\"]\nca_file = {:?}\n\
         bind_dn = \"{SERVICE_DN}\"\nbind_password = \"{SERVICE_PASSWORD}\"\n\
         bases = [\"{SUFFIX}\"]\n",
        slapd.ldaps_port,
        slapd.ca_file()
    )
}

fn person(login: &str, password: &str) -> String {
    let name = login.split('@').next().unwrap_or_default();
    format!(
        "dn: uid={name},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\n\
         sn: {name}\nmail: {login}\nuserPassword: {password}\n\n"
    )
}

fn group(name: &str, member: &str) -> String {
    format!(
        "dn: cn={name},ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: {name}\n\
         member: uid={member},ou=people,{SUFFIX}\n\n"
    )
}

/// Ann and Bob in the group `sales`, by which both connectors before the office's mail system serve
/// them, and each in one of `north` and `south`; Dora in the group `burundi`.
fn offices_people() -> String {
    let member = |group| format!("member: cn={group},ou=groups,{SUFFIX}\n");
    let sales = member("sales");
    ldif().replace(&sales, &format!("{sales}{}", member("burundi")))
        + &person(DORA.0, DORA.1)
        + &group("burundi", "dora")
        + &group("north", "ann")
        + &group("south", "bob")
}

fn boughts_people() -> String {
    let unit =
        |name| format!("dn: ou={name},{SUFFIX}\nobjectClass: organizationalUnit\nou: {name}\n\n");
    unit("people") + &unit("groups") + &person(CARL.0, CARL.1) + &group("staff", "carl")
}

impl Land {
    pub fn start() -> Result<Self> {
        let router = Host::new("router", &[])?;
        let phones = host(&router, "phones", "10.78.0")?;
        let head = host(&router, "head", "10.77.0")?;
        let office = host(&router, "office", "10.79.0")?;
        let first = host(&router, "first", "10.80.0")?;
        let second = host(&router, "second", "10.81.0")?;
        let branch = host(&router, "branch", "192.168.77")?;
        let bought = host(&router, "bought", "192.168.78")?;
        router.route()?;
        for closed in ["branch0", "bought0", "first0", "second0"] {
            router.wall(&format!("-A FORWARD -o {closed} -m conntrack --ctstate NEW -j DROP"))?;
        }
        for open in ["phones0", "head0", "branch0", "bought0"] {
            router.wall(&format!(
                "-A FORWARD -i {open} -o office0 -m conntrack --ctstate NEW -j DROP"
            ))?;
        }

        let [(ann, anns), (bob, bobs), _] = USERS;
        let (ann, bob) = (format!("{ann}@{REALM}"), format!("{bob}@{REALM}"));
        let offices = mail_system(&office, &[(&ann, anns), (&bob, bobs)])?;
        let branches = mail_system(&branch, &[DORA])?;
        let boughts = mail_system(&bought, &[CARL])?;
        let slapd = |host: &Host, ldif| {
            host.inside(|| Slapd::start(&SlapdOptions { ldif, ..SlapdOptions::default() }))
        };
        let offices_directory = slapd(&office, offices_people())?;
        let branches_directory = slapd(&branch, offices_people())?;
        let boughts_directory = slapd(&bought, boughts_people())?;
        // The office's mail system listens on loopback there: it is led out to the office's own
        // address, and in to the loopback of each host that has a connector before it.
        let loopback = SocketAddr::from(([127, 0, 0, 1], offices.imap_port));
        let there: SocketAddr = format!("{OFFICE}:{}", offices.imap_port).parse()?;
        office.inside(|| Hanging::between(there, loopback))?;
        for host in [&first, &second] {
            host.inside(|| Hanging::between(loopback, there))?;
        }

        let folder = Folder::new("land")?;
        let path = |name: &str| folder.path().join(name);
        let scope = |name: &str, group: &str| {
            format!("[connectors.{name}]\nscope = {{ group = \"{group}\" }}\n")
        };
        let scopes = [("first", "sales"), ("second", "sales"), ("branch", "burundi")];
        let scopes = scopes.map(|(name, group)| scope(name, group)).concat();
        let scopes = scopes.replace("\"burundi\" }\n", "\"burundi\" }\nedge = \"7d\"\n");
        std::fs::write(
            path("server.toml"),
            format!(
                "directory = {:?}\n[phones]\nlisten = \"0.0.0.0:443\"\nhost = \"{HEAD}\"\n\
                 [links]\nlisten = \"0.0.0.0:8443\"\naddress = \"{HEAD}:8443\"\n\
                 [[realms]]\nname = \"{REALM}\"\nconnector = [\"people\", \"branch\"]\n\
                 [realms.access]\nusers = {{ groups = [\"dme-users\"] }}\n\
                 [[realms]]\nname = \"bought.example\"\nconnector = \"bought\"\n\
                 [realms.access]\nusers = {{ groups = [\"staff\"] }}\n{scopes}\
                 [log]\nlevel = \"debug,h2=info,hyper=info\"\n",
                path("server")
            ),
        )?;
        let mut processes = Vec::new();
        let mut start = |host: &Host, name: &'static str, arguments: &[&str]| -> Result<()> {
            let mut command = host.command(env!("CARGO_BIN_EXE_dme"), arguments);
            command.current_dir(folder.path());
            processes.push(Process::start("dme", &mut command, &path(&format!("{name}.log")))?);
            Ok(())
        };
        start(&head, "server", &["server", "--config", "server.toml"])?;
        let dme = |host: &Host, arguments: &[&str]| dme(host, folder.path(), arguments);
        wait_until("the server is up", PATIENCE, || {
            Ok(head.run("curl", &["-sf", "http://127.0.0.1:8480/healthz"]).is_ok())
        })
        .with_context(|| std::fs::read_to_string(path("server.log")).unwrap_or_default())?;
        let of_bought = imap(boughts.imap_port) + &ldap("bought.example", &boughts_directory);
        let realms = "[mail.imap]\nrealms = [\"bought.example\"]\n";
        let edge = format!("[edge.phones]\nlisten = \"0.0.0.0:443\"\nhost = \"{BRANCH}\"\n");
        let of_branch = imap(branches.imap_port) + &ldap(REALM, &branches_directory) + &edge;
        for (host, name, config) in [
            (&office, "people", ldap(REALM, &offices_directory)),
            (&first, "first", imap(offices.imap_port)),
            (&second, "second", imap(offices.imap_port)),
            (&branch, "branch", of_branch),
            (&bought, "bought", format!("{realms}{of_bought}")),
        ] {
            let file = format!("{name}.toml");
            let config = format!(
                "directory = {:?}\n{config}[link]\nkeepalive = \"1s\"\nkeepalive_timeout = \"1s\"\n\
                 [log]\nlevel = \"debug,h2=info,hyper=info\"\n",
                path(name)
            );
            std::fs::write(path(&file), config)?;
            let token =
                dme(&head, &["connector", "token", name, "--approved", "--config", "server.toml"])?;
            dme(host, &["connector", "enroll", token.trim(), "--config", &file])?;
            start(host, name, &["connector", "run", "--config", &file])?;
        }
        let directories = [offices_directory, branches_directory, boughts_directory];
        let others = (first, directories, processes);
        let land = Self {
            router,
            phones,
            head,
            office,
            second,
            branch,
            bought,
            offices,
            branches,
            boughts,
            folder,
            _others: others,
        };
        land.wait_for_all_links()?;
        Ok(land)
    }

    pub fn wait_for_all_links(&self) -> Result<()> {
        wait_until("all connectors are linked", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(100));
            Ok(self.dme(&["connector", "list"])?.matches("linked since").count() == 5)
        })
        .with_context(|| std::fs::read_to_string(self.path("server.log")).unwrap_or_default())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `dme` on the server's host.
    pub fn dme(&self, arguments: &[&str]) -> Result<String> {
        dme(&self.head, self.folder.path(), &[arguments, &["--config", "server.toml"]].concat())
    }

    /// Mail comes to a user, on the host of their mail system.
    pub fn deliver(&self, host: &Host, system: &Dovecot, user: &str, subject: &str) -> Result<()> {
        let mail =
            format!("From: eve@{REALM}\r\nTo: {user}\r\nSubject: {subject}\r\n\r\nHello\r\n");
        host.inside(|| system.deliver(user, mail.as_bytes()))
    }

    /// A phone that knows nothing yet. It finds the server from the phones' network.
    pub fn phone(&self, login: &str, password: &str) -> Result<Phone> {
        phone_at(Self::server(), self.folder.path(), login, password)
    }

    /// A phone that knows nothing yet and trusts the server and the branch's edge alike.
    pub fn roaming_phone(&self, login: &str, password: &str) -> Result<Phone> {
        let mut trusted = std::fs::read(self.path("server/authority/authority.pem"))?;
        trusted.extend(std::fs::read(self.path("branch/edge/authority/authority.pem"))?);
        let account = Account::new(Self::edge(), login, Secret::new(password));
        let mut phone = Phone::new(account, Tls::new(&Trust::Authority(trusted))?);
        phone.longest_pause = Duration::ZERO;
        Ok(phone)
    }

    /// Where phones find the server, from their network.
    pub fn server() -> Address {
        Address::active_sync(HEAD, 443)
    }

    /// Where phones find the branch's edge, from the branch.
    pub fn edge() -> Address {
        Address::active_sync(BRANCH, 443)
    }

    /// Waits until the branch's edge answers phones there.
    pub fn wait_for_edge(&self) -> Result<()> {
        let place: SocketAddr = format!("{BRANCH}:443").parse()?;
        let there = || Ok(TcpStream::connect_timeout(&place, Duration::from_secs(1)).is_ok());
        wait_until("the edge is there", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(100));
            self.branch.inside(there)
        })
        .with_context(|| std::fs::read_to_string(self.path("branch.log")).unwrap_or_default())
    }
}

fn dme(host: &Host, folder: &std::path::Path, arguments: &[&str]) -> Result<String> {
    run(host.command(env!("CARGO_BIN_EXE_dme"), arguments).current_dir(folder))
}
