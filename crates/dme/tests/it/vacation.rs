//! Out of office: a phone sets it, senders are answered by the mail system, and the user's own
//! Sieve script is what it was.

use crate::my::sign_in;
use crate::site::{PATIENCE, REALM, Site, USERS, Wishes};
use anyhow::{Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::settings::{Audience, Oof, OofMessage, OofRequest, OofState, ReplyFormat};
use dme_model::Timestamp;
use dme_phone::{Error, Phone};
use dme_testkit::chromium::Chromium;
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::postfix::{Postfix, PostfixOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";
const EVE: &str = "eve@example.org";
const STRANGER: &str = "stranger@elsewhere.example";
/// What Ann's mail is filed by.
const OWN: &str = "require [\"fileinto\"];\nif header :contains \"subject\" \"filed\" {\n    fileinto \
                   \"Junk\";\n    stop;\n}\n";
const INSIDE: &str = "In the hut until Monday – call Bob.";
const OUTSIDE: &str = "<p>I am <b>away</b> &amp; back on Monday.</p>";

/// Mail servers that carry Sieve scripts out and deliver what these send, and the port at which
/// mail from outside arrives.
fn mail_servers(sieve_extensions: &str) -> Result<(Dovecot, Postfix, u16)> {
    let open_port = free_port()?;
    let users = USERS.map(|(name, password)| (format!("{name}@{REALM}"), password.to_owned()));
    let users = users.into_iter().chain([(STRANGER.to_owned(), "strangers-secret".to_owned())]);
    let dovecot = Dovecot::start(DovecotOptions {
        tls: true,
        sieve: true,
        extra: format!(
            "submission_host = 127.0.0.1:{open_port}\nsubmission_ssl = no\n\
             plugin {{\n sieve_extensions = {sieve_extensions}\n}}\n"
        ),
        ..DovecotOptions::with_users(users)
    })?;
    let options = PostfixOptions {
        domain: REALM.to_owned(),
        open_port: Some(open_port),
        further_domains: vec!["elsewhere.example".to_owned()],
        ..PostfixOptions::default()
    };
    let postfix = Postfix::start(&dovecot, &options)?;
    Ok((dovecot, postfix, open_port))
}

struct World {
    site: Site,
    open_port: u16,
}

impl World {
    fn start(sieve_extensions: &str) -> Result<Self> {
        let (dovecot, postfix, open_port) = mail_servers(sieve_extensions)?;
        let connector = format!(
            "[sieve]\nhost = \"localhost\"\nport = {}\nca_file = \"dovecot.pem\"\n",
            dovecot.sieve_port
        );
        let site = Site::on(dovecot, postfix, &connector, &Wishes::default())?;
        Ok(Self { site, open_port })
    }

    fn home(&self, user: &str) -> PathBuf {
        self.site.dovecot.dir().join("mail").join(user)
    }

    /// Gives Ann a script, as the mail system's own page for that does.
    fn give_script(&self) -> Result<()> {
        let home = self.home(ANN);
        std::fs::create_dir_all(home.join("sieve"))?;
        std::fs::write(home.join("sieve/mine.sieve"), OWN)?;
        std::os::unix::fs::symlink("sieve/mine.sieve", home.join(".dovecot.sieve"))?;
        dme_testkit::process::give_to("mail", &home)
    }

    /// That Ann's script is the active one and as it was.
    fn script_is_back(&self) -> Result<()> {
        let active = std::fs::read_link(self.home(ANN).join(".dovecot.sieve"))?;
        ensure!(active == Path::new("sieve/mine.sieve"), "{} is active", active.display());
        let script = std::fs::read_to_string(self.home(ANN).join("sieve/mine.sieve"))?;
        ensure!(script == OWN, "the script became {script:?}");
        Ok(())
    }

    /// Sends Ann a mail, and waits until it was filed.
    fn send(&self, from: &str, subject: &str) -> Result<()> {
        let mail = format!(
            "From: <{from}>\r\nTo: <{ANN}>\r\nSubject: {subject}\r\n\
             Message-ID: <{subject}.{from}>\r\n\r\nAre you there?\r\n"
        );
        let file = self.site.path("mail.txt");
        std::fs::write(&file, mail)?;
        let sent = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "30"])
            .args(["--mail-from", from, "--mail-rcpt", ANN])
            .arg(format!("smtp://127.0.0.1:{}", self.open_port))
            .arg("--upload-file")
            .arg(&file)
            .output()?;
        ensure!(sent.status.success(), "curl: {}", String::from_utf8_lossy(&sent.stderr));
        let folder = if subject.contains("filed") { ".Junk" } else { "" };
        wait_until(&format!("{subject} of {from} is filed"), PATIENCE, || {
            let line = format!("Message-ID: <{subject}.{from}>\n");
            Ok(self.mails(ANN, folder).iter().any(|mail| mail.contains(&line)))
        })
    }

    fn mails(&self, user: &str, folder: &str) -> Vec<String> {
        let new = self.home(user).join("Maildir").join(folder).join("new");
        let files = std::fs::read_dir(new).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect()
    }

    /// The answers that a sender got, once there are so many.
    fn answers(&self, user: &str, count: usize) -> Result<Vec<String>> {
        let answers = || -> Vec<String> {
            let mails = self.mails(user, "").into_iter();
            mails.filter(|mail| mail.contains("Auto-Submitted: auto-replied")).collect()
        };
        let reached =
            wait_until(&format!("{user} is answered"), PATIENCE, || Ok(answers().len() >= count));
        reached.map_err(|error| error.context(self.site.dovecot.log()))?;
        ensure!(answers().len() == count, "{user} got {} answers", answers().len());
        Ok(answers())
    }
}

