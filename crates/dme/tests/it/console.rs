//! An organisation whose administrators use the console: a server with a directory and mail in
//! files, and whoever asks its administration listener.

use crate::clock::on_clock;
use crate::site::{PATIENCE, curl, phone_at, start};
use anyhow::{Context, Result, ensure};
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{CallContext, MailSystem};
use dme_model::{RequestId, Role, UserId};
use dme_phone::{Address, Phone};
use dme_testkit::chromium::Chromium;
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process, run};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

pub const REALM: &str = "example.org";
/// Everybody's password.
pub const PASSWORD: &str = "correct-horse-Zq7";
/// Names, names for people, groups.
const PEOPLE: [(&str, &str, &str); 11] = [
    ("ada", "Ada Byron", "admins"),
    ("alan", "Alan Second", "admins"),
    ("carl", "Carl Auditor", "auditors"),
    ("dora", "Dora Desk", "desk-paris"),
    ("luc", "Luc Desk", "desk-lyon"),
    ("ann", "Ann Müller", "paris"),
    ("bob", "Bob Okonkwo", "lyon"),
    ("chen", "陈伟", "paris"),
    ("emma", "Emma Lindqvist", "lyon"),
    ("farid", "Farid Haddad", "paris"),
    ("grace", "Grace O'Neill", "lyon"),
];

/// The running organisation.
pub struct Office {
    pub admin_port: u16,
    pub phones_port: u16,
    folder: Folder,
    _server: Process,
}

impl Office {
    /// Starts it and waits until phones can be served. Devices that nobody knows wait.
    pub fn start() -> Result<Self> {
        Self::start_with("[console]\nsecond_factor = \"optional\"\n", "")
    }

    /// The same, with this in its configuration, which says how administrators sign in, and with that
    /// in its table `[devices]`. In it `ADMIN_PORT` stands for the administration listener's.
    pub fn start_with(more: &str, devices: &str) -> Result<Self> {
        let folder = Folder::new("office")?;
        let [admin_port, phones_port, links_port] = [free_port()?, free_port()?, free_port()?];
        let path = |name: &str| folder.path().join(name);
        let more = more.replace("ADMIN_PORT", &admin_port.to_string());
        std::fs::write(path("password"), PASSWORD)?;
        std::fs::write(path("webhook.secret"), "0123456789abcdef0123456789abcdef")?;
        let mut add = Command::new(env!("CARGO_BIN_EXE_dme"));
        add.args(["user", "add", "ada", "--realm", REALM, "--file", "people.toml"]);
        run(add.args(["--password-file", "password"]).current_dir(folder.path()))?;
        let made = std::fs::read_to_string(path("people.toml"))?;
        // One hash for all: each would take its time.
        let hash = made.split('"').find(|part| part.starts_with("$argon2")).context("no hash")?;
        let mut people = format!("realm = \"{REALM}\"\n");
        for (name, display_name, group) in PEOPLE {
            people.push_str(&format!(
                "[users.{name}]\naddress = \"{name}@{REALM}\"\ndisplay_name = \"{display_name}\"\n\
                 password = \"{hash}\"\ngroups = [\"{group}\"]\n"
            ));
        }
        people.push_str(
            "[groups.admins]\n[groups.auditors]\n[groups.desk-paris]\n[groups.desk-lyon]\n",
        );
        people.push_str("[groups.phones]\n[groups.paris]\nparents = [\"phones\"]\n");
        people.push_str("[groups.lyon]\nparents = [\"phones\"]\n");
        std::fs::write(path("people.toml"), people)?;
        std::fs::write(
            path("server.toml"),
            format!(
                "directory = \"server\"\n\
                 [phones]\nlisten = \"127.0.0.1:{phones_port}\"\nhost = \"localhost:{phones_port}\"\n\
                 [admin]\nlisten = \"127.0.0.1:{admin_port}\"\n\
                 {more}[links]\nlisten = \"127.0.0.1:{links_port}\"\naddress = \"127.0.0.1:{links_port}\"\n\
                 [[realms]]\nname = \"{REALM}\"\ndevice_passwords = \"allowed\"\n\
                 device_certificates = \"allowed\"\n[realms.access]\n\
                 users = {{ groups = [\"phones\"] }}\nadministrators = [\"admins\"]\n\
                 auditors = [\"auditors\"]\ndelegated_administrators = \
                 [{{ group = \"desk-paris\", groups = [\"paris\"], connectors = [\"paris\"] }}, \
                 {{ group = \"desk-lyon\", connectors = [\"lyon\"] }}]\n\
                 [policy]\nmode = \"required\"\n[devices]\nunknown = \"quarantine\"\n\
                 {devices}\
                 [webhooks.helpdesk]\nurl = \"https://hooks.example.org/dme\"\n\
                 secret = {{ file = \"webhook.secret\" }}\n\
                 kinds = [\"audit_contradicted\"]\n\
                 [embedded.mail.files]\nroot = \"mail\"\n\
                 [embedded.people.file]\nrealm = \"{REALM}\"\npath = \"people.toml\"\n\
                 [log]\nlevel = \"debug,h2=info,hyper=info\"\n"
            ),
        )?;
        std::fs::write(path("clock"), "+0")?;
        // The clock is what a file says, so that a test goes on by hours.
        let clock = format!("FAKETIME_TIMESTAMP_FILE={}", path("clock").display());
        let arguments = ["server", "--config", "server.toml"];
        let mut server = start(&on_clock(&clock), folder.path(), &arguments, "server")?;
        server.wait_ready(&[admin_port, phones_port])?;
        let office = Self { admin_port, phones_port, folder, _server: server };
        wait_until("the server is ready", PATIENCE, || {
            Ok(office.ask("GET", "/readyz", &[], "").is_ok_and(|answer| answer.status == 200))
        })?;
        Ok(office)
    }

