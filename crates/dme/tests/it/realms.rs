//! Whose directory a password is shown to: two realms at two connectors, and one that claims a
//! realm that is another's.

use crate::site::{PATIENCE, Site, USERS, Wishes};
use anyhow::{Result, ensure};
use dme_phone::Error;
use dme_testkit::ports::wait_until;
use dme_testkit::slapd::SUFFIX;

/// A connector's directory in a file of its own, with one person.
fn people(site: &Site, name: &str, realm: &str, person: &str, password: &str) -> Result<String> {
    let file = site.path(&format!("{name}.people"));
    let secret = site.path(&format!("{name}.password"));
    std::fs::write(&secret, password)?;
    let (file, secret) = (file.display().to_string(), secret.display().to_string());
    site.run(&[
        "user",
        "add",
        person,
        "--realm",
        realm,
        "--file",
        &file,
        "--password-file",
        &secret,
    ])?;
    Ok(format!("[people.file]\nrealm = {realm:?}\npath = {file:?}\n"))
}

async fn log_in(site: &Site, login: &str, password: &str) -> Result<u16> {
    match site.phone_as(login, password)?.client.options().await {
        Ok(_) => Ok(200),
        Err(Error::Unauthorized) => Ok(401),
        Err(Error::Http { status, .. }) => Ok(status),
        Err(error) => Err(error.into()),
    }
}

fn asked(site: &Site, connector: &str) -> Result<bool> {
    let log = std::fs::read_to_string(site.path(&format!("{connector}.log")))?;
    Ok(log.contains("directory/authenticate"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_realms_passwords_go_to_its_own_connector_and_no_other() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    let west = people(&site, "west", "west.example", "carl", "carls-secret-Zq4")?;
    let _west = site.add_connector("west", &west)?;
    site.reconfigure(|text| {
        text + "[[realms]]\nname = \"west.example\"\n[realms.access]\nusers = \"everyone\"\n"
    })?;
    site.wait_ready()?;
    ensure!(log_in(&site, "carl@west.example", "carls-secret-Zq4").await? == 200, "Carl");
    ensure!(log_in(&site, "carl@west.example", "wrong").await? == 401, "a wrong password");
    ensure!(!asked(&site, "connector")?, "Carl's password was shown to the other site");
    let shown = site.dme(&["user", "show", "carl@west.example"])?;
    ensure!(shown.contains("password checked by west"), "{shown}");
    ensure!(site.dme(&["connector", "list"])?.contains("directory of west.example"), "the list");
    let (ann, password) = USERS[0];
    ensure!(log_in(&site, ann, password).await? == 200, "Ann");
    ensure!(asked(&site, "connector")?, "Ann's password is her own site's to check");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_claims_anothers_realm_gets_no_password_and_is_told_of() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    let thief = people(&site, "thief", "example.org", "ann", "the-thiefs-own")?;
    let _thief = site.add_connector("thief", &thief)?;
    tokio::task::block_in_place(|| {
        wait_until("both are linked", PATIENCE, || {
            Ok(site.dme(&["user", "show", "ann"])?.contains("branch, thief"))
        })
    })?;
    let (ann, password) = USERS[0];
    ensure!(log_in(&site, ann, password).await? == 503, "nobody is asked while two say so");
    let shown = site.dme(&["user", "show", ann])?;
    ensure!(
        shown.contains("more than one connector says") && shown.contains("`connector`"),
        "{shown}"
    );
    ensure!(site.logs()?.contains("more than one connector says"), "nor does the log say why");

    site.reconfigure(|text| {
        text.replace("name = \"example.org\"\n", "name = \"example.org\"\nconnector = \"branch\"\n")
    })?;
    site.wait_ready()?;
    ensure!(log_in(&site, ann, password).await? == 200, "the one that is named is asked");
    ensure!(log_in(&site, ann, "the-thiefs-own").await? == 401, "the other does not vouch");
    ensure!(!asked(&site, "thief")?, "nor was it ever shown a password");
    Ok(())
}

/// Carl is the one person of the connector `thief`, whose directory has the groups of the office's too:
/// by their ids, and by ids that are what those are called.
#[tokio::test(flavor = "multi_thread")]
async fn a_connectors_people_are_in_no_group_of_anothers_by_its_word() -> Result<()> {
    let wishes = Wishes { server: "[logins]\nrefresh = \"1s\"\npassword_life = \"1s\"\n".into() };
    let mut site = Site::start(&wishes)?;
    let theirs = people(&site, "thief", "example.org", "carl", "carls-secret-Zq4")?;
    let file = site.path("thief.people");
    let own = std::fs::read_to_string(&file)?;
    let group = format!("cn=dme-users,ou=groups,{SUFFIX}");
    let _thief = site.add_connector("thief", &theirs)?;
    site.reconfigure(|text| {
        let realm = "name = \"example.org\"\n";
        text.replace(realm, &format!("{realm}connector = [\"thief\", \"branch\"]\n"))
            + "[connectors.thief]\nscope = { users = [\"carl@example.org\"] }\n"
    })?;
    site.wait_ready()?;
    let carl = ["carl@example.org", "carls-secret-Zq4"];
    for groups in [&[&*group][..], &["dme-users"], &["own", &group], &["own", "dme-users"]] {
        // Where there are two, the first is in the second.
        let (is_in, all) = (groups.first().copied().unwrap_or_default(), groups);
        let text = own.replace("[users.carl]\n", &format!("[users.carl]\ngroups = [{is_in:?}]\n"));
        let text = all.iter().fold(text, |text, name| {
            let parents = all.iter().skip(1).filter(|_| *name == "own").collect::<Vec<_>>();
            format!("{text}\n[groups.{name:?}]\nparents = {parents:?}\n")
        });
        std::fs::write(&file, text)?;
        site.dme(&["directory", "refresh"])?;
        let status = log_in(&site, carl[0], carl[1]).await?;
        ensure!(status == 403, "{groups:?}: {status}");
        let shown = site.dme(&["user", "show", carl[0]])?;
        ensure!(shown.contains("refused: not in a group"), "{groups:?}: {shown}");
        ensure!(log_in(&site, USERS[0].0, USERS[0].1).await? == 200, "{groups:?}: Ann");
    }
    let logs = site.logs()?;
    ensure!(logs.contains("a directory speaks for another's groups"), "it is in the log");
    Ok(())
}
