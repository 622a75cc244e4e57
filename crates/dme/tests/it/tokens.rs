//! A mail system that takes OAuth access tokens: the account on the phone has the token as its
//! password.

use crate::console_openid::provider;
use crate::my::{ANN, PASSWORD};
use crate::site::{PATIENCE, REALM};
use anyhow::{Result, ensure};
use dme_model::Secret;
use dme_phone::{Account, Address, Error, Phone, Tls, Trust};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process, run};
use std::path::PathBuf;
use std::process::Command;

/// A server before a mail system that takes tokens, and Ann in its directory.
struct World {
    phones: u16,
    admin: u16,
    folder: Folder,
    _dovecot: Dovecot,
}

impl World {
    /// Not yet running. The mail system takes this token as Ann's; `realm` is more of the realm's
    /// settings.
    fn prepare(name: &'static str, token: &str, realm: &str) -> Result<Self> {
        let dovecot = Dovecot::start(DovecotOptions {
            tokens: vec![(token.to_owned(), ANN.to_owned())],
            ..DovecotOptions::with_users([(ANN.to_owned(), "not-used".to_owned())])
        })?;
        let [phones, admin] = [free_port()?, free_port()?];
        let world = Self { phones, admin, folder: Folder::new(name)?, _dovecot: dovecot };
        let server = format!(
            "directory = \"server\"\n\
             [phones]\nlisten = \"127.0.0.1:{phones}\"\nhost = \"localhost:{phones}\"\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n\
             [[realms]]\nname = \"{REALM}\"\n[realms.access]\nusers = \"everyone\"\n{realm}\
             [embedded.mail.imap]\nauth = \"bearer\"\n\
             [embedded.mail.imap.server]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
            world._dovecot.imap_port
        );
        std::fs::write(world.path("strangers.toml"), &server)?;
        let people =
            format!("[embedded.people.file]\nrealm = \"{REALM}\"\npath = \"people.toml\"\n");
        std::fs::write(world.path("server.toml"), server + &people)?;
        std::fs::write(world.path("password"), PASSWORD)?;
        let add = ["user", "add", "ann", "--realm", REALM, "--file", "people.toml"];
        run(&mut world.dme(&[&add[..], &["--password-file", "password"]].concat()))?;
        Ok(world)
    }