    /// The clock goes on by this much from where it really is.
    pub fn later(&self, by: Duration) -> Result<()> {
        Ok(std::fs::write(self.path("clock"), format!("+{}", by.as_secs()))?)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where browsers find a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin_port)
    }

    /// Runs `dme` in its folder.
    pub fn dme(&self, arguments: &[&str]) -> Result<String> {
        let mut dme = Command::new(env!("CARGO_BIN_EXE_dme"));
        run(dme.args(arguments).current_dir(self.folder.path()))
    }

    /// Starts a connector that has only mail, and waits to be approved; with its fingerprint.
    pub fn connector(&self, name: &str) -> Result<(Process, String)> {
        let file = format!("{name}.toml");
        let text = format!("directory = \"{name}\"\n[mail.files]\nroot = \"{name}-mail\"\n");
        std::fs::write(self.path(&file), text)?;
        let token = self.dme(&["connector", "token", name, "--config", "server.toml"])?;
        let said = self.dme(&["connector", "enroll", token.trim(), "--config", &file])?;
        let fingerprint = said.lines().find_map(|line| line.strip_prefix("fingerprint "));
        let fingerprint = fingerprint.context("no fingerprint")?.to_owned();
        let arguments = ["connector", "run", "--config", &file];
        Ok((start(&[], self.folder.path(), &arguments, name)?, fingerprint))
    }

    /// Starts the connector of Lyon, which an administrator lets in, and waits until it is linked.
    pub fn lyon(&self, administrator: &Caller<'_>) -> Result<Process> {
        let (process, _) = self.connector("lyon")?;
        administrator.post("/api/connectors/lyon/unlock", &json!({}))?;
        wait_until("lyon is linked", PATIENCE, || {
            let all = administrator.get("/api/connectors")?;
            let all = all.as_array().into_iter().flatten();
            Ok(all.into_iter().any(|one| one["name"] == "lyon" && !one["link"].is_null()))
        })?;
        Ok(process)
    }

    /// Starts another program beside it, on the same clock.
    pub fn beside(&self, name: &'static str, program: &str, arguments: &[&str]) -> Result<Process> {
        let clock = format!("FAKETIME_TIMESTAMP_FILE={}", self.path("clock").display());
        let [env, before @ ..] = on_clock(&clock);
        let mut command = Command::new(env);
        command.args(before).arg(program).args(arguments).current_dir(self.folder.path());
        Process::start(name, &mut command, &self.path(&format!("{name}.log")))
    }

    /// Makes a user's mailbox with one mail in it.
    pub async fn mailbox(&self, user: &str, mail: &[u8]) -> Result<()> {
        self.mailbox_in("mail", user, mail).await
    }

    /// The same in the files of this folder.
    pub async fn mailbox_in(&self, folder: &str, user: &str, mail: &[u8]) -> Result<()> {
        let system = FilesMailSystem::new(FilesConfig::new(self.path(folder)));
        let user = UserId::from(format!("{user}@{REALM}").as_str());
        system.create_user(&user, &[]).await?;
        let account = dme_mailbox::Account {
            address: user.to_string(),
            user,
            display_name: None,
            credentials: dme_mailbox::Credentials::None,
        };
        let context = CallContext::new(RequestId::from("test"), Duration::from_secs(20));
        let mailbox = system.open(&account, &context).await?;
        let all = mailbox.collections().await?;
        let inbox = all.iter().find(|one| one.role == Some(Role::Inbox)).context("no inbox")?;
        mailbox.deliver(&inbox.id, mail).await?;
        Ok(())
    }

    /// A user's phone of this id, model and system.
    pub fn phone(&self, user: &str, id: &str, (kind, model, os): Kind<'_>) -> Result<Phone> {
        let address = Address::active_sync("localhost", self.phones_port);
        let login = format!("{user}@{REALM}");
        let mut phone = phone_at(address, self.folder.path(), &login, PASSWORD)?;
        phone.client.account.device = id.into();
        phone.client.account.device_type = kind.to_owned();
        phone.client.account.user_agent = format!("{}/{}", model.replace(' ', "-"), os);
        phone.device.model = Some(model.to_owned());
        phone.device.os = Some(os.to_owned());
        phone.device.friendly_name = Some(format!("{user}'s {model}"));
        phone.device.user_agent = Some(phone.client.account.user_agent.clone());
        Ok(phone)
    }

    /// Ann's mailbox, and her two phones: a new one, `PIXEL9`, and an old one, `MOTO`.
    pub async fn phones_of_ann(&self) -> Result<[Phone; 2]> {
        self.mailbox("ann", MAIL).await?;
        let mut phones = [self.phone("ann", "PIXEL9", PIXEL)?, self.phone("ann", "MOTO", MOTO)?];
        for phone in &mut phones {
            phone.folder_sync().await?;
        }
        Ok(phones)
    }

    /// Where users' browsers find a page of theirs.
    pub fn own_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.phones_port)
    }

    /// What the phones' listener answers a user of this name who asks by REST: the status, and what
    /// is said.
    pub fn ask_as(
        &self,
        user: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, String)> {
        let login = format!("{user}@{REALM}:{PASSWORD}");
        let more = ["-X", method, "-u", &login, "--data-binary", body];
        let (status, said) = curl(self.folder.path(), &more, &self.own_url(path))?;
        Ok((status, String::from_utf8_lossy(&said).into_owned()))
    }

    /// Signs a browser in by name and password.
    pub fn sign_in(&self, browser: &Chromium, name: &str) -> Result<()> {
        browser.forget_cookies()?;
        browser.go(&self.url("/sign-in"))?;
        browser.write("#login", &format!("{name}@{REALM}"))?;
        browser.write("#password", PASSWORD)?;
        browser.click("main button")?;
        browser.wait_for(".who", name)
    }

    /// Signs somebody in without a browser.
    pub fn session(&self, name: &str) -> Result<Caller<'_>> {
        let form = format!("login={name}%40{REALM}&password={PASSWORD}&back=%2F");
        let answer = self.ask("POST", "/sign-in", &[("Content-Type", FORM)], &form)?;
        ensure!(answer.status == 303, "{name} is not signed in: {}", answer.body);
        self.with_cookie(&answer.cookie("__Host-dme-console").context("no cookie")?)
    }

    /// Sends a form, as a browser does that has these cookies.
    pub fn form(&self, path: &str, cookies: &str, form: &str) -> Result<Answer> {
        self.ask("POST", path, &[("Content-Type", FORM), ("Cookie", cookies)], form)
    }

    /// Whoever has this session's cookie.
    pub fn with_cookie(&self, cookie: &str) -> Result<Caller<'_>> {
        let page = self.ask("GET", "/account", &[("Cookie", cookie)], "")?;
        let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).context("no csrf")?;
        let csrf = csrf.split('"').next().unwrap_or_default().to_owned();
        Ok(Caller { office: self, shows: vec![("Cookie", cookie.to_owned()), ("x-csrf", csrf)] })
    }

    /// Whoever may read the server's directory.
    pub fn root(&self) -> Result<Caller<'_>> {
        let token = std::fs::read_to_string(self.path("server/admin.token"))?;
        Ok(self.bearer(token.trim()))
    }

    /// Whoever has this token.
    pub fn bearer(&self, token: &str) -> Caller<'_> {
        Caller { office: self, shows: vec![("Authorization", format!("Bearer {token}"))] }
    }

    /// Nobody.
    pub fn nobody(&self) -> Caller<'_> {
        Caller { office: self, shows: Vec::new() }
    }

    /// The administration listener's answer.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        let mut tcp = TcpStream::connect(("127.0.0.1", self.admin_port))?;
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(
            tcp,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            self.admin_port,
            body.len()
        )?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
    }
}

