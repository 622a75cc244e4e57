//! The users' own page: a phone with a password of its own, a lost one, one that is added by a link.

use crate::site::{PATIENCE, REALM};
use anyhow::{Context, Result, ensure};
use dme_model::Secret;
use dme_phone::{Account, Address, Error, Phone, Tls, Trust};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process, run};
use serde_json::{Value, json};
use std::process::Command;

pub const ANN: &str = "ann@example.org";
pub const PASSWORD: &str = "her-directory-password";

/// A server with local files and an in-file directory.
pub struct World {
    pub phones: u16,
    admin: u16,
    pub folder: Folder,
    _server: Process,
}

impl World {
    /// With more of the realm's settings, and more tables.
    pub fn start(realm: &str, more: &str) -> Result<Self> {
        Self::on("[embedded.mail.files]\nroot = \"mail\"", realm, more)
    }

    /// The same on another mail system.
    fn on(mail: &str, realm: &str, more: &str) -> Result<Self> {
        let folder = Folder::new("my")?;
        let [phones, admin] = [free_port()?, free_port()?];
        let config = format!(
            "directory = \"server\"\n\
             [phones]\nlisten = \"127.0.0.1:{phones}\"\nhost = \"localhost:{phones}\"\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n\
             [[realms]]\nname = \"{REALM}\"\n{realm}\n[realms.access]\nusers = \"everyone\"\n\
             {mail}\n\
             [embedded.people.file]\nrealm = \"{REALM}\"\npath = \"people.toml\"\n{more}"
        );
        std::fs::create_dir(folder.path().join("mail"))?;
        std::fs::write(folder.path().join("server.toml"), config)?;
        std::fs::write(folder.path().join("password"), PASSWORD)?;
        let dme = |words: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dme"));
            command.args(words.split(' ')).current_dir(folder.path());
            command
        };
        let who = format!("--realm {REALM} --file people.toml --password-file password");
        run(&mut dme(&format!("user add ann {who}")))?;
        if mail.contains("mail.files") {
            run(&mut dme(&format!("mailbox make {ANN} --config server.toml")))?;
        }
        let mut server = dme("server --config server.toml");
        let mut server = Process::start("dme", &mut server, &folder.path().join("server.log"))?;
        server.wait_ready(&[phones, admin])?;
        wait_until("the groups were read", PATIENCE, || {
            let shown = dme("user show ann --config server.toml").output()?;
            Ok(String::from_utf8_lossy(&shown.stdout).contains("allowed"))
        })?;
        Ok(Self { phones, admin, folder, _server: server })
    }

    /// Where browsers find a page.
    pub fn page(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.phones)
    }

    fn authority(&self) -> std::path::PathBuf {
        self.folder.path().join("server/authority/authority.pem")
    }

    /// A phone of Ann's that shows this password.
    pub fn phone(&self, device: &str, password: &str) -> Result<Phone> {
        let address = Address::active_sync("localhost", self.phones);
        let mut account = Account::new(address, ANN, Secret::new(password));
        account.device = device.into();
        let authority = std::fs::read(self.authority())?;
        Ok(Phone::new(account, Tls::new(&Trust::Authority(authority))?))
    }

    /// What the phones' listener answers, with its status: as Ann where `login`, by POST where
    /// something is sent.
    pub fn ask(&self, login: bool, path: &str, sent: Option<&str>) -> Result<(u16, Vec<u8>)> {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-w", "%{stderr}%{http_code}", "--cacert"]).arg(self.authority());
        if login {
            curl.args(["-u", &format!("{ANN}:{PASSWORD}")]);
        }
        if let Some(sent) = sent {
            curl.args(["--data-binary", sent]);
        }
        let url = match path.starts_with("https:") {
            true => path.to_owned(),
            false => format!("https://localhost:{}{path}", self.phones),
        };
        let answer = curl.arg(url).output()?;
        let status = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
        Ok((status.parse().with_context(|| format!("curl: {status}"))?, answer.stdout))
    }

    /// What the interface answers Ann.
    pub fn own(&self, path: &str, sent: Option<Value>) -> Result<Value> {
        let sent = sent.map(|sent| sent.to_string());
        let (status, answer) = self.ask(true, path, sent.as_deref())?;
        ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&answer));
        Ok(serde_json::from_slice(&answer)?)
    }

    /// As whoever may read the server's directory.
    pub fn publish_terms(&self, text: &str) -> Result<()> {
        let token = std::fs::read_to_string(self.folder.path().join("server/admin.token"))?;
        let mut curl = Command::new("curl");
        curl.args(["-sSf", "-H", &format!("Authorization: Bearer {}", token.trim())]);
        curl.args(["--data-binary", &json!({ "text": text }).to_string()]);
        run(curl.arg(format!("http://127.0.0.1:{}/api/terms", self.admin)))?;
        Ok(())
    }

    fn make_password(&self) -> Result<(i64, String)> {
        let made = self.own("/api/my/passwords", Some(json!({ "label": "my phone" })))?;
        let password = made["password"].as_str().context("no password")?.to_owned();
        Ok((made["number"].as_i64().context("no number")?, password))
    }
}

