//! The account's other classes: a large calendar and address book on a phone, changes both ways,
//! and what it costs to ask a DAV server again and again.

use crate::items::{Items, now};
use crate::load::{Form, Target, Work};
use crate::meter::{Times, cpu_seconds};
use crate::plain;
use crate::world::{self, Scale, World};
use anyhow::{Context, Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_model::{Event, EventField, EventPatch, ItemPatch, LocalTime, ZoneId};
use dme_phone::{Phone, Woken};
use dme_testkit::radicale::Radicale;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long a phone waits at most: longer than any measurement.
const HEARTBEAT: Duration = Duration::from_secs(900);

/// What a phone gets of a large calendar and address book.
pub struct Figures {
    /// Of the contacts.
    pub contacts: Synced,
    /// Of the calendar.
    pub events: Synced,
    /// From a phone's change until it is told that it is in the mail system.
    pub written: Times,
    /// Milliseconds of the mail system's own CPU for each of those changes.
    pub written_behind: f64,
    /// From another program's change until a waiting phone is told.
    pub told: Times,
}

/// What syncs of one folder took.
pub struct Synced {
    /// The first.
    pub first: Work,
    /// Milliseconds of the mail system's own CPU for each item of the first.
    pub first_behind: f64,
    /// Items a second that the mail system gives a client of few questions, which does nothing with
    /// them. Of DAV servers only.
    pub plain: Option<f64>,
    /// Those with nothing new.
    pub nothing_new: Times,
    /// Milliseconds of the mail system's own CPU for each of those.
    pub nothing_new_behind: f64,
}

/// Syncs the large account and changes its calendar on both sides.
///
/// # Errors
/// When a phone does not get what it should, or a change is not there.
pub async fn measure(
    world: &World,
    target: &Target,
    items: &Items,
    scale: &Scale,
) -> Result<Figures> {
    let amounts = &scale.account;
    let (contacts, _) =
        syncs(target, items, FolderType::Contacts, amounts.contacts, scale.seconds).await?;
    let (events, mut phone) =
        syncs(target, items, FolderType::Calendar, amounts.events, scale.seconds).await?;
    let before = cpu_seconds(&items.processes())?;
    let written = changes(&mut phone, items, scale.repeats).await?;
    let spent = cpu_seconds(&items.processes())? - before;
    let written_behind = spent * 1000.0 / scale.repeats as f64;
    let told = news(world, phone, items, scale.repeats).await?;
    Ok(Figures { contacts, events, written, written_behind, told })
}

/// Syncs one folder, after a first sync that fills everybody's caches.
async fn syncs(
    target: &Target,
    items: &Items,
    kind: FolderType,
    count: usize,
    seconds: u64,
) -> Result<(Synced, Phone)> {
    let owner = [world::large()];
    let behind = || cpu_seconds(&items.processes());
    target.first_sync(&owner, &format!("warm{kind:?}"), Form::Html, kind, count).await?;
    let before = behind()?;
    let (first, phones) =
        target.first_sync(&owner, &format!("{kind:?}"), Form::Html, kind, count).await?;
    let between = behind()?;
    let plain = plain::read_all(items, kind, count)?;
    let before_nothing = behind()?;
    let time = Duration::from_secs(seconds) / 2;
    let (work, nothing_new, mut phones) = target.nothing_new(phones, kind, time).await?;
    let after = behind()?;
    let synced = Synced {
        first_behind: (between - before) * 1000.0 / first.count as f64,
        first,
        plain,
        nothing_new,
        nothing_new_behind: (after - before_nothing) * 1000.0 / work.count as f64,
    };
    Ok((synced, phones.pop().context("no phone")?))
}

/// Changes an event again and again; each change is then looked up in the mail system.
async fn changes(phone: &mut Phone, items: &Items, repeats: usize) -> Result<Times> {
    let calendar = phone.folder_of(FolderType::Calendar)?;
    let id = phone.create(&calendar, &titled("Made on the phone")).await?;
    let kept = items.event_with("Made on the phone")?;
    let mut times = Vec::new();
    for number in 0..repeats {
        let title = format!("Changed {number} times");
        let began = Instant::now();
        phone.change(&calendar, &id, &titled(&title)).await?;
        times.push(began.elapsed());
        ensure!(kept.holds(&title)?, "a change was answered that is not in the mail system");
    }
    Ok(Times::new(times))
}

/// An event of tomorrow with this title.
fn titled(title: &str) -> ItemPatch {
    let start = LocalTime::from_days(now().as_days() + 1).plus_seconds(10 * 3600);
    let value = Event {
        title: title.to_owned(),
        start,
        end: start.plus_seconds(3600),
        zone: Some(ZoneId::utc()),
        ..Event::default()
    };
    ItemPatch::Event(Box::new(EventPatch::of([EventField::Title, EventField::Time], value)))
}

/// Puts events beside a waiting phone.
async fn news(world: &World, mut phone: Phone, items: &Items, repeats: usize) -> Result<Times> {
    let calendar = phone.folder_of(FolderType::Calendar)?;
    let mut times = Vec::new();
    for number in 0..repeats {
        let folder = calendar.clone();
        let waiting = tokio::spawn(async move {
            let woken = phone.ping(&[&folder], HEARTBEAT).await;
            (woken, Instant::now(), phone)
        });
        world.wait_parked(1, Duration::from_secs(30))?;
        let title = format!("News {number}");
        items.put_event(&format!("news-{number}"), &title)?;
        let put = Instant::now();
        let (woken, at, back) = waiting.await?;
        ensure!(matches!(woken?, Woken::Changed(_)), "the phone was not told");
        times.push(at.saturating_duration_since(put));
        phone = back;
        let round = phone.sync(&calendar).await?;
        ensure!(round.added == 1, "{} events came instead of one", round.added);
    }
    Ok(Times::new(times))
}

/// What asking Radicale again and again costs, while a phone of each user waits.
pub struct Polling {
    /// Users whose phones wait.
    pub users: usize,
    /// Requests a second for each of them.
    pub requests: f64,
    /// Seconds of the connector's CPU for a request.
    pub connector: f64,
    /// Seconds of Radicale's CPU for a request.
    pub radicale: f64,
}

/// Has a phone of each of these users wait for its calendar and contacts, and looks at what that costs.
///
/// # Errors
/// When a phone does not wait.
pub async fn polling(
    world: &World,
    target: &Target,
    radicale: &Radicale,
    scale: &Scale,
) -> Result<Polling> {
    let mut waiting = JoinSet::new();
    for user in world::polled(scale) {
        let mut phone = target.phone(&user, "polled", Form::Html);
        phone.folder_sync().await?;
        let book = phone.folder_of(FolderType::Contacts)?;
        let calendar = phone.folder_of(FolderType::Calendar)?;
        phone.sync(&book).await?;
        phone.sync(&calendar).await?;
        waiting.spawn(async move { phone.ping(&[&calendar, &book], HEARTBEAT).await });
    }
    let users = waiting.len();
    world.wait_parked(users, Duration::from_secs(30))?;
    // Until the questions of the first syncs are over.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let server = radicale.process().context("Radicale has ended")?;
    let connector = world.connector.id();
    let before = (cpu_seconds(&[connector])?, cpu_seconds(&[server])?, radicale.requests()?);
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(scale.seconds)).await;
    let seconds = began.elapsed().as_secs_f64();
    let asked = radicale.requests()?.saturating_sub(before.2) as f64;
    ensure!(asked > 0.0, "Radicale was not asked");
    if let Some(ended) = waiting.try_join_next() {
        anyhow::bail!("a phone did not wait: {:?}", ended?);
    }
    Ok(Polling {
        users,
        requests: asked / seconds / users as f64,
        connector: (cpu_seconds(&[connector])? - before.0) / asked,
        radicale: (cpu_seconds(&[server])? - before.1) / asked,
    })
}