/// `DeviceType`, model, system.
pub type Kind<'a> = (&'a str, &'a str, &'a str);

pub const PIXEL: Kind<'_> = ("Android", "Pixel 9", "Android 16");
/// One whose system is old.
pub const MOTO: Kind<'_> = ("Android", "Moto G84", "Android 14");
/// A mail to Ann.
pub const MAIL: &[u8] = b"To: ann@example.org\r\nSubject: real mail\r\n\r\nHello\r\n";

/// The shortest code that the phone's policy allows, which it takes anew where it is another one.
pub async fn shortest(phone: &mut Phone) -> Result<Option<u8>> {
    phone.folder_sync().await?;
    Ok(phone.policy.as_ref().context("no policy")?.min_password_length)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// What the administration listener said.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The cookie of this name that it sets, as browsers send it back.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut set = set.filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"));
        let pair = set.find_map(|(_, set)| set.strip_prefix(name)?.starts_with('=').then_some(set));
        Some(pair?.split(';').next()?.to_owned())
    }
}

/// Somebody who asks, with what shows who it is.
#[derive(Clone)]
pub struct Caller<'a> {
    office: &'a Office,
    shows: Vec<(&'static str, String)>,
}

impl Caller<'_> {
    /// What its forms carry.
    pub fn csrf(&self) -> &str {
        let found = self.shows.iter().find(|(name, _)| *name == "x-csrf");
        found.map_or("", |(_, value)| value)
    }

    /// The same, who shows their password with whatever they ask for.
    pub fn with_password(mut self) -> Self {
        self.shows.push(("x-password", PASSWORD.to_owned()));
        self
    }

    /// With nothing but what a browser sends along by itself.
    pub fn cookie_only(mut self) -> Self {
        self.shows.retain(|(name, _)| *name == "Cookie");
        self
    }

    /// The answer to this.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let shows: Vec<(&str, &str)> =
            self.shows.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.office.ask(method, path, &shows, body)
    }

    /// What was asked for, which must be given.
    pub fn get(&self, path: &str) -> Result<Value> {
        let answer = self.ask("GET", path, "")?;
        ensure!(answer.status == 200, "GET {path}: {} {}", answer.status, answer.body);
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// What was wanted, which must be done.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.ask("POST", path, &body.to_string())?;
        ensure!(answer.status == 200, "POST {path}: {} {}", answer.status, answer.body);
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// Lets a device in.
    pub fn allow(&self, user: &str, device: &str) -> Result<()> {
        let path = format!("/api/devices/{user}@{REALM}/{device}/allow");
        self.post(&path, &json!({})).map(drop)
    }
}
