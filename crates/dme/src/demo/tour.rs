//! The tour: a simulated phone adds the account by its address and gets, reads, answers and files
//! mail, then all that is beside mail; every step is checked against what the mail system holds.

use super::world::{World, deliver, now};
use crate::ask::{say, say_line};
use anyhow::{Context, Result, bail, ensure};
use dme_eas::folder_sync::FolderType;
use dme_eas::settings::{Audience, Oof, OofMessage, OofRequest, OofState, ReplyFormat};
use dme_mailbox::ItemFilter;
use dme_mime::compose::{Notice, notice};
use dme_model::{Address as Person, Role};
use dme_phone::discover::{self, Asker};
use dme_phone::{Account, Address, Phone, Tls, Trust, Woken};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How long the phone may take to be roused before the tour fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Shows all of it; an error is what was not right.
pub async fn run(world: &World) -> Result<()> {
    let mut phone = phone_of(world, "ann")?;
    step("discovered", found(world, &mut phone)).await?;
    step("provisioned", async {
        phone.provision().await?;
        Ok("took the policy and acknowledged it".to_owned())
    })
    .await?;
    step("folders", async {
        let changes = phone.folder_sync().await?;
        ensure!(changes.added.len() >= 5, "only {} folders came", changes.added.len());
        let names: Vec<&str> =
            changes.added.iter().map(|folder| folder.display_name.as_str()).collect();
        Ok(names.join(", "))
    })
    .await?;
    let inbox = phone.inbox()?;
    mail(world, &mut phone, &inbox).await?;
    wake(world, &mut phone, &inbox).await?;
    step("answered", answer(world, &mut phone, &inbox)).await?;
    step("filed", file(&mut phone, &inbox)).await?;
    super::account::items(world, &mut phone).await?;
    super::account::meeting(world, &mut phone).await?;
    step("away", away(world, &mut phone)).await?;
    say_line("\n✓ All of it was right.");
    Ok(())
}

/// A phone of one of the users.
pub(super) fn phone_of(world: &World, name: &str) -> Result<Phone> {
    let port = world.server.phones.port();
    let address = Address::active_sync("localhost", port);
    let mut account = Account::new(address, World::address(name), world.password.clone());
    account.device = format!("DEMO{}", name.to_uppercase()).as_str().into();
    Ok(Phone::new(account, tls(world)?))
}

fn tls(world: &World) -> Result<Tls> {
    Ok(Tls::new(&Trust::Authority(world.server.authority.clone().into_bytes()))?)
}

/// Runs one step and says what came of it and how long it took.
pub(super) async fn step(name: &str, work: impl Future<Output = Result<String>>) -> Result<()> {
    let began = Instant::now();
    let said = work.await.with_context(|| format!("{name}: not as it should be"))?;
    let took = began.elapsed();
    say_line(format_args!("✓ {name:<12} {:>7.1} ms  {said}", took.as_secs_f64() * 1000.0));
    Ok(())
}

async fn found(world: &World, phone: &mut Phone) -> Result<String> {
    let email = World::address("ann");
    let place = phone.client.account.address.with_path("/autodiscover/autodiscover.xml");
    let asker = Asker { email: email.clone(), user: email, password: world.password.clone() };
    let found = discover::discover(&[place], &asker, &tls(world)?).await?;
    // That is how a real phone comes here; this machine itself may have no such address.
    let told = found.address.to_string();
    ensure!(told.contains(&world.host), "{told} is told, and not {}", world.host);
    let options = phone.client.options().await?;
    let newest = options.versions.last().context("OPTIONS named no version")?;
    Ok(format!("by the mail address alone; ActiveSync up to {newest}"))
}

/// The inbox arrives, window by window.
async fn mail(world: &World, phone: &mut Phone, inbox: &str) -> Result<()> {
    let mailbox = world.mailbox("ann").await?;
    let all = mailbox.collections().await?;
    let there = all.iter().find(|one| one.role == Some(Role::Inbox)).context("no inbox")?;
    let there = mailbox.list(&there.id, &ItemFilter::default()).await?.items.len();
    let live = std::io::stdout().is_terminal();
    let began = Instant::now();
    loop {
        let round = phone.sync_round(inbox).await?;
        let have = phone.items(inbox)?.len();
        if live {
            let width = 40;
            let filled = if there == 0 { width } else { have * width / there.max(have) };
            let (bar, rest) = ("█".repeat(filled), "░".repeat(width - filled));
            say(&format!("\r  {bar}{rest} {have}/{there}"));
        }
        if !round.more {
            break;
        }
    }
    if live {
        say("\r\x1b[K");
    }
    let items = phone.items(inbox)?;
    ensure!(items.len() == there, "{} of {there} mails came", items.len());
    let broken = items.values().filter(|mail| mail.from.is_empty() || mail.received.is_none());
    ensure!(broken.count() == 0, "some mails came without sender or date");
    let took = began.elapsed();
    say_line(format_args!(
        "✓ {:<12} {:>7.1} ms  {there} mails, {:.0} a second, {} with attachments",
        "mail",
        took.as_secs_f64() * 1000.0,
        there as f64 / took.as_secs_f64(),
        items.values().filter(|mail| !mail.attachments.is_empty()).count()
    ));
    for mail in items.values().rev().take(5) {
        let from = mail.from.first();
        let from = from.map(|from| from.name.as_deref().unwrap_or(&from.email)).unwrap_or("");
        say_line(format_args!("    {from:<24.24} {}", mail.subject));
    }
    Ok(())
}