    /// The server, once it knows Ann.
    fn start(&self) -> Result<Process> {
        let mut command = self.dme(&["server", "--config", "server.toml"]);
        let mut running = Process::start("dme server", &mut command, &self.path("server.log"))?;
        running.wait_ready(&[self.phones, self.admin])?;
        wait_until("the groups were read", PATIENCE, || {
            let ready = self.dme(&["user", "show", "ann", "--config", "server.toml"]).output()?;
            Ok(String::from_utf8_lossy(&ready.stdout).contains("allowed"))
        })?;
        Ok(running)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn authority(&self) -> PathBuf {
        self.path("server/authority/authority.pem")
    }

    fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.path("server.log"))?)
    }

    fn dme(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dme"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    /// A phone of Ann's that shows this password, or a token.
    fn phone(&self, password: &str, token: Option<&str>) -> Result<Phone> {
        let address = Address::active_sync("localhost", self.phones);
        let mut account = Account::new(address, ANN, Secret::new(password));
        account.token = token.map(Secret::new);
        let trust = Trust::Authority(std::fs::read(self.authority())?);
        Ok(Phone::new(account, Tls::new(&trust)?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_gets_in_with_a_token_that_the_mail_system_takes() -> Result<()> {
    let world = World::prepare("tokens", "good-t0ken", "")?;
    let refused = world.dme(&["server", "--config", "strangers.toml"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(!refused.status.success() && said.contains("bearer"), "without [people]: {said}");

    let _running = world.start()?;
    world.phone("good-t0ken", None)?.folder_sync().await?;
    for wrong in ["bad-t0ken", PASSWORD] {
        let refused = world.phone(wrong, None)?.folder_sync().await;
        ensure!(matches!(refused, Err(Error::Unauthorized)), "{wrong}: {refused:?}");
    }
    ensure!(!world.log()?.contains("t0ken"), "the log holds a token");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_gets_in_with_a_token_of_the_realms_provider_and_so_does_its_mail() -> Result<()> {
    let (node, script) = provider()?;
    let folder = Folder::new("bearers")?;
    let issuer = free_port()?;
    let mut command = Command::new(node);
    command.arg(script).args([issuer.to_string(), "http://127.0.0.1:1/".to_owned()]);
    let mut provider = Process::start("provider", &mut command, &folder.path().join("provider"))?;
    provider.wait_ready(&[issuer])?;
    let issuer = format!("http://127.0.0.1:{issuer}");
    let token = |of: &str| -> Result<String> {
        let token = run(Command::new("curl").args(["-sS", &format!("{issuer}/token-of?{of}")]))?;
        ensure!(token.split('.').count() == 3, "no token: {token}");
        Ok(token)
    };
    let good = token(&format!("login={ANN}"))?;
    // Dovecot asks by itself whose the token is.
    let tokens = format!(
        "[realms.tokens]\nissuer = \"{issuer}\"\naudience = \"urn:dme:phones\"\nscope = \"mail\"\n"
    );
    let world = World::prepare("bearers", &good, &tokens)?;
    let checked = world.dme(&["check", "server", "--config", "server.toml"]).output()?;
    let checked = String::from_utf8_lossy(&checked.stdout).into_owned();
    ensure!(checked.contains(&format!("people sign in at {issuer}/auth")), "{checked}");

    let _running = world.start()?;
    let mut anns = world.phone("", Some(&good))?;
    anns.folder_sync().await?;
    anns.sync(&anns.inbox()?).await?;
    let (head, rest) = good.split_once('.').expect("three parts");
    let (_, signature) = rest.split_once('.').expect("three parts");
    let bobs = token(&format!("login=bob@{REALM}"))?;
    let claims = bobs.split('.').nth(1).expect("three parts");
    for (what, wrong) in [
        ("for others", token(&format!("login={ANN}&audience=urn:other"))?),
        ("of another realm", token("login=ann@elsewhere.example")?),
        ("of nobody", bobs.clone()),
        ("with claims that were not signed", format!("{head}.{claims}.{signature}")),
        ("that is none", "x.y.z".to_owned()),
    ] {
        let refused = world.phone("", Some(&wrong))?.folder_sync().await;
        ensure!(matches!(refused, Err(Error::Unauthorized)), "a token {what}: {refused:?}");
    }

    // Who shows none, or a wrong one, is told where they are had; a password is as good as ever.
    let url = format!("https://localhost:{}/Microsoft-Server-ActiveSync", world.phones);
    let ask = |header: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-sSi", "-X", "OPTIONS", "-H", header, "--cacert"])
            .arg(world.authority())
            .arg(&url);
        run(&mut curl)
    };
    let told = ask("Authorization: Bearer")?.to_lowercase();
    ensure!(told.starts_with("http/1.1 401") || told.starts_with("http/2 401"), "{told}");
    let uri =
        format!("www-authenticate: bearer realm=\"dme\", authorization_uri=\"{issuer}/auth\"");
    ensure!(told.contains(&uri) && told.contains("www-authenticate: basic"), "{told}");
    ensure!(!told.contains("invalid_token"), "{told}");
    ensure!(ask("Authorization: Bearer x.y.z")?.contains("error=\"invalid_token\""));
    let taken = ask(&format!("Authorization: Bearer {good}"))?.to_lowercase();
    ensure!(taken.contains("ms-asprotocolversions"), "{taken}");
    let log = world.log()?;
    ensure!(!log.contains(&good) && !log.contains(signature), "the log holds a token");
    Ok(())
}
