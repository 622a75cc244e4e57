//! Who may in: people, devices, policies, wipes.

use crate::journey::wait_parked;
use crate::site::{PATIENCE, Site, USERS, Wishes};
use anyhow::{Result, ensure};
use dme_phone::{Error, Phone, Woken};
use dme_testkit::ports::wait_until;
use dme_testkit::slapd::SUFFIX;
use std::time::Duration;

fn status(result: &Result<impl Sized, Error>) -> Option<u16> {
    match result {
        Err(Error::Unauthorized) => Some(401),
        Err(Error::Http { status, .. }) => Some(*status),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_members_get_in_and_by_every_form_of_login() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let (_, password) = USERS[0];
    for login in ["ann", "ann@example.org", "EXAMPLE\\ann", "Ann@Example.ORG"] {
        site.phone_as(login, password)?.folder_sync().await?;
    }
    let wrong = site.phone_as("ann", "wrong")?.folder_sync().await;
    ensure!(status(&wrong) == Some(401), "a wrong password: {wrong:?}");
    let unknown = site.phone_as("nobody", "wrong")?.folder_sync().await;
    ensure!(status(&unknown) == Some(401), "an unknown user: {unknown:?}");
    let stranger = site.phone("eve")?.folder_sync().await;
    ensure!(stranger.is_err() && status(&stranger) != Some(401), "without a group: {stranger:?}");
    let shown = site.dme(&["user", "show", "ann"])?;
    ensure!(shown.contains("allowed: by") && shown.contains("served by"), "{shown}");
    let refused = site.dme(&["user", "show", "eve"])?;
    ensure!(refused.contains("refused: not in a group"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_group_is_sent_away_while_waiting() -> Result<()> {
    let wishes = Wishes { server: "[logins]\nrefresh = \"1s\"\n".into() };
    let site = Site::start(&wishes)?;
    let mut phone = site.phone("bob")?;
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    let left = async {
        wait_parked(&site, 1).await?;
        site.slapd.modify(&format!(
            "dn: cn=sales,ou=groups,{SUFFIX}\nchangetype: modify\ndelete: member\n\
             member: uid=bob,ou=people,{SUFFIX}\n"
        ))
    };
    let watched = [&*inbox];
    let (woken, left) = tokio::join!(phone.ping(&watched, Duration::from_secs(3000)), left);
    left?;
    ensure!(woken? == Woken::Expired, "the waiting phone is let go");
    let refused = phone.folder_sync().await;
    ensure!(refused.is_err(), "and stays out");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_policy_is_taken_and_enforced() -> Result<()> {
    let wishes = Wishes { server: "[policy]\nmode = \"required\"\n".into() };
    let site = Site::start(&wishes)?;
    for version in dme_eas::ProtocolVersion::ALL {
        let mut phone = site.phone("ann")?;
        phone.client.account.version = version;
        phone.client.account.device = format!("p{}", version.as_byte()).as_str().into();
        phone.folder_sync().await?;
        ensure!(phone.events.provisioned == 1, "{version}: the phone was told to provision");
        phone.client.policy_key = Some(12345);
        phone.folder_sync().await?;
        ensure!(phone.events.provisioned == 2, "{version}: a wrong key does not open");
    }
    Ok(())
}

async fn known(site: &Site, user: &str, device: &str) -> Result<Phone> {
    let mut phone = site.phone(user)?;
    phone.client.account.device = device.into();
    phone.folder_sync().await?;
    Ok(phone)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_is_wiped_at_its_next_contact() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut phone = known(&site, "ann", "lost").await?;
    site.dme(&["device", "wipe", "ann@example.org", "lost"])?;
    let wiped = phone.folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    let listed = site.dme(&["device", "list", "ann@example.org"])?;
    ensure!(listed.contains("acknowledged (device)"), "{listed}");
    let again = phone.folder_sync().await;
    ensure!(again.is_err(), "a wiped phone stays out until it is allowed");
    site.dme(&["device", "allow", "ann@example.org", "lost"])?;
    phone.forget();
    phone.folder_sync().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_to_wipe_reaches_the_phone_of_somebody_who_was_shut_out() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut lost = known(&site, "ann", "lost").await?;
    let mut other = known(&site, "ann", "other").await?;
    site.dme(&["user", "disable", "ann"])?;
    let said = site.dme(&["device", "wipe", "ann@example.org", "lost"])?;
    ensure!(!said.contains("warning"), "{said}");
    let wiped = lost.folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    let listed = site.dme(&["device", "list", "ann@example.org"])?;
    ensure!(listed.contains("acknowledged (device)"), "{listed}");
    for phone in [&mut lost, &mut other] {
        let out = phone.folder_sync().await;
        ensure!(out.is_err() && !matches!(out, Err(Error::Wiped(_))), "and nothing else: {out:?}");
    }

    // Who may not log in any more does not get as far; that is said where the order is given.
    known(&site, "bob", "bobsphone").await?;
    site.slapd.modify(&format!(
        "dn: cn=sales,ou=groups,{SUFFIX}\nchangetype: modify\ndelete: member\n\
         member: uid=bob,ou=people,{SUFFIX}\n"
    ))?;
    let said = site.dme(&["device", "wipe", "bob@example.org", "bobsphone"])?;
    ensure!(said.contains("warning") && said.contains("log in"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_wipe_never_wipes_the_whole_of_an_older_phone() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut old = site.phone("ann")?;
    old.client.account.version = dme_eas::ProtocolVersion::V14_1;
    old.client.account.device = "old".into();
    old.folder_sync().await?;
    site.dme(&["device", "wipe", "--account", "ann@example.org", "old"])?;
    let shut_out = old.folder_sync().await;
    ensure!(shut_out.is_err() && !matches!(shut_out, Err(Error::Wiped(_))), "{shut_out:?}");
    let mut new = known(&site, "ann", "new").await?;
    site.dme(&["device", "wipe", "--account", "ann@example.org", "new"])?;
    let wiped = new.folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_phone_gets_one_mail_and_its_mailbox_when_allowed() -> Result<()> {
    let wishes = Wishes { server: "[devices]\nunknown = \"quarantine\"\n".into() };
    let site = Site::start(&wishes)?;
    site.dovecot.deliver("ann@example.org", b"Subject: real mail\r\n\r\nHello\r\n")?;
    let mut phone = known(&site, "ann", "new").await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    let subjects: Vec<String> =
        phone.items(&inbox)?.values().map(|mail| mail.subject.clone()).collect();
    ensure!(subjects == ["Your device is waiting to be approved"], "{subjects:?}");
    // The probe is a device too, and says so.
    std::fs::write(site.path("password"), USERS[0].1)?;
    let (password, authority) = ("password", "server/authority/authority.pem");
    let address = format!("https://localhost:{}/Microsoft-Server-ActiveSync", site.phones_port);
    let probe = ["probe", "ann@example.org", "--server", &address, "--password-file", password];
    let more = ["--ca", authority, "--hold", "1s", "--device", "LOOKSEE"];
    let probed = site.run(&[&probe[..], &more].concat())?;
    ensure!(probed.contains("the device is quarantined"), "{probed}");
    let listed = site.dme(&["device", "list"])?;
    ensure!(listed.contains("ann@example.org LOOKSEE DmeProbe"), "{listed}");
    let watched = [&*inbox];
    let (woken, allowed) = tokio::join!(phone.ping(&watched, Duration::from_secs(3000)), async {
        wait_parked(&site, 1).await?;
        site.dme(&["device", "allow", "ann@example.org", "new"])
    });
    allowed?;
    woken?;
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    let real = phone.items(&inbox)?.values().any(|mail| mail.subject == "real mail");
    ensure!(real, "the real mailbox came");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_device_and_a_disabled_user_stay_out() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut phone = known(&site, "ann", "blocked").await?;
    site.dme(&["device", "block", "ann@example.org", "blocked"])?;
    ensure!(phone.folder_sync().await.is_err(), "a blocked device");
    let mut other = known(&site, "ann", "other").await?;
    site.dme(&["user", "disable", "ann"])?;
    ensure!(other.folder_sync().await.is_err(), "a disabled user");
    site.dme(&["user", "enable", "ann"])?;
    other.folder_sync().await?;
    Ok(())
}

/// Ann's mail address is not her user's name, as in most directories; her phones log in by either.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_shut_out_by_mail_address_is_out_and_a_slip_of_the_hand_is_refused() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    site.slapd.modify(&format!(
        "dn: uid=ann,ou=people,{SUFFIX}\nchangetype: modify\nreplace: mail\n\
         mail: ann.miller@example.org\n"
    ))?;
    let mut by_name = known(&site, "ann", "one").await?;
    let mut by_mail = site.phone_as("ann.miller@example.org", USERS[0].1)?;
    by_mail.client.account.device = "two".into();
    by_mail.folder_sync().await?;
    let listed = site.dme(&["device", "list", "ann.miller@example.org"])?;
    ensure!(listed.contains("one") && listed.contains("two"), "her devices: {listed}");
    let said = site.dme(&["user", "disable", "ann.miller@example.org"])?;
    ensure!(said.contains("ann@example.org") && said.contains("disabled here"), "{said}");
    ensure!(by_name.folder_sync().await.is_err(), "by her name");
    ensure!(by_mail.folder_sync().await.is_err(), "by her mail address");
    site.dme(&["user", "enable", "ann.miller@example.org"])?;
    by_name.folder_sync().await?;
    for action in ["disable", "enable", "forget"] {
        let slip =
            site.dme(&["user", action, "amn@example.org"]).map_err(|error| error.to_string());
        let slip = slip.err().unwrap_or_default();
        ensure!(slip.contains("user amn@example.org"), "{action}: {slip}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_directory_is_down_those_it_vouched_for_stay_in() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    let mut ann = known(&site, "ann", "a").await?;
    site.slapd.kill();
    ann.folder_sync().await?;
    let mut bob = site.phone("bob")?;
    bob.longest_pause = Duration::ZERO;
    let refused = bob.folder_sync().await;
    ensure!(refused.is_err(), "nobody new gets in: {refused:?}");
    site.slapd.restart()?;
    wait_until("bob gets in again", PATIENCE, || {
        tokio::task::block_in_place(|| {
            let handle = tokio::runtime::Handle::current();
            Ok(handle
                .block_on(async {
                    site.phone("bob")?.folder_sync().await.map_err(anyhow::Error::from)
                })
                .is_ok())
        })
    })
}
