//! A company that bought another: two mail systems side by side, each with users of its own, told
//! apart by directory groups; and a user whose calendar is elsewhere than the mail.

use crate::account::{folder, meeting, whole};
use crate::journey::ready;
use crate::property::imap::Client;
use crate::site::{PATIENCE, REALM, Site, USERS, Wishes};
use anyhow::{Context, Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_phone::Phone;
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::wait_until;
use dme_testkit::process::{Process, give_to};
use dme_testkit::radicale::Radicale;
use dme_testkit::slapd::SUFFIX;
use std::process::Command;
use std::time::{Duration, Instant};

const CARLS_PASSWORD: &str = "carls-secret-Zq5";

struct Companies {
    site: Site,
    bought: Dovecot,
    _connectors: [Process; 4],
    _radicale: Radicale,
}

impl Companies {
    /// `branch` and `spare` serve the group `sales`, `bought` the group of that name, and `dav` has
    /// Ann's calendar. The directory of both companies is at a connector of its own: one whose scope
    /// is a group answers for that group only.
    fn start() -> Result<Self> {
        let wishes = Wishes { server: "[logins]\nrefresh = \"1s\"\n".into() };
        let mut site = Site::start(&wishes)?;
        site.slapd.modify(&format!(
            "dn: ou=bought,{SUFFIX}\nchangetype: add\nobjectClass: organizationalUnit\n\
             ou: bought\n\n\
             dn: uid=carl,ou=bought,{SUFFIX}\nchangetype: add\nobjectClass: inetOrgPerson\n\
             uid: carl\ncn: Carl\nsn: Carl\nmail: carl@{REALM}\nuserPassword: {CARLS_PASSWORD}\n\n\
             dn: cn=bought,ou=bought,{SUFFIX}\nchangetype: add\nobjectClass: groupOfNames\n\
             cn: bought\nmember: uid=carl,ou=bought,{SUFFIX}\n\n\
             dn: cn=sales,ou=groups,{SUFFIX}\nchangetype: modify\nadd: member\n\
             member: uid=eve,ou=people,{SUFFIX}\n\n\
             dn: cn=dme-users,ou=groups,{SUFFIX}\nchangetype: modify\nadd: member\n\
             member: cn=bought,ou=bought,{SUFFIX}\n"
        ))?;
        let users = USERS.into_iter().chain([("carl", CARLS_PASSWORD)]);
        let users = users.map(|(name, password)| (format!("{name}@{REALM}"), password));
        let bought = Dovecot::start(DovecotOptions::with_users(users))?;
        let ann = format!("ann@{REALM}");
        let radicale = Radicale::start(&[(&ann, USERS[0].1)])?;
        let mail = |port: u16| {
            format!("[mail.imap.server]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n")
        };
        let spare = mail(site.dovecot.imap_port);
        let text = std::fs::read_to_string(site.path("connector.toml"))?;
        let people =
            text.split_once("[people.ldap]").and_then(|(_, rest)| rest.split_once("[log]"));
        let (people, _) = people.context("a connector with a directory")?;
        let dav = format!("[dav]\nurl = \"{}\"\n", radicale.url());
        let connectors = [
            site.add_connector("spare", &spare)?,
            site.add_connector("bought", &mail(bought.imap_port))?,
            site.add_connector("dav", &dav)?,
            site.add_connector("people", &format!("[people.ldap]{people}"))?,
        ];
        site.reconfigure(|text| {
            let group = |name: &str, group: &str| {
                format!("[connectors.{name}]\nscope = {{ group = \"{group}\" }}\n")
            };
            let ann = format!("[connectors.dav]\nscope = {{ users = [\"ann@{REALM}\"] }}\n");
            let spare = format!("{}tier = \"failover\"\n", group("spare", "sales"));
            let realm = "name = \"example.org\"\n";
            let text = text.replace(realm, &format!("{realm}connector = \"people\"\n"));
            text + &group("branch", "sales") + &spare + &group("bought", "bought") + &ann
        })?;
        site.wait_ready()?;
        let all = Self { site, bought, _connectors: connectors, _radicale: radicale };
        wait_until("all are linked", PATIENCE, || {
            Ok(all.site.dme(&["connector", "list"])?.matches("linked since").count() == 5)
        })?;
        Ok(all)
    }

    async fn phone(&self, user: &str, password: &str) -> Result<(Phone, String)> {
        let mut phone = self.site.phone_as(&format!("{user}@{REALM}"), password)?;
        let inbox = ready(&mut phone).await?;
        Ok((phone, inbox))
    }

    fn explain(&self, user: &str, function: &str) -> Result<String> {
        self.site.dme(&["route", "explain", user, function])
    }
}

fn mail(to: &str, number: usize) -> Vec<u8> {
    format!(
        "From: eve@{REALM}\r\nTo: {to}@{REALM}\r\nSubject: mail {number}\r\n\
         Message-ID: <{number}@{to}.example>\r\n\r\nHello\r\n"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_companies_are_served_at_once_and_it_can_be_told_who_by_whom_and_why() -> Result<()> {
    let mut all = Companies::start()?;
    all.site.dovecot.deliver(&format!("ann@{REALM}"), &mail("ann", 1))?;
    all.bought.deliver(&format!("carl@{REALM}"), &mail("carl", 2))?;
    let (mut ann, anns) = all.phone("ann", USERS[0].1).await?;
    let (carl, carls) = all.phone("carl", CARLS_PASSWORD).await?;
    let subjects = |phone: &Phone, inbox: &str| -> Result<Vec<String>> {
        Ok(phone.items(inbox)?.values().map(|mail| mail.subject.clone()).collect())
    };
    ensure!(subjects(&ann, &anns)? == ["mail 1"] && subjects(&carl, &carls)? == ["mail 2"]);

    // Ann's calendar is at another connector than her mail.
    let calendar = folder(&mut ann, "Calendar", FolderType::UserCalendar).await?;
    ann.create(&calendar, &whole(meeting("Merger", None))).await?;

    let said = all.explain("ann", "mail")?;
    ensure!(said.starts_with("mail: branch: ") && said.contains(", since "), "{said}");
    ensure!(said.contains("next would be spare"), "{said}");
    let said = all.explain("ann", "calendar")?;
    ensure!(said.starts_with("calendar: dav: "), "{said}");
    let said = all.explain("carl", "mail")?;
    ensure!(said.starts_with("mail: bought: "), "{said}");
    ensure!(said.contains("branch") && said.contains("outside its scope"), "{said}");
    let said = all.site.dme(&["route", "simulate", "--down", "branch"])?;
    ensure!(said.contains("from branch to spare") && !said.contains("carl"), "{said}");
    let said = all.site.dme(&["route", "simulate", "--down", "bought"])?;
    ensure!(said.contains("from bought to nobody") && said.contains("carl@"), "{said}");

    all.site.kill_connector();
    ann.sync(&anns).await?;
    let said = all.explain("ann", "mail")?;
    ensure!(said.starts_with("mail: spare: ") && said.contains(", since "), "{said}");
    ensure!(said.contains("at home at branch") && said.contains("not linked"), "{said}");
    ensure!(ann.events.told_to_wait == 0, "and nobody noticed");
    Ok(())
}

/// How mail comes from one mail system to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Copied {
    /// Message by message, as imapsync does: each gets a new UID.
    ByImap,
    /// With UIDs and UIDVALIDITY, as `doveadm backup` does.
    WithItsIds,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_moves_to_the_other_mail_system_keeps_the_account() -> Result<()> {
    let all = Companies::start()?;
    for (at, copied) in [(0, Copied::WithItsIds), (1, Copied::ByImap)] {
        let (user, password) = USERS[at];
        let sent = moves(&all, user, password, copied).await;
        let sent = sent.with_context(|| format!("{copied:?}"))?;
        // Ids of items are the mail system's own. A phone that knows those of another can only begin
        // the folder anew.
        let (expected, anew) = if copied == Copied::ByImap { (6, 1) } else { (1, 0) };
        ensure!(sent == (expected, anew), "{copied:?}: {sent:?}");
    }
    Ok(())
}

/// How many of six mails in the inbox, five of which the phone had, it is sent after its user moved;
/// and how many folders began anew.
async fn moves(
    all: &Companies,
    user: &str,
    password: &str,
    copied: Copied,
) -> Result<(usize, u32)> {
    let login = format!("{user}@{REALM}");
    let mails: Vec<_> = (0..5).map(|number| mail(user, number)).collect();
    for one in &mails {
        all.site.dovecot.deliver(&login, one)?;
    }
    let (mut phone, inbox) = all.phone(user, password).await?;
    let trash = phone.folder_of(FolderType::Deleted)?;
    phone.sync(&trash).await?;
    let folders: Vec<String> = phone.folders().keys().cloned().collect();
    ensure!(phone.items(&inbox)?.len() == 5, "all of it is on the phone");

    // The administrator copies the mail, and then moves the user from one group to the other.
    match copied {
        Copied::ByImap => {
            // By itself it would be the second of its making, and that may be the same at both.
            let to = all.bought.maildir(&login);
            std::fs::create_dir_all(&to)?;
            std::fs::write(
                to.join("dovecot-uidlist"),
                "3 V7 N1 G0123456789abcdef0123456789abcdef\n",
            )?;
            give_to("mail", to.parent().context("a Maildir lies in a folder")?)?;
            let mut copy = Client::login(all.bought.imap_port, &login, password)?;
            for one in mails.iter().rev() {
                copy.append("INBOX", "", None, one)?;
            }
            let made = copy.run("STATUS INBOX (UIDVALIDITY)")?.concat();
            ensure!(made.contains("UIDVALIDITY 7"), "{made}");
        }
        Copied::WithItsIds => {
            let (from, to) = (all.site.dovecot.maildir(&login), all.bought.maildir(&login));
            std::fs::create_dir_all(to.parent().context("a Maildir lies in a folder")?)?;
            let copied = Command::new("cp").arg("-a").arg(from).arg(&to).status()?;
            ensure!(copied.success(), "the Maildir is copied");
        }
    }
    let member = format!("member: uid={user},ou=people,{SUFFIX}");
    all.site.slapd.modify(&format!(
        "dn: cn=sales,ou=groups,{SUFFIX}\nchangetype: modify\ndelete: member\n{member}\n\n\
         dn: cn=bought,ou=bought,{SUFFIX}\nchangetype: modify\nadd: member\n{member}\n"
    ))?;
    all.site.dme(&["directory", "refresh"])?;
    wait_until("the other serves the user", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(100));
        Ok(all.explain(user, "mail")?.starts_with("mail: bought: "))
    })
    .with_context(|| all.explain(user, "mail").unwrap_or_default())?;
    all.bought.deliver(&login, &mail(user, 5))?;

    phone.folder_sync().await?;
    let after: Vec<String> = phone.folders().keys().cloned().collect();
    ensure!(folders.iter().all(|folder| after.contains(folder)), "{folders:?}, then {after:?}");
    let mut sent = 0;
    let end = Instant::now() + PATIENCE;
    while phone.items(&inbox)?.len() < 6 {
        ensure!(Instant::now() < end, "the phone has {:?}", phone.items(&inbox)?.keys());
        sent += phone.sync(&inbox).await?.added;
    }
    ensure!(phone.events.provisioned == 0, "the account stays");
    // What the phone does to one is done to that one.
    let marked = phone.items(&inbox)?.iter().find(|(_, mail)| mail.subject == "mail 1");
    let marked = marked.context("mail 1")?.0.clone();
    phone.mark_read(&inbox, &marked, true).await?;
    let there = Client::login(all.bought.imap_port, &login, password)?.mails("INBOX")?;
    let read = there.iter().filter(|mail| mail.flags.contains("\\Seen"));
    let read: Vec<_> = read.map(|mail| mail.subject.as_str()).collect();
    ensure!(read == ["mail 1"], "{read:?}");
    Ok((sent, phone.events.resynced))
}