pub async fn is_refused(mut phone: Phone) -> bool {
    matches!(phone.folder_sync().await, Err(Error::Unauthorized))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_gets_in_with_a_password_of_its_own_until_it_is_taken_back() -> Result<()> {
    let world = World::start("device_passwords = \"required\"", "")?;
    ensure!(is_refused(world.phone("phone1", PASSWORD)?).await, "the directory's password");
    let (number, password) = world.make_password()?;
    world.phone("phone1", &password)?.folder_sync().await?;
    ensure!(is_refused(world.phone("phone2", &password)?).await, "another device");
    world.phone("phone1", &password)?.folder_sync().await?;
    let own = world.own("/api/my", None)?;
    ensure!(own["passwords"][0]["device"] == "phone1" && own["no_passwords"].is_null(), "{own}");
    world.own(&format!("/api/my/passwords/{number}/revoke"), Some(json!({})))?;
    ensure!(is_refused(world.phone("phone1", &password)?).await, "it was taken back");
    // Nobody but users is known there, and nothing but their own is there.
    ensure!(world.ask(false, "/api/my", None)?.0 == 401);
    for path in ["/api/devices", "/api/users/ann", "/", "/devices", "/metrics"] {
        ensure!(world.ask(true, path, None)?.0 == 404, "{path}");
    }
    let log = std::fs::read_to_string(world.folder.path().join("server.log"))?;
    ensure!(!log.contains(&password) && !log.contains(PASSWORD), "the log holds a password");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_mail_system_wants_ones_own_password_none_is_made_and_it_is_said_why()
-> Result<()> {
    let dovecot = Dovecot::start(DovecotOptions::with_users([(ANN, PASSWORD)]))?;
    let mail = format!(
        "[embedded.mail.imap.server]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"",
        dovecot.imap_port
    );
    let world = World::on(&mail, "device_passwords = \"allowed\"", "")?;
    world.phone("phone1", PASSWORD)?.folder_sync().await?;
    let (status, said) = world.ask(true, "/api/my/passwords", Some("{\"label\": \"x\"}"))?;
    let said = String::from_utf8(said)?;
    ensure!(status == 409 && said.contains("only with the user's own password"), "{said}");
    // Out of office asks for it.
    ensure!(world.own("/api/my", None)?["mail_needs_password"] == true);
    ensure!(world.ask(true, "/api/my/away", None)?.0 == 409);
    let shown = json!({ "password": "wrong" }).to_string();
    ensure!(world.ask(true, "/api/my/away/look", Some(&shown))?.0 == 403);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_is_shut_out_and_its_account_erased() -> Result<()> {
    let world = World::start("device_passwords = \"allowed\"", "")?;
    let (_, password) = world.make_password()?;
    let mut phone = world.phone("phone1", &password)?;
    phone.folder_sync().await?;
    world.own("/api/my/devices/phone1/label", Some(json!({ "label": "the old one" })))?;
    let (status, said) =
        world.ask(true, "/api/my/devices/phone1/lost", Some("{\"whole\": true}"))?;
    ensure!(status == 403, "whole devices: {}", String::from_utf8_lossy(&said));
    world.own("/api/my/devices/phone1/lost", Some(json!({})))?;
    let devices = world.own("/api/my/devices", None)?;
    ensure!(devices[0]["label"] == "the old one", "{devices}");
    ensure!(devices[0]["admission"] == "blocked", "{devices}");
    let wiped = phone.folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped { .. })), "{wiped:?}");
    ensure!(phone.folder_sync().await.is_err(), "it stays out");
    Ok(())
}

