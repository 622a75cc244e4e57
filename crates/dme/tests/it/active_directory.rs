//! People of a Windows domain: a phone logs in as `CORP\ann` through server and connector, and is
//! sent away when the domain says so.

use crate::journey::wait_parked;
use crate::site::{Site, Wishes, hold_no_secret};
use anyhow::{Result, ensure};
use dme_files::{FilesConfig, FilesMailSystem};
use dme_phone::{Error, Woken};
use dme_testkit::samba::{CORP, FOLLOWER, SERVICE_PASSWORD, Samba};
use std::time::Duration;

const PASSWORD: &str = "anns-secret-Zq9";

/// Ann may use phones, through a nested group, and has a principal name with another suffix.
fn domain() -> Result<Samba> {
    let samba = Samba::start(CORP)?;
    let users = format!("CN=Users,{}", samba.suffix());
    let group = |name: &str, member: &str| {
        format!(
            "dn: CN={name},{users}\nchangetype: add\nobjectClass: group\n\
             sAMAccountName: {name}\nmember: CN={member},{users}\n\n"
        )
    };
    samba.modify(&samba.user(&users, "ann", PASSWORD, ""))?;
    samba.modify(&(group("staff", "ann") + &group("phones", "staff")))?;
    change(&samba, "userPrincipalName", "ann.smith@people.example")?;
    Ok(samba)
}

fn change(samba: &Samba, attribute: &str, value: &str) -> Result<()> {
    samba.modify(&format!(
        "dn: CN=ann,CN=Users,{}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n",
        samba.suffix()
    ))
}

async fn site(samba: &Samba) -> Result<(Site, dme_testkit::process::Process)> {
    let mut site = Site::start(&Wishes { server: "[logins]\nrefresh = \"1s\"\n".to_owned() })?;
    let root = site.path("corp-mail");
    let files = FilesMailSystem::new(FilesConfig::new(&root));
    files.create_user(&"ann@corp.example".into(), &[]).await?;
    let connector = site.add_connector(
        "corp",
        &format!(
            "[mail.files]\nroot = {root:?}\n[people.ldap]\nrealm = \"corp.example\"\n\
             kind = \"active_directory\"\nurls = [{:?}]\nca_file = {:?}\n\
             bind_dn = \"CORP\\\\{FOLLOWER}\"\nbind_password = \"{SERVICE_PASSWORD}\"\n",
            samba.ldaps_url(),
            samba.ca_file(),
        ),
    )?;
    // The other connector's mail system would be asked about anybody.
    let others = site.path("connector.toml");
    let own = "[mail.imap]\nrealms = [\"example.org\"]\n[mail.imap.server]";
    let config = std::fs::read_to_string(&others)?.replace("[mail.imap.server]", own);
    std::fs::write(&others, config)?;
    site.kill_connector();
    site.restart_connector()?;
    site.reconfigure(|text| {
        text + "[[realms]]\nname = \"corp.example\"\naliases = [\"CORP\"]\n\
                suffixes = [\"people.example\"]\n\
                [realms.access]\nusers = { groups = [\"phones\"] }\n"
    })?;
    site.wait_ready()?;
    Ok((site, connector))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_of_a_windows_domain_is_let_in_and_sent_away_as_the_domain_says() -> Result<()> {
    let samba = domain()?;
    let (site, _connector) = site(&samba).await?;
    for login in ["ann@corp.example", "corp\\Ann", "ann.smith@people.example"] {
        site.phone_as(login, PASSWORD)?.folder_sync().await?;
    }
    let wrong = site.phone_as("CORP\\ann", "wrong-Zq9")?.folder_sync().await;
    ensure!(matches!(wrong, Err(Error::Unauthorized)), "a wrong password: {wrong:?}");

    let mut phone = site.phone_as("CORP\\ann", PASSWORD)?;
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    let disabled = async {
        wait_parked(&site, 1).await?;
        change(&samba, "userAccountControl", "514")
    };
    let watched = [&*inbox];
    let (woken, done) = tokio::join!(phone.ping(&watched, Duration::from_secs(3000)), disabled);
    done?;
    ensure!(woken? == Woken::Expired, "the waiting phone is let go");
    let refused = phone.client.options().await;
    ensure!(matches!(refused, Err(Error::Http { status: 403, .. })), "and stays out: {refused:?}");
    ensure!(site.logs()?.contains("the account is disabled"), "the log does not say why");

    change(&samba, "userAccountControl", "512")?;
    change(&samba, "pwdLastSet", "0")?;
    site.dme(&["user", "forget", "CORP\\ann"])?;
    let refused = phone.client.options().await;
    ensure!(
        matches!(refused, Err(Error::Unauthorized)),
        "the phone asks for the new password: {refused:?}"
    );
    ensure!(site.logs()?.contains("the password must be changed first"), "nor that");
    let logs = site.logs()? + &std::fs::read_to_string(site.path("corp.log"))?;
    ensure!(logs.contains("groups read"), "the groups are read by the connector");
    hold_no_secret(&logs, &[PASSWORD.to_owned(), SERVICE_PASSWORD.to_owned()])
}
