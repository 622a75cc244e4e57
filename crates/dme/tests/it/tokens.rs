//! A mail system that takes OAuth access tokens: the account on the phone has the token as its
//! password.

use crate::console_openid::provider;
use crate::site::{PATIENCE, REALM};
use anyhow::{Result, ensure};
use dme_model::Secret;
use dme_phone::{Account, Address, Error, Phone, Tls, Trust};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process, run};
use std::process::Command;

fn dme(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dme"));
    command.args(arguments).current_dir(folder.path());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_gets_in_with_a_token_that_the_mail_system_takes() -> Result<()> {
    let ann = format!("ann@{REALM}");
    let users = [(ann.clone(), "not-used".to_owned())];
    let dovecot = Dovecot::start(DovecotOptions {
        tokens: vec![("good-t0ken".into(), ann.clone())],
        ..DovecotOptions::with_users(users)
    })?;
    let folder = Folder::new("tokens")?;
    let [phones, admin] = [free_port()?, free_port()?];
    let server = format!(
        "directory = \"server\"\n\
         [phones]\nlisten = \"127.0.0.1:{phones}\"\nhost = \"localhost:{phones}\"\n\
         [admin]\nlisten = \"127.0.0.1:{admin}\"\n\
         [[realms]]\nname = \"{REALM}\"\n[realms.access]\nusers = \"everyone\"\n\
         [embedded.mail.imap]\nauth = \"bearer\"\n\
         [embedded.mail.imap.server]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
        dovecot.imap_port
    );
    std::fs::write(folder.path().join("server.toml"), &server)?;
    let refused = dme(&folder, &["server", "--config", "server.toml"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(!refused.status.success() && said.contains("bearer"), "without [people]: {said}");

    std::fs::write(folder.path().join("password"), "her-directory-password")?;
    let add = ["user", "add", "ann", "--realm", REALM, "--file", "people.toml"];
    let added =
        dme(&folder, &[&add[..], &["--password-file", "password"]].concat()).status()?.success();
    ensure!(added, "no such directory");
    let people = format!("[embedded.people.file]\nrealm = \"{REALM}\"\npath = \"people.toml\"\n");
    std::fs::write(folder.path().join("server.toml"), server + &people)?;
    let log = folder.path().join("server.log");
    let mut command = dme(&folder, &["server", "--config", "server.toml"]);
    let mut running = Process::start("dme server", &mut command, &log)?;
    running.wait_ready(&[phones, admin])?;
    wait_until("the groups were read", PATIENCE, || {
        let ready = dme(&folder, &["user", "show", "ann", "--config", "server.toml"]).output()?;
        Ok(String::from_utf8_lossy(&ready.stdout).contains("allowed"))
    })?;

    let authority = std::fs::read(folder.path().join("server/authority/authority.pem"))?;
    let phone = |secret: &str| -> Result<Phone> {
        let address = Address::active_sync("localhost", phones);
        let account = Account::new(address, ann.clone(), Secret::new(secret));
        Ok(Phone::new(account, Tls::new(&Trust::Authority(authority.clone()))?))
    };
    phone("good-t0ken")?.folder_sync().await?;
    for wrong in ["bad-t0ken", "her-directory-password"] {
        let refused = phone(wrong)?.folder_sync().await;
        ensure!(matches!(refused, Err(Error::Unauthorized)), "{wrong}: {refused:?}");
    }
    let log = std::fs::read_to_string(log)?;
    ensure!(!log.contains("t0ken"), "the log holds a token");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_gets_in_with_a_token_of_the_realms_provider_and_so_does_its_mail() -> Result<()> {
    let (node, script) = provider()?;
    let folder = Folder::new("bearers")?;
    let [phones, admin, issuer] = [free_port()?, free_port()?, free_port()?];
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
    let ann = format!("ann@{REALM}");
    let good = token(&format!("login={ann}"))?;
    // Dovecot asks by itself whose the token is.
    let dovecot = Dovecot::start(DovecotOptions {
        tokens: vec![(good.clone(), ann.clone())],
        ..DovecotOptions::with_users([(ann.clone(), "not-used".to_owned())])
    })?;
    std::fs::write(folder.path().join("password"), "her-directory-password")?;
    let add = ["user", "add", "ann", "--realm", REALM, "--file", "people.toml"];
    run(&mut dme(&folder, &[&add[..], &["--password-file", "password"]].concat()))?;
    let server = format!(
        "directory = \"server\"\n\
         [phones]\nlisten = \"127.0.0.1:{phones}\"\nhost = \"localhost:{phones}\"\n\
         [admin]\nlisten = \"127.0.0.1:{admin}\"\n\
         [[realms]]\nname = \"{REALM}\"\n[realms.access]\nusers = \"everyone\"\n\
         [realms.tokens]\nissuer = \"{issuer}\"\naudience = \"urn:dme:phones\"\nscope = \"mail\"\n\
         [embedded.mail.imap]\nauth = \"bearer\"\n\
         [embedded.mail.imap.server]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         [embedded.people.file]\nrealm = \"{REALM}\"\npath = \"people.toml\"\n",
        dovecot.imap_port
    );
    std::fs::write(folder.path().join("server.toml"), &server)?;
    let checked = dme(&folder, &["check", "server", "--config", "server.toml"]).output()?;
    let checked = String::from_utf8_lossy(&checked.stdout).into_owned();
    ensure!(checked.contains(&format!("people sign in at {issuer}/auth")), "{checked}");
    let log = folder.path().join("server.log");
    let mut command = dme(&folder, &["server", "--config", "server.toml"]);
    let mut running = Process::start("dme server", &mut command, &log)?;
    running.wait_ready(&[phones, admin])?;
    wait_until("the groups were read", PATIENCE, || {
        let ready = dme(&folder, &["user", "show", "ann", "--config", "server.toml"]).output()?;
        Ok(String::from_utf8_lossy(&ready.stdout).contains("allowed"))
    })?;

    let authority = folder.path().join("server/authority/authority.pem");
    let phone = |token: &str| -> Result<Phone> {
        let address = Address::active_sync("localhost", phones);
        let mut account = Account::new(address, ann.clone(), Secret::new(""));
        account.token = Some(Secret::new(token));
        let trust = Trust::Authority(std::fs::read(&authority)?);
        Ok(Phone::new(account, Tls::new(&trust)?))
    };
    let mut anns = phone(&good)?;
    anns.folder_sync().await?;
    anns.sync(&anns.inbox()?).await?;
    let (head, rest) = good.split_once('.').expect("three parts");
    let (_, signature) = rest.split_once('.').expect("three parts");
    let bobs = token(&format!("login=bob@{REALM}"))?;
    let claims = bobs.split('.').nth(1).expect("three parts");
    for (what, wrong) in [
        ("for others", token(&format!("login={ann}&audience=urn:other"))?),
        ("of another realm", token("login=ann@elsewhere.example")?),
        ("of nobody", bobs.clone()),
        ("with claims that were not signed", format!("{head}.{claims}.{signature}")),
        ("that is none", "x.y.z".to_owned()),
    ] {
        let refused = phone(&wrong)?.folder_sync().await;
        ensure!(matches!(refused, Err(Error::Unauthorized)), "a token {what}: {refused:?}");
    }

    // Who shows none, or a wrong one, is told where they are had; a password is as good as ever.
    let url = format!("https://localhost:{phones}/Microsoft-Server-ActiveSync");
    let ask = |header: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-sSi", "-X", "OPTIONS", "-H", header, "--cacert"]).arg(&authority).arg(&url);
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
    let log = std::fs::read_to_string(log)?;
    ensure!(!log.contains(&good) && !log.contains(signature), "the log holds a token");
    Ok(())
}
