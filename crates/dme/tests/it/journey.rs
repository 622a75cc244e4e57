//! The main job: a phone adds one account and gets, reads, answers and files its mail.

use crate::site::{PATIENCE, Site, USERS, Wishes};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::folder_sync::FolderType;
use dme_phone::{Loss, Phone, Woken};
use std::time::Duration;

/// A mail with an HTML body and an attachment, whose subject no log may hold.
fn message(subject: &str, number: usize) -> Vec<u8> {
    format!(
        "From: Bob Example <bob@example.org>\r\nTo: ann@example.org\r\nSubject: {subject}\r\n\
         Message-ID: <{number}.{}@example.org>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\n\
         --x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <p>Gr\u{fc}\u{df}e, this is <b>number {number}</b></p>\r\n\
         --x\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\n\
         Content-Disposition: attachment; filename=\"plan.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQgcGxhbg==\r\n--x--\r\n",
        subject.len()
    )
    .into_bytes()
}

/// The id of the item with this subject.
fn find(phone: &Phone, folder: &str, subject: &str) -> Result<String> {
    let items = phone.items(folder)?;
    let found = items.iter().find(|(_, mail)| mail.subject == subject);
    found.map(|(id, _)| id.clone()).with_context(|| format!("no mail {subject:?} in {folder}"))
}

/// Has a phone learn its folders and what is in the inbox, whose id it answers.
pub async fn ready(phone: &mut Phone) -> Result<String> {
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    Ok(inbox)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_gets_reads_answers_and_files_mail() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    for (number, version) in ProtocolVersion::ALL.into_iter().enumerate() {
        let subject = format!("Quarterly plan {number} \u{e4}\u{f6}\u{fc}");
        site.dovecot.deliver("ann@example.org", &message(&subject, number))?;
        let mut phone = site.phone("ann")?;
        phone.client.account.version = version;
        phone.client.account.device = format!("phone{number}").as_str().into();
        one_version(&site, &mut phone, &subject).await.with_context(|| format!("{version}"))?;
    }
    let logs = site.logs()?;
    for secret in USERS.map(|(_, password)| password).into_iter().chain(["Quarterly plan"]) {
        ensure!(!logs.contains(secret), "a log holds {secret:?}");
    }
    Ok(())
}

async fn one_version(site: &Site, phone: &mut Phone, subject: &str) -> Result<()> {
    let options = phone.client.options().await?;
    ensure!(options.versions == ProtocolVersion::ALL, "versions {:?}", options.versions);
    let inbox = ready(phone).await?;
    let id = find(phone, &inbox, subject)?;
    let mail = &phone.items(&inbox)?[&id];
    ensure!(!mail.read, "a new mail is unread");
    let body = mail.body.as_ref().context("the mail has no body")?;
    let text = String::from_utf8_lossy(&body.data).into_owned();
    ensure!(text.contains("Gr\u{fc}\u{df}e"), "the body is {text:?}");
    let attachment = mail.attachments.first().context("the mail has no attachment")?;
    ensure!(attachment.display_name == "plan.pdf", "{}", attachment.display_name);
    let reference = attachment.file_reference.clone();
    let file = if phone.client.account.version == ProtocolVersion::V12_1 {
        phone.client.get_attachment(&reference).await?
    } else {
        phone.fetch_attachment(&reference).await?
    };
    ensure!(file == Bytes::from_static(b"%PDF-1.4 plan"), "the attachment is {file:?}");

    phone.mark_read(&inbox, &id, true).await?;
    let reply = format!(
        "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Re: {}\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nFine with me.\r\n",
        "the plan"
    );
    phone.smart_reply(&inbox, &id, reply.into_bytes()).await?;
    let arrived = wait_for_mail(site, "bob", "Re: the plan").await?;
    ensure!(arrived.contains("Fine with me."), "the answer is {arrived}");
    ensure!(arrived.contains("number"), "the original's text is in the answer");
    let sent = phone.folder_of(FolderType::Sent)?;
    phone.sync(&sent).await?;
    find(phone, &sent, "Re: the plan").context("a copy in Sent")?;

    let trash = phone.folder_of(FolderType::Deleted)?;
    phone.sync(&trash).await?;
    phone.delete(&inbox, &id).await?;
    phone.sync(&trash).await?;
    let deleted = find(phone, &trash, subject).context("the deleted mail is in the trash")?;
    let back = phone.move_to(&trash, &deleted, &inbox).await?;
    phone.sync(&inbox).await?;
    ensure!(phone.items(&inbox)?.contains_key(&back), "the moved mail has the id that was told");
    ensure!(phone.items(&inbox)?[&back].read, "it is still read");
    phone.delete(&inbox, &back).await?;
    clear(site, "bob").await
}

