//! Measures what phones get: `./bench` in the repository's root builds it and runs it.
//!
//! One run gives one table. Server, connector, Dovecot and this load generator share the machine,
//! so its figures are a lower bound of what the server alone could do.

mod account;
mod console;
mod imap;
mod items;
mod load;
mod meter;
mod people;
mod plain;
mod push;
mod restart;
mod sogo;
mod takeover;
mod world;

use anyhow::{Result, bail};
use console::Browser;
use dme_eas::ProtocolVersion;
use dme_eas::folder_sync::FolderType;
use dme_phone::{Address, AfterAnswer};
use items::{Items, POLL};
use load::{Form, Target};
use meter::resident;
use restart::{Crowd, Gone};
use sogo::Sogo;
use std::io::Write;
use std::time::Duration;
use world::{Scale, World};

/// Devices that sync at once when there is nothing new.
const DEVICES: usize = 16;

fn main() -> Result<()> {
    let mut scale = Scale::FULL;
    let mut beside = Beside::Nothing;
    let mut part = Part::Everything;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => scale = Scale::QUICK,
            "--with-sogo" => beside = Beside::Sogo,
            "--parked" => part = Part::Parked,
            "--restart" => part = Part::Restart,
            "--people" => part = Part::People,
            "--account" => part = Part::Account,
            "--console" => part = Part::Console,
            "--take-over" => part = Part::TakeOver,
            other => {
                bail!(
                    "unknown argument {other:?}; there are --quick, --with-sogo, --parked, \
                     --restart, --people, --account, --console and --take-over"
                )
            }
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&scale, beside, part))
}

/// How much of it is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Everything,
    /// The waiting phones alone.
    Parked,
    /// Who comes back after the server was gone, alone.
    Restart,
    /// The address searches alone.
    People,
    /// Calendars and contacts alone.
    Account,
    /// The administrators' pages alone.
    Console,
    /// A connector that takes over from another alone.
    TakeOver,
}

/// What is measured for comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Beside {
    Nothing,
    Sogo,
}