fn oof(state: OofState) -> Oof {
    let message = |audience, reply: &str, format| OofMessage {
        audience,
        enabled: Some(true),
        reply: Some(reply.to_owned()),
        format,
    };
    Oof {
        state: Some(state),
        messages: vec![
            message(Audience::Internal, INSIDE, ReplyFormat::Text),
            message(Audience::ExternalKnown, OUTSIDE, ReplyFormat::Html),
            message(Audience::ExternalUnknown, OUTSIDE, ReplyFormat::Html),
        ],
    }
}

async fn told(phone: &mut Phone, format: ReplyFormat) -> Result<Oof> {
    let told = phone.out_of_office(OofRequest::Get { format }).await?;
    told.ok_or_else(|| anyhow::anyhow!("a Get was answered with nothing"))
}

async fn journey(sieve_extensions: &str) -> Result<()> {
    let world = World::start(sieve_extensions)?;
    world.give_script()?;
    let mut phone = world.site.phone("ann")?;
    phone.folder_sync().await?;
    ensure!(told(&mut phone, ReplyFormat::Text).await?.state == Some(OofState::Disabled));

    // An absence that is over answers nobody, though it is set.
    let (start, end) =
        (Timestamp::from_seconds(1_600_000_000), Timestamp::from_seconds(1_600_009_000));
    let over = OofState::TimeBased { start, end };
    phone.out_of_office(OofRequest::Set(oof(over))).await?;
    ensure!(told(&mut phone, ReplyFormat::Text).await?.state == Some(over));
    world.send(EVE, "plain1")?;

    // One that goes on answers each in their own words, and files mail as before.
    let ongoing = OofState::TimeBased { start, end: Timestamp::from_seconds(4_000_000_000) };
    phone.out_of_office(OofRequest::Set(oof(ongoing))).await?;
    world.send(BOB, "plain2")?;
    world.send(STRANGER, "filed3")?;
    let to_bob = world.answers(BOB, 1)?.concat();
    ensure!(to_bob.contains("In the hut until Monday") && !to_bob.contains("html"), "{to_bob}");
    let to_stranger = world.answers(STRANGER, 1)?.concat();
    ensure!(to_stranger.contains("I am away & back on Monday."), "{to_stranger}");
    ensure!(to_stranger.contains("<b>away</b> &amp; back"), "{to_stranger}");
    ensure!(!to_stranger.contains("hut"), "{to_stranger}");
    world.send(EVE, "filed4")?;
    world.answers(EVE, 1)?;

    // The same at once, in every version.
    for version in ProtocolVersion::ALL {
        phone.client.account.version = version;
        phone.out_of_office(OofRequest::Set(oof(OofState::Global))).await?;
        let oof = told(&mut phone, ReplyFormat::Html).await?;
        ensure!(oof.state == Some(OofState::Global) && oof.messages.len() == 3, "{oof:?}");
        let external = oof.messages.iter().filter(|message| message.audience != Audience::Internal);
        let told: Vec<_> = external.map(|message| message.reply.as_deref()).collect();
        ensure!(told == [Some(OUTSIDE); 2], "{told:?}");
    }

    // One browser is enough: whatever holds the rule, the page knows nothing of it.
    if sieve_extensions.starts_with('+') {
        on_the_page(&world)?;
    }

    // Switched off, nobody is answered, the texts stay, and the script is the user's again.
    let off = Oof { state: Some(OofState::Disabled), messages: Vec::new() };
    phone.out_of_office(OofRequest::Set(off)).await?;
    world.script_is_back()?;
    let kept = told(&mut phone, ReplyFormat::Text).await?;
    ensure!(kept.state == Some(OofState::Disabled), "{kept:?}");
    ensure!(kept.messages[0].reply.as_deref() == Some(INSIDE), "{kept:?}");
    for (sender, answers) in [(ANN, 0), (BOB, 1), (EVE, 1), (STRANGER, 1)] {
        world.send(sender, "filed5")?;
        world.answers(sender, answers)?;
    }
    let logs = world.site.logs()?;
    ensure!(!logs.contains("the hut") && !logs.contains("back on Monday"), "a log holds a text");
    Ok(())
}