/// The value of a profile's key.
fn value<'a>(profile: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = profile.split_once(&format!("<key>{key}</key><string>"))?;
    rest.split('<').next()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_gives_a_signed_profile_once_with_which_a_phone_gets_in() -> Result<()> {
    let world = World::start("device_passwords = \"required\"", "")?;
    let wanted = json!({ "label": "my phone", "with_password": true });
    let invited = world.own("/api/my/invitations", Some(wanted))?;
    let link = invited["link"].as_str().context("no link")?;
    ensure!(invited["qr"].as_str().is_some_and(|qr| qr.starts_with("<svg ")), "{invited}");
    // To be looked at, as whatever looks at links does, uses it up no more than a wrong one.
    for _ in 0..2 {
        let (status, page) = world.ask(false, link, None)?;
        let page = String::from_utf8(page)?;
        ensure!(status == 200 && page.contains("localhost:") && page.contains(ANN), "{page}");
    }
    ensure!(world.ask(false, &format!("{link}x"), None)?.0 == 410);
    let (status, signed) = world.ask(false, &format!("{link}/profile"), Some(""))?;
    ensure!(status == 200, "{status}");
    let file = world.folder.path().join("mail.mobileconfig");
    std::fs::write(&file, signed)?;
    let mut openssl = Command::new("openssl");
    openssl.args(["cms", "-verify", "-inform", "DER", "-purpose", "any", "-CAfile"]);
    let profile = run(openssl.arg(world.authority()).arg("-in").arg(&file))?;
    ensure!(value(&profile, "UserName") == Some(ANN), "{profile}");
    ensure!(value(&profile, "Host") == Some(&*format!("localhost:{}", world.phones)), "{profile}");
    let password = value(&profile, "Password").context("no password")?;
    world.phone("phone1", password)?.folder_sync().await?;
    for again in ["profile", "password"] {
        ensure!(world.ask(false, &format!("{link}/{again}"), Some(""))?.0 == 410, "{again}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_signs_in_with_a_cookie_of_its_own_and_takes_no_strange_forms() -> Result<()> {
    let world = World::start("", "")?;
    let jar = world.folder.path().join("jar");
    let browse = |path: &str, more: &[&str]| -> Result<String> {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-i", "--cacert"]).arg(world.authority()).arg("-b").arg(&jar);
        let url = format!("https://localhost:{}{path}", world.phones);
        run(curl.arg("-c").arg(&jar).args(more).arg(url))
    };
    let turned = browse("/my", &[])?;
    ensure!(turned.contains("303 See Other") && turned.contains("/my/sign-in"), "{turned}");
    let form = format!("login={ANN}&password=wrong");
    ensure!(browse("/my/sign-in", &["-d", &form])?.contains("HTTP/1.1 403"));
    let form = format!("login={ANN}&password={PASSWORD}");
    let signed_in = browse("/my/sign-in", &["-d", &form])?;
    ensure!(signed_in.contains("__Host-dme-my=") && signed_in.contains("HttpOnly"), "{signed_in}");
    let page = browse("/my", &[])?;
    ensure!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    ensure!(page.contains("My devices") && page.contains("switched off here"), "{page}");
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").context("no mark")?;
    let csrf = rest.split('"').next().unwrap_or_default();
    let add = |csrf: &str| format!("label=my+phone&csrf={csrf}");
    ensure!(browse("/my/do/invitations", &["-d", &add("x")])?.contains("HTTP/1.1 403"));
    let strange = ["-H", "Origin: https://evil.example", "-d", &add(csrf)];
    ensure!(browse("/my/do/invitations", &strange)?.contains("HTTP/1.1 403"));
    let invited = browse("/my/do/invitations", &["-d", &add(csrf)])?;
    ensure!(invited.contains("<svg ") && invited.contains("/my/add/"), "{invited}");
    // By REST a session must say that it is no strange form.
    ensure!(browse("/api/my/invitations", &["-d", "{}"])?.contains("HTTP/1.1 403"));
    // Out of office, where the mail system needs no password.
    let away = browse("/my/away", &[])?;
    ensure!(away.contains("<textarea id=\"others\""), "{away}");
    let form = format!("csrf={csrf}&state=within&from=2026-12-24&to=2026-12-31&others=Back+soon");
    ensure!(browse("/my/do/away", &["-d", &form])?.contains("303 See Other"));
    let away = world.own("/api/my/away", None)?;
    ensure!(away["state"] == "within" && away["to"] == "2026-12-31", "{away}");
    ensure!(away["others"] == "Back soon" && away["colleagues"] == "", "{away}");
    ensure!(browse("/my/sign-out", &["-d", &format!("csrf={csrf}")])?.contains("Max-Age=0"));
    ensure!(browse("/my", &[])?.contains("303 See Other"), "signed out");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_waits_until_the_terms_are_accepted() -> Result<()> {
    let world = World::start("", "[my]\nterms_before_mail = true\n")?;
    world.phone("before", PASSWORD)?.folder_sync().await?;
    world.publish_terms("Lock your phone.")?;
    for device in ["after", "before"] {
        world.phone(device, PASSWORD)?.folder_sync().await?;
    }
    let admissions = || -> Result<Vec<(String, String)>> {
        let devices = world.own("/api/my/devices", None)?;
        let text = |device: &Value, key: &str| device[key].as_str().unwrap_or("").to_owned();
        let devices = devices.as_array().context("no list")?.iter();
        let mut all: Vec<_> =
            devices.map(|it| (text(it, "device"), text(it, "admission"))).collect();
        all.sort();
        Ok(all)
    };
    let pair = |device: &str, admission: &str| (device.to_owned(), admission.to_owned());
    let waiting = [pair("after", "quarantined"), pair("before", "allowed")];
    ensure!(admissions()? == waiting, "{:?}", admissions()?);
    let own = world.own("/api/my", None)?;
    ensure!(own["terms"]["text"] == "Lock your phone.", "{own}");
    ensure!(world.ask(true, "/api/my/terms/2/accept", Some("{}"))?.0 == 409);
    let own = world.own("/api/my/terms/1/accept", Some(json!({})))?;
    ensure!(own["terms"].is_null(), "{own}");
    let let_in = [pair("after", "allowed"), pair("before", "allowed")];
    ensure!(admissions()? == let_in, "{:?}", admissions()?);
    world.phone("after", PASSWORD)?.folder_sync().await?;
    Ok(())
}