async fn run(scale: &Scale, beside: Beside, part: Part) -> Result<()> {
    note("starting, and filling mailboxes");
    let mut world = World::start(scale)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut table = Table::default();
    let [server, connector] = world.processes();
    table.row("memory of the idle server", megabytes(resident(server)?), "≤ 40 MB");
    table.row("memory of the idle connector", megabytes(resident(connector)?), "≤ 25 MB");
    let target = Target {
        address: Address::active_sync("localhost", world.phones_port),
        tls: world.tls.clone(),
        version: ProtocolVersion::V14_1,
        connection: AfterAnswer::Kept,
        processes: world.processes().to_vec(),
    };
    if part == Part::Console {
        console(&mut world, &target, scale, &mut table).await?;
        return table.print();
    }
    if part == Part::Restart {
        restarts(&mut world, &target, scale, &mut table).await?;
        return table.print();
    }
    if part == Part::TakeOver {
        take_over(&mut world, &target, scale, &mut table).await?;
        return table.print();
    }
    if part == Part::Everything {
        everything_else(&world, &target, scale, beside, &mut table).await?;
    }
    if matches!(part, Part::Everything | Part::Account) {
        for items in [Items::in_files, Items::in_radicale, Items::in_cyrus] {
            calendar_and_contacts(&mut world, &target, items(scale)?, scale, &mut table).await?;
        }
    }
    if part == Part::Account {
        return table.print();
    }
    if part != Part::Parked {
        note("searching the directory");
        let searches = people::searches(&mut world, &target, scale).await?;
        let what = format!("address search among {}, at each key, p50", scale.entries);
        table.row(&what, millis(searches.alone.percentile(50)), "");
        table.row("  p95", millis(searches.alone.percentile(95)), "≤ 50 ms");
        table.row("  eight phones at once, p95", millis(searches.together.percentile(95)), "");
    }
    if part == Part::People {
        return table.print();
    }
    if part == Part::Everything {
        note("a fresh server and connector");
        world.take_people_from_file()?;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    note("parking phones");
    let parked = push::park(&world, &target, scale).await?;
    let what = format!("server memory a parked phone, {} parked", parked.phones);
    table.row(&what, kilobytes(parked.server_each), "≤ 25 KB");
    table.row("connector memory a watched user", kilobytes(parked.connector_each), "");
    table.row("  time to set them up", format!("{:.0} s", parked.seconds), "");
    table.print()
}

/// All but the waiting phones.
async fn everything_else(
    world: &World,
    target: &Target,
    scale: &Scale,
    beside: Beside,
    table: &mut Table,
) -> Result<()> {
    let phones = first_syncs(target, scale, table).await?;
    let mut phones = nothing_new(target, phones, scale, table).await?;
    if let Some(mut marking) = phones.pop() {
        note("marking mail");
        let times = push::flags(world, &mut marking, scale.repeats).await?;
        table.row("flag change, phone to IMAP, p50", millis(times.percentile(50)), "≤ 10 ms");
    }
    note("waking a phone");
    let wakes = push::wakes(world, target, scale.repeats).await?;
    table.row(
        "Dovecot's notice to answered Ping, p50",
        millis(wakes.after_notice.percentile(50)),
        "",
    );
    let last = millis(wakes.after_notice.percentile(95));
    table.row("Dovecot's notice to answered Ping, p95", last, "≤ 100 ms");
    table.row("  delivery to Dovecot's notice, p50", millis(wakes.notice.percentile(50)), "");
    table.row("  delivery to answered Ping, p95", millis(wakes.whole.percentile(95)), "");
    if beside == Beside::Sogo {
        note("the same with SOGo");
        table.heading("SOGo, same run, same Dovecot, same phones");
        let mut users = world::small(scale);
        users.push(world::large());
        let sogo = Sogo::start(&users, world.dovecot.imap_port)?;
        let target = Target {
            address: sogo.address(),
            processes: vec![sogo.process()],
            // A worker closes after each answer and does not say so.
            connection: AfterAnswer::Closed,
            ..target.clone()
        };
        let measured = async {
            let phones = first_syncs(&target, scale, table).await?;
            nothing_new(&target, phones, scale, table).await
        };
        if let Err(error) = measured.await {
            // Its watchdog tells of a worker's death a moment later.
            tokio::time::sleep(Duration::from_secs(2)).await;
            return Err(error.context(format!("SOGo, whose log says:\n{}", sogo.log())));
        }
        table.heading("DME again");
    }
    Ok(())
}

/// A connector's process ends, again and again.
async fn take_over(
    world: &mut World,
    target: &Target,
    scale: &Scale,
    table: &mut Table,
) -> Result<()> {
    note("killing connectors");
    let waits = takeover::measure(world, target, scale).await?;
    let what = format!(
        "killed connector to the next answer by the other, {} phones, {} kills, p50",
        takeover::PHONES,
        waits.kills
    );
    table.row(&what, millis(waits.times.percentile(50)), "");
    table.row("  p95", millis(waits.times.percentile(95)), "≤ 1 s");
    table.row("  the longest", millis(waits.times.percentile(100)), "");
    table.row("  phones told to come again meanwhile", waits.told_again.to_string(), "");
    Ok(())
}

/// A large calendar and address book in one mail system.
async fn calendar_and_contacts(
    world: &mut World,
    target: &Target,
    items: Items,
    scale: &Scale,
    table: &mut Table,
) -> Result<()> {
    let (name, at_once) = match &items {
        Items::Files(_) => ("local files", "at once"),
        Items::Radicale(_) => ("Radicale", "≤ 1 s"),
        Items::Cyrus(_) => ("Cyrus", "≤ 1 s"),
    };
    note(&format!("calendar and contacts in {name}"));
    world.serve(&items.settings(world.dovecot.imap_port))?;
    let target = Target { processes: world.processes().to_vec(), ..target.clone() };
    let figures = account::measure(world, &target, &items, scale).await?;
    table.heading(&format!("Calendar and contacts in {name}"));
    let has_processes = !items.processes().is_empty();
    for (kind, synced, wanted) in
        [("contacts", &figures.contacts, "≥ 3,000/s"), ("events", &figures.events, "≥ 1,500/s")]
    {
        let what = format!("first sync, {} {kind}", synced.first.count);
        table.row(&what, format!("{:.0} {kind}/s", synced.first.rate()), wanted);
        table.row("  CPU of each", millis(synced.first.cpu_each()), "");
        if has_processes {
            table.row("  CPU of the mail system for each", millis(synced.first_behind), "");
        }
        if let Some(rate) = synced.plain {
            let what = "  a plain client, by the fewest questions";
            table.row(what, format!("{rate:.0} {kind}/s"), "");
            let share = synced.first.rate() * 100.0 / rate;
            table.row("  of that reaches the phone", format!("{share:.0} %"), "");
        }
        let what = format!("{kind} with nothing new, p50");
        table.row(&what, millis(synced.nothing_new.percentile(50)), "≤ 2 ms");
        table.row("  p99", millis(synced.nothing_new.percentile(99)), "");
        if has_processes {
            table.row("  CPU of the mail system", millis(synced.nothing_new_behind), "");
        }
    }
    let written = &figures.written;
    let p50 = millis(written.percentile(50));
    table.row("event changed, phone to mail system, p50", p50, "≤ 50 ms");
    table.row("  p95", millis(written.percentile(95)), "");
    if has_processes {
        table.row("  CPU of the mail system for each", millis(figures.written_behind), "");
    }
    let told = &figures.told;
    table.row("event put there to answered Ping, p50", millis(told.percentile(50)), "");
    table.row("  p95", millis(told.percentile(95)), at_once);
    if has_processes {
        table.row("  asked for what is new each", POLL.to_owned(), "");
    }
    if let Items::Radicale(radicale) = &items {
        let cost = account::polling(world, &target, radicale, scale).await?;
        let what = format!("requests of a user who waits, of {}", cost.users);
        table.row(&what, format!("{:.2}/s", cost.requests), "");
        table.row("  CPU of the connector for one", millis(cost.connector * 1000.0), "");
        table.row("  CPU of Radicale for one", millis(cost.radicale * 1000.0), "");
        let thousand = 1000.0 * cost.requests;
        let cores = |each: f64| format!("{:.2} cores", each * thousand);
        table.row("  reckoned from it for 1,000 users: requests", format!("{thousand:.0}/s"), "");
        table.row("  the same: connector", cores(cost.connector), "");
        table.row("  the same: Radicale", cores(cost.radicale), "");
    }
    Ok(())
}

/// How connectors and phones come back.
async fn restarts(
    world: &mut World,
    target: &Target,
    scale: &Scale,
    table: &mut Table,
) -> Result<()> {
    note("linking connectors and parking phones");
    let crowd = Crowd::gather(world, target, scale).await?;
    for (gone, words) in
        [(Gone::InOrder, "an orderly restart"), (Gone::Killed, "a kill, gone for 5 s")]
    {
        note(words);
        let back = crowd.after(world, gone).await?;
        table.heading(&format!(
            "{} connectors and {} parked phones after {words}",
            back.connectors, back.phones
        ));
        let seconds = |seconds: f64| format!("{seconds:.1} s");
        table.row("half of the connectors linked after", seconds(back.half_linked), "");
        table.row("all connectors linked after", seconds(back.linked), "≤ 60 s");
        table.row("all phones parked after", seconds(back.parked), "");
        table.row("the server's share of the processors", percent(back.busy), "< 80 %");
        table.row("requests of phones in vain", back.in_vain.to_string(), "");
    }
    Ok(())
}

/// What administrators wait for.
async fn console(
    world: &mut World,
    target: &Target,
    scale: &Scale,
    table: &mut Table,
) -> Result<()> {
    note("filling the server's database");
    let people = (0..scale.console_users).map(console::person);
    let fill = async |directory: std::path::PathBuf| console::fill(&directory, scale).await;
    world.filled(people, fill).await?;
    let target = Target { processes: world.processes().to_vec(), ..target.clone() };
    let browser = Browser::sign_in(world)?;
    table.heading(&format!(
        "Pages: {} users with two devices each, {} events",
        scale.console_users, scale.console_events
    ));
    note("looking at pages");
    let rows = |table: &mut Table, pages: console::Pages| {
        for (what, times) in pages.0 {
            table.row(&format!("{what}, p50"), millis(times.percentile(50)), "");
            table.row("  p95", millis(times.percentile(95)), "≤ 20 ms");
        }
    };
    rows(table, browser.pages(&console::PAGES, scale)?);
    for (name, _, share) in world::DELEGATES {
        note(&format!("looking at pages as {name}"));
        let delegate = Browser::sign_in_as(world, name)?;
        table.heading(&format!("The same for who administers {share} % of the users"));
        // Nobody has been asked about yet.
        table.row(
            "devices, looked at first",
            millis(delegate.look("/devices")?.as_secs_f64() * 1e3),
            "",
        );
        rows(table, delegate.pages(&console::OF_DELEGATES, scale)?);
    }
    note("waiting for news");
    let told = browser.told(world, scale.repeats / 5)?;
    table.row("an act told on an open page, p95", millis(told.percentile(95)), "≤ 1 s");
    note("looking at pages while phones are busy");
    let (rate, pages) = console::beside_phones(browser, &target, scale).await?;
    table.heading(&format!("The same while phones get {rate:.0} answers a second"));
    for (what, times) in pages.0 {
        table.row(&format!("{what}, p95"), millis(times.percentile(95)), "≤ 200 ms");
    }
    Ok(())
}

/// The first sync, on one device and on many, after one that fills Dovecot's caches.
async fn first_syncs(
    target: &Target,
    scale: &Scale,
    table: &mut Table,
) -> Result<Vec<dme_phone::Phone>> {
    let (one, many) = (vec![world::large()], world::small(scale));
    note("first sync, once so that Dovecot has its caches");
    let inbox = FolderType::Inbox;
    target.first_sync(&one, "warm", Form::Html, inbox, scale.large).await?;
    target.first_sync(&many, "warm", Form::Html, inbox, scale.small).await?;
    let mut phones = Vec::new();
    for (form, name) in [(Form::Mime, "MIME whole"), (Form::Html, "HTML of 4 KB")] {
        for (users, messages) in [(&one, scale.large), (&many, scale.small)] {
            note(&format!("first sync, {name}, {} devices", users.len()));
            let device = format!("{form:?}");
            let (work, ready) = target.first_sync(users, &device, form, inbox, messages).await?;
            let what = format!("first sync, {name}, devices: {}", users.len());
            table.row(&what, format!("{:.0} messages/s", work.rate()), "≥ 3,000/s");
            table.row("  CPU a message", millis(work.cpu_each()), "");
            phones = ready;
        }
    }
    Ok(phones)
}

/// Syncs with nothing new: by one device, whose times are what a phone waits, and by many at once,
/// whose number is what the machine can do. At its limit, times are as long as the queue.
async fn nothing_new(
    target: &Target,
    mut phones: Vec<dme_phone::Phone>,
    scale: &Scale,
    table: &mut Table,
) -> Result<Vec<dme_phone::Phone>> {
    note("sync with nothing new");
    phones.truncate(DEVICES);
    let time = Duration::from_secs(scale.seconds);
    let one = phones.split_off(phones.len().saturating_sub(1));
    let (_, times, one) = target.nothing_new(one, FolderType::Inbox, time / 2).await?;
    table.row("sync with nothing new, devices: 1, p50", millis(times.percentile(50)), "≤ 2 ms");
    table.row("  p99", millis(times.percentile(99)), "");
    phones.extend(one);
    let devices = phones.len();
    let (work, times, phones) = target.nothing_new(phones, FolderType::Inbox, time).await?;
    let what = format!("sync with nothing new, devices: {devices}");
    table.row(&what, format!("{:.0} requests/s", work.rate()), "≥ 3,000/s");
    table.row("  CPU a request", millis(work.cpu_each()), "");
    table.row("  p50", millis(times.percentile(50)), "");
    table.row("  p99", millis(times.percentile(99)), "");
    Ok(phones)
}

/// What was measured, beside what was wanted.
#[derive(Default)]
struct Table(Vec<[String; 3]>);

impl Table {
    fn row(&mut self, what: &str, measured: String, target: &str) {
        note(&format!("{what}: {measured}"));
        self.0.push([what.to_owned(), measured, target.to_owned()]);
    }

    fn heading(&mut self, text: &str) {
        self.0.push([text.to_owned(), String::new(), String::new()]);
    }

    fn print(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "| {:<48} | {:>18} | {:>9} |", "what", "measured", "target")?;
        writeln!(out, "|{:-<50}|{:->20}|{:->11}|", "", ":", ":")?;
        for [what, measured, target] in &self.0 {
            writeln!(out, "| {what:<48} | {measured:>18} | {target:>9} |")?;
        }
        Ok(())
    }
}

/// Says how far it is; the table alone goes to standard output.
fn note(text: &str) {
    eprintln!("bench: {text}");
}

fn millis(millis: f64) -> String {
    format!("{millis:.2} ms")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1} KB", bytes as f64 / 1000.0)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}