/// A mail is delivered while the phone waits.
async fn wake(world: &World, phone: &mut Phone, inbox: &str) -> Result<()> {
    let subject = "Are you awake?";
    let message = notice(&Notice {
        from: person("bob", "Bob Okonkwo"),
        to: person("ann", "Ann Müller"),
        subject: subject.to_owned(),
        text: "This mail was delivered while your phone was waiting.".to_owned(),
        now: now(),
        seed: format!("demo-{}", now().as_millis()),
    });
    let folders = [inbox];
    let waiting = phone.ping(&folders, PATIENCE);
    let delivering = async {
        // Until the server says that the phone is parked, the mail would only test the first look.
        world.server.parked(1, PATIENCE).await.context("the phone was not parked in time")?;
        let delivered = Instant::now();
        deliver(world, "ann", &message).await?;
        anyhow::Ok(delivered)
    };
    let (woken, delivered) = tokio::join!(async { (waiting.await, Instant::now()) }, delivering);
    let (woken, at) = woken;
    match woken? {
        Woken::Changed(folders) if folders.iter().any(|folder| folder == inbox) => {}
        other => bail!("the phone was not told of the new mail: {other:?}"),
    }
    let took = at.saturating_duration_since(delivered?);
    phone.sync(inbox).await?;
    let came = phone.items(inbox)?.values().any(|mail| mail.subject == subject);
    ensure!(came, "the new mail did not come");
    say_line(format_args!(
        "✓ {:<12} {:>7.1} ms  from delivery to the waiting phone's answer",
        "woken",
        took.as_secs_f64() * 1000.0
    ));
    Ok(())
}

/// The phone answers that mail; the answer arrives, the original is marked.
async fn answer(world: &World, phone: &mut Phone, inbox: &str) -> Result<String> {
    let original = phone
        .items(inbox)?
        .iter()
        .find(|(_, mail)| mail.subject == "Are you awake?")
        .map(|(id, _)| id.clone())
        .context("the mail to answer is gone")?;
    let reply = b"From: ann@example.org\r\nTo: bob@example.org\r\n\
        Subject: Re: Are you awake?\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nI am now.\r\n";
    phone.smart_reply(inbox, &original, reply.to_vec()).await?;
    let bobs = world.mailbox("bob").await?;
    let query = dme_mailbox::SearchQuery {
        words: vec!["I am now".to_owned()],
        limit: 10,
        ..dme_mailbox::SearchQuery::default()
    };
    let page = bobs.search(&query).await?;
    ensure!(page.total >= 1, "the answer did not arrive");
    phone.sync(inbox).await?;
    let verb = phone.items(inbox)?.get(&original).and_then(|mail| mail.last_verb);
    ensure!(verb == Some(1), "the original is not marked as answered");
    let sent = phone.folder_of(FolderType::Sent)?;
    phone.sync(&sent).await?;
    let copies = phone.items(&sent)?.values().filter(|mail| mail.subject.contains("awake"));
    let copies = copies.count();
    ensure!(copies >= 1, "there is no copy in Sent");
    Ok("the answer arrived, the original is marked, a copy is in Sent".to_owned())
}

/// The phone marks a mail as read and deletes it.
async fn file(phone: &mut Phone, inbox: &str) -> Result<String> {
    let id = phone
        .items(inbox)?
        .iter()
        .find(|(_, mail)| mail.subject == "Are you awake?")
        .map(|(id, _)| id.clone())
        .context("the mail to file is gone")?;
    phone.mark_read(inbox, &id, true).await?;
    phone.delete(inbox, &id).await?;
    let trash = phone.folder_of(FolderType::Deleted)?;
    phone.sync(&trash).await?;
    let there = phone.items(&trash)?.values().any(|mail| mail.subject == "Are you awake?");
    ensure!(there, "the deleted mail is not in the trash");
    Ok("read, and moved to the trash".to_owned())
}

/// The phone sets an out-of-office message and gets it again.
async fn away(world: &World, phone: &mut Phone) -> Result<String> {
    let text = "I am away until Monday.";
    let message = |audience, enabled| OofMessage {
        audience,
        enabled: Some(enabled),
        reply: Some(text.to_owned()),
        format: ReplyFormat::Text,
    };
    let oof = Oof {
        state: Some(OofState::Global),
        messages: vec![
            message(Audience::Internal, true),
            message(Audience::ExternalKnown, false),
            message(Audience::ExternalUnknown, false),
        ],
    };
    let set = OofRequest::Set(oof.clone());
    let get = OofRequest::Get { format: ReplyFormat::Text };
    phone.out_of_office(set).await?;
    let told = phone.out_of_office(get).await?;
    ensure!(told.as_ref() == Some(&oof), "another message is told than was set: {told:?}");
    let kept = world.mailbox("ann").await?.vacation().await?;
    ensure!(kept.for_colleagues().is_some_and(|kept| kept.as_str() == text), "{kept:?} is kept");
    phone.out_of_office(OofRequest::Set(Oof { state: Some(OofState::Disabled), ..oof })).await?;
    Ok("an out-of-office message was set, told and ended".to_owned())
}

fn person(name: &str, display_name: &str) -> Person {
    Person { name: Some(display_name.to_owned()), email: World::address(name) }
}