/// Waits until a user has a mail with this subject; answers its text.
async fn wait_for_mail(site: &Site, user: &str, subject: &str) -> Result<String> {
    let mut phone = site.phone(user)?;
    let end = std::time::Instant::now() + PATIENCE;
    let inbox = ready(&mut phone).await?;
    loop {
        if let Ok(id) = find(&phone, &inbox, subject) {
            let body = phone.items(&inbox)?[&id].body.as_ref().context("no body")?;
            return Ok(String::from_utf8_lossy(&body.data).into_owned());
        }
        ensure!(std::time::Instant::now() < end, "no mail {subject:?} came to {user}");
        phone.ping(&[&inbox], PATIENCE).await?;
        phone.sync(&inbox).await?;
    }
}

/// Empties a user's inbox.
async fn clear(site: &Site, user: &str) -> Result<()> {
    let mut phone = site.phone(user)?;
    phone.client.account.device = "cleaner".into();
    let inbox = ready(&mut phone).await?;
    phone.empty_folder(&inbox).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_phone_is_woken_by_new_mail() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut phone = site.phone("ann")?;
    let inbox = ready(&mut phone).await?;
    for number in 0..3 {
        let subject = format!("wake {number}");
        let watched = [&*inbox];
        let (woken, delivered) =
            tokio::join!(phone.ping(&watched, Duration::from_secs(600)), async {
                wait_parked(&site, 1).await?;
                site.dovecot.deliver("ann@example.org", &message(&subject, number))
            });
        delivered?;
        ensure!(woken? == Woken::Changed(vec![inbox.clone()]), "woken by the inbox");
        phone.sync(&inbox).await?;
        find(&phone, &inbox, &subject)?;
    }
    Ok(())
}

/// Waits until so many phones are parked.
pub async fn wait_parked(site: &Site, phones: usize) -> Result<()> {
    let line = format!("dme_parked_phones {phones}");
    let end = std::time::Instant::now() + PATIENCE;
    while !site.get("/metrics")?.lines().any(|one| one == line) {
        ensure!(std::time::Instant::now() < end, "{phones} phones were not parked in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_given_again_and_nothing_is_sent_twice() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    for number in 0..30 {
        site.dovecot.deliver("ann@example.org", &message(&format!("old {number}"), number))?;
    }
    let mut phone = site.phone("ann")?;
    phone.options.window = 10;
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync_round(&inbox).await?;
    phone.client.lose_next(Loss::Answer);
    ensure!(phone.sync_round(&inbox).await.is_err(), "the answer was to be lost");
    phone.sync(&inbox).await?;
    ensure!(phone.items(&inbox)?.len() == 30, "{} of 30 mails", phone.items(&inbox)?.len());

    let once =
        b"From: ann@example.org\r\nTo: bob@example.org\r\nSubject: only once\r\n\r\nHello\r\n";
    let sent = dme_eas::compose::Message {
        client_id: Some("the-same-id".into()),
        account_id: None,
        save_in_sent: dme_eas::compose::SaveInSent::Yes,
        mime: Bytes::from_static(once),
    };
    for _ in 0..3 {
        phone.client.send_mail(&sent).await?;
    }
    wait_for_mail(&site, "bob", "only once").await?;
    let mut bob = site.phone("bob")?;
    let inbox = ready(&mut bob).await?;
    let copies = bob.items(&inbox)?.values().filter(|mail| mail.subject == "only once").count();
    ensure!(copies == 1, "{copies} copies arrived");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_renamed_and_deleted_on_both_sides() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut phone = site.phone("ann")?;
    ready(&mut phone).await?;
    let made = phone.create_folder("0", "Projekte \u{fc}ber alles", FolderType::UserMail).await?;
    phone.update_folder(&made, "0", "Projekte").await?;
    let mut other = site.phone("ann")?;
    other.client.account.device = "tablet".into();
    other.folder_sync().await?;
    let named = |phone: &Phone, name: &str| {
        phone.folders().values().any(|state| state.folder.display_name == name)
    };
    ensure!(named(&other, "Projekte"), "the other device sees the renamed folder");
    let waiting = other.inbox()?;
    other.sync(&waiting).await?;
    phone.delete_folder(&made).await?;
    other.folder_sync().await?;
    ensure!(!named(&other, "Projekte"), "and that it is gone");
    Ok(())
}
