//! The users' own page: a phone with a password of its own, a lost one, one that is added by a link.

use crate::site::{PATIENCE, REALM, curl};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use dme_link::Authority;
use dme_model::Secret;
use dme_phone::{Account, Address, Error, Phone, Tls, Trust};
use dme_testkit::chromium::Chromium;
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process, run};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

pub const ANN: &str = "ann@example.org";
pub const PASSWORD: &str = "her-directory-password";

/// A mail system in which nobody needs a password.
const FILES: &str = "[embedded.mail.files]\nroot = \"mail\"";

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
        Self::on(FILES, realm, more)
    }

    /// The same on another mail system.
    fn on(mail: &str, realm: &str, more: &str) -> Result<Self> {
        Self::behind("", mail, realm, more)
    }

    /// The same with more of the phones' settings.
    fn behind(listener: &str, mail: &str, realm: &str, more: &str) -> Result<Self> {
        let folder = Folder::new("my")?;
        let [phones, admin] = [free_port()?, free_port()?];
        let config = format!(
            "directory = \"server\"\n\
             [phones]\nlisten = \"127.0.0.1:{phones}\"\nhost = \"localhost:{phones}\"\n\
             {listener}\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n\
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

    /// The same with a certificate, in PEM with its key.
    pub fn certified(&self, device: &str, password: &str, pem: &[u8]) -> Result<Phone> {
        let trust = Trust::Authority(std::fs::read(self.authority())?);
        let account = self.phone(device, password)?.client.account;
        Ok(Phone::new(account, Tls::with_identity(&trust, pem)?))
    }

    /// What the phones' listener answers, with its status: as Ann where `login`, by POST where
    /// something is sent.
    pub fn ask(&self, login: bool, path: &str, sent: Option<&str>) -> Result<(u16, Vec<u8>)> {
        let ann = format!("{ANN}:{PASSWORD}");
        let login = if login { vec!["-u", &ann] } else { Vec::new() };
        let sent = sent.map_or(Vec::new(), |sent| vec!["--data-binary", sent]);
        let url = match path.starts_with("https:") {
            true => path.to_owned(),
            false => self.page(path),
        };
        curl(self.folder.path(), &[login, sent].concat(), &url)
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
        self.administer("/api/terms", Some(json!({ "text": text }))).map(drop)
    }

    /// What the administrators' interface answers whoever may read the server's directory.
    pub fn administer(&self, path: &str, sent: Option<Value>) -> Result<Value> {
        let token = std::fs::read_to_string(self.folder.path().join("server/admin.token"))?;
        let mut curl = Command::new("curl");
        curl.args(["-sSf", "-H", &format!("Authorization: Bearer {}", token.trim())]);
        if let Some(sent) = sent {
            curl.args(["--data-binary", &sent.to_string()]);
        }
        let answer = run(curl.arg(format!("http://127.0.0.1:{}{path}", self.admin)))?;
        Ok(serde_json::from_str(&answer)?)
    }

    fn make_password(&self) -> Result<(i64, String)> {
        let made = self.own("/api/my/passwords", Some(json!({ "label": "my phone" })))?;
        let password = made["password"].as_str().context("no password")?.to_owned();
        Ok((made["number"].as_i64().context("no number")?, password))
    }
}

/// Signs in on the page at `/my` that asks for it.
pub fn sign_in(browser: &Chromium, login: &str, password: &str) -> Result<()> {
    browser.write("#login", login)?;
    browser.write("#password", password)?;
    browser.click("main button")?;
    browser.wait_for("h1", "My devices")
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
    let mut check = Command::new(env!("CARGO_BIN_EXE_dme"));
    check.args(["check", "server", "--config", "server.toml"]);
    let said = check.current_dir(world.folder.path()).output()?;
    let said = String::from_utf8(said.stdout)?;
    ensure!(said.contains("opens a mailbox only with it: none can be made"), "{said}");
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
    for again in ["profile", "typed"] {
        ensure!(world.ask(false, &format!("{link}/{again}"), Some(""))?.0 == 410, "{again}");
    }
    Ok(())
}

/// A certificate of Ann's as it is given: its number, and it and its key in PEM, as OpenSSL reads the
/// file.
fn make_certificate(world: &World, name: &str) -> Result<(i64, Vec<u8>)> {
    let made = world.own("/api/my/certificates", Some(json!({ "label": name })))?;
    let number = made["number"].as_i64().context("no number")?;
    Ok((number, read_certificate(world.folder.path(), &made)?))
}

/// What OpenSSL finds in the file of a certificate that was made.
pub fn read_certificate(folder: &Path, made: &Value) -> Result<Vec<u8>> {
    let file = made["file"].as_str().context("no file")?;
    unpacked(folder, file, made["password"].as_str().context("no password")?)
}

/// What OpenSSL finds in a file of PKCS #12, given as base64.
fn unpacked(folder: &Path, file: &str, password: &str) -> Result<Vec<u8>> {
    let path = folder.join("device.p12");
    std::fs::write(&path, base64::engine::general_purpose::STANDARD.decode(file)?)?;
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-noenc", "-passin", &format!("pass:{password}"), "-in"]);
    Ok(run(openssl.arg(path))?.into_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_gets_in_with_its_certificate_alone_until_it_is_taken_back() -> Result<()> {
    let realm = "device_certificates = \"required\"\nsuffixes = [\"people.example\"]";
    let world = World::start(realm, "")?;
    // No password is asked for in vain, by whatever name.
    for user in [ANN, "ann", "ann@people.example"] {
        let mut phone = world.phone("phone1", PASSWORD)?;
        phone.client.account.user = user.into();
        let refused = phone.folder_sync().await;
        ensure!(matches!(refused, Err(Error::Http { status: 403, .. })), "{user}: {refused:?}");
    }
    let (number, pem) = make_certificate(&world, "my phone")?;
    let mut phone = world.certified("phone1", "", &pem)?;
    phone.folder_sync().await?;
    // Nor one that is left empty, with the login or without.
    phone.client.account.user = String::new();
    phone.folder_sync().await?;
    phone.client.account.user = "bob".into();
    ensure!(phone.folder_sync().await.is_err(), "another user's certificate");
    phone.client.account.user = ANN.into();
    phone.folder_sync().await?;
    // It is of one device.
    let other = world.certified("phone2", "", &pem)?.folder_sync().await;
    ensure!(matches!(other, Err(Error::Http { status: 403, .. })), "{other:?}");
    let own = world.own("/api/my", None)?;
    let known = &own["certificates"][0];
    ensure!(known["device"] == "phone1" && known["state"] == "good", "{own}");
    ensure!(own["certificates_required"] == true && own["certificates_suffice"] == true, "{own}");
    // Of another authority it does not get as far as to be asked.
    let strange = Authority::open(&world.folder.path().join("strange"))?;
    let strange = strange.device_identity(ANN, Duration::from_secs(3600))?;
    let (key, file) = (strange.key.expose(), world.folder.path().join("strange.der"));
    std::fs::write(&file, &strange.certificate)?;
    let mut openssl = Command::new("openssl");
    let strange = run(openssl.args(["x509", "-inform", "DER", "-in"]).arg(&file))? + key;
    let strange = world.certified("phone1", "", strange.as_bytes())?.folder_sync().await;
    ensure!(matches!(strange, Err(Error::Tls { .. } | Error::Broken(_))), "{strange:?}");

    // Taken back while it waits, it is refused on the connection it has.
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    let watched = [inbox.as_str()];
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.own(&format!("/api/my/certificates/{number}/revoke"), Some(json!({})))
    };
    let waiting = phone.ping(&watched, Duration::from_secs(300));
    let waiting = tokio::time::timeout(PATIENCE, waiting);
    let (waited, revoked) = tokio::join!(waiting, revoking);
    revoked?;
    ensure!(waited.is_ok(), "it waits still");
    let refused = phone.folder_sync().await;
    ensure!(matches!(refused, Err(Error::Http { status: 403, .. })), "{refused:?}");

    // By an administrator, too, who sees whose it was; and with the device.
    let (number, pem) = make_certificate(&world, "the next")?;
    let mut phone = world.certified("phone3", "", &pem)?;
    phone.folder_sync().await?;
    let admin = format!("/api/users/{ANN}/certificates");
    let listed = world.administer(&admin, None)?;
    ensure!(listed[0]["number"] == number && listed[0]["device"] == "phone3", "{listed}");
    let left = world.administer(&format!("{admin}/{number}/revoke"), Some(json!({})))?;
    ensure!(left == json!([]), "{left}");
    ensure!(phone.folder_sync().await.is_err());
    let (_, pem) = make_certificate(&world, "the last")?;
    let mut phone = world.certified("phone4", "", &pem)?;
    phone.folder_sync().await?;
    world.own("/api/my/devices/phone4/remove", Some(json!({})))?;
    ensure!(phone.folder_sync().await.is_err(), "the device was removed");
    let events = world.administer("/api/log?kind=certificate_revoked", None)?;
    ensure!(events.to_string().contains("taken back"), "{events}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_hands_on_of_a_certificate_counts_and_what_others_do_does_not() -> Result<()> {
    let realm = "device_certificates = \"required\"";
    for (proxies, status) in [("127.0.0.0/8", "200"), ("192.0.2.1/32", "403")] {
        let listener = format!("proxies = [\"{proxies}\"]\ncertificate_header = \"Client-Cert\"");
        let world = World::behind(&listener, FILES, realm, "")?;
        let (_, pem) = make_certificate(&world, "my phone")?;
        let file = world.folder.path().join("device.pem");
        std::fs::write(&file, pem)?;
        let mut openssl = Command::new("openssl");
        let text = run(openssl.args(["x509", "-outform", "PEM", "-in"]).arg(&file))?;
        let lines = text.lines().filter(|line| !line.starts_with("-----"));
        let header = format!("Client-Cert: :{}:", lines.collect::<String>());
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "OPTIONS", "--cacert"]);
        curl.arg(world.authority()).args(["-u", &format!("{ANN}:"), "-H", &header]);
        let answered = run(curl.arg(world.page("/Microsoft-Server-ActiveSync")))?;
        ensure!(answered == status, "from {proxies}: {answered}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_and_a_password_are_two_things_and_both_come_in_a_profile() -> Result<()> {
    let soon = "[certificates]\nlife = \"1d\"\nnotice = \"1d\"\n";
    let world = World::start("device_certificates = \"with_password\"", soon)?;
    let wanted = json!({ "label": "my phone", "with_certificate": true });
    let invited = world.own("/api/my/invitations", Some(wanted))?;
    let link = invited["link"].as_str().context("no link")?;
    let (status, profile) = world.ask(false, &format!("{link}/profile"), Some(""))?;
    ensure!(status == 200, "{status}");
    // Of the signed message, only what is in it.
    let profile = String::from_utf8_lossy(&profile).into_owned();
    let (_, identity) = profile.split_once("<dict>\n<key>Password</key>").context("no identity")?;
    let identity = format!("<key>Password</key>{identity}");
    let password = value(&identity, "Password").context("no password")?;
    let (_, file) = identity.split_once("<data>").context("no file")?;
    let file = file.split('<').next().unwrap_or_default();
    let pem = unpacked(world.folder.path(), file, password)?;
    let id = value(&profile, "PayloadCertificateUUID").context("no identity is named")?;
    ensure!(value(&identity, "PayloadUUID") == Some(id), "another is: {identity}");
    // As others read it, who know no OpenSSL.
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", READ, password]).arg(world.folder.path().join("device.p12"));
    ensure!(run(&mut python)?.trim() == format!("my phone CN={ANN} True"), "{python:?}");

    ensure!(is_refused(world.certified("phone1", "wrong", &pem)?).await, "a wrong password");
    ensure!(is_refused(world.certified("phone1", "", &pem)?).await, "no password");
    let refused = world.phone("phone1", PASSWORD)?.folder_sync().await;
    ensure!(matches!(refused, Err(Error::Http { status: 403, .. })), "{refused:?}");
    let mut phone = world.certified("phone1", PASSWORD, &pem)?;
    phone.folder_sync().await?;
    // It ends soon: its user is told, once.
    let inbox = phone.inbox()?;
    let told = async |phone: &mut Phone| -> Result<Vec<String>> {
        phone.sync(&inbox).await?;
        Ok(phone.items(&inbox)?.values().map(|mail| mail.subject.clone()).collect())
    };
    let begun = Instant::now();
    while told(&mut phone).await?.is_empty() {
        ensure!(begun.elapsed() < PATIENCE, "nobody was told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.certified("phone1", PASSWORD, &pem)?.folder_sync().await?;
    ensure!(told(&mut phone).await? == ["The certificate of your device ends soon"]);
    ensure!(world.own("/api/my/certificates", None)?[0]["state"] == "ends_soon");
    // Lost: it is told what to do by the certificate it has, and is nobody after that.
    world.own("/api/my/devices/phone1/lost", Some(json!({})))?;
    let wiped = world.certified("phone1", PASSWORD, &pem)?.folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    ensure!(world.own("/api/my/certificates", None)? == json!([]));
    Ok(())
}

/// Name, owner, and whether the key is the certificate's.
const READ: &str = "\
import sys
from cryptography.hazmat.primitives.serialization import pkcs12
read = pkcs12.load_pkcs12(open(sys.argv[2], 'rb').read(), sys.argv[1].encode())
same = read.key.public_key().public_numbers() == read.cert.certificate.public_key().public_numbers()
print(read.cert.friendly_name.decode(), read.cert.certificate.subject.rfc4514_string(), same)
";

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