/// At `/my` one sees what the phone set, and sets it: with the password, which the mail system needs.
fn on_the_page(world: &World) -> Result<()> {
    let (_, password) = USERS[0];
    let page = format!("https://localhost:{}/my/away", world.site.phones_port);
    let browser = Chromium::start()?;
    browser.trust_all()?;
    browser.go(&page)?;
    sign_in(&browser, ANN, password)?;
    browser.go(&page)?;
    browser.write("#password", "wrong")?;
    browser.click("form[action=\"/my/do/away/look\"] button")?;
    browser.wait_for(".notice.bad", "not your password")?;
    browser.write("#password", password)?;
    browser.click("form[action=\"/my/do/away/look\"] button")?;
    browser.wait_for("#colleagues", INSIDE)?;
    browser.write("#colleagues", "Reading in the garden.")?;
    browser.write("#password", password)?;
    browser.click("form[action=\"/my/do/away\"] button")?;
    browser.wait_for(".notice", "Done")?;
    browser.write("#password", password)?;
    browser.click("form[action=\"/my/do/away/look\"] button")?;
    browser.wait_for("#colleagues", "Reading in the garden.")?;
    browser.write("#colleagues", INSIDE)?;
    browser.write("#password", password)?;
    browser.click("form[action=\"/my/do/away\"] button")?;
    browser.wait_for(".notice", "Done")
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_are_answered_and_the_own_script_is_included() -> Result<()> {
    journey("+vacation-seconds").await
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_are_answered_and_the_own_script_holds_the_rule() -> Result<()> {
    journey("-include").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_in_the_settings_own_words() -> Result<()> {
    let world = World::start("+vacation-seconds")?;
    let mut phone = world.site.phone("ann")?;
    phone.folder_sync().await?;
    let refusal =
        async |phone: &mut Phone, oof: Oof| match phone.out_of_office(OofRequest::Set(oof)).await {
            Err(Error::Refused { status, .. }) => Some(status),
            _ => None,
        };
    let (start, end) = (Timestamp::from_seconds(9), Timestamp::from_seconds(8));
    let absurd = refusal(&mut phone, oof(OofState::TimeBased { start, end })).await;
    ensure!(absurd == Some(6), "an end before the begin is {absurd:?}");
    // What an administrator is told beforehand.
    let (_, password) = USERS[0];
    std::fs::write(world.site.path("password"), password)?;
    let check = ["check", "connector", "--config", "connector.toml"];
    let login = ["--user", ANN, "--password-file", "password"];
    let said = world.site.run(&[&check[..], &login].concat())?;
    ensure!(said.contains("ManageSieve") && said.contains("sample script"), "{said}");
    // The user's own rule is left to the user.
    let own = "require [\"vacation\"];\nvacation \"Gone fishing\";\n";
    world.give_script()?;
    std::fs::write(world.home(ANN).join("sieve/mine.sieve"), own)?;
    let told = told(&mut phone, ReplyFormat::Text).await?;
    ensure!(told.state == Some(OofState::Global), "{told:?}");
    ensure!(told.messages[0].reply.as_deref() == Some("Gone fishing"), "{told:?}");
    let refused = refusal(&mut phone, oof(OofState::Global)).await;
    ensure!(refused == Some(3), "another rule beside the user's own is {refused:?}");
    // What is not there now may be later.
    let mut world = world;
    world.site.dovecot.kill();
    let refused = refusal(&mut phone, oof(OofState::Global)).await;
    ensure!(refused == Some(4), "a server that is down is {refused:?}");
    Ok(())
}
