//! A mail system that takes OAuth access tokens: the account on the phone has the token as its
//! password.

use crate::site::{PATIENCE, REALM};
use anyhow::{Result, ensure};
use dme_model::Secret;
use dme_phone::{Account, Address, Error, Phone, Tls, Trust};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process};
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
