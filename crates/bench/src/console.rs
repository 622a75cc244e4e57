//! What administrators wait for: pages of a server that knows many users, devices and events, alone
//! and while phones take all they can get; and how soon an open page is told of something new.

use crate::items;
use crate::load::{Form, Target};
use crate::meter::Times;
use crate::world::{self, PASSWORD, REALM, Scale, World};
use anyhow::{Context, Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_model::{DeviceId, Timestamp, UserId};
use dme_store::{Admission, Counted, Counts, Level, NewEvent, Newcomers, Sighting, Store};
use dme_sync::DeviceKey;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Events written at a time.
const BATCH: usize = 10_000;
/// Devices of each user.
const DEVICES_EACH: usize = 2;
/// What is told of devices: their kind, what they call themselves, what they are.
const KINDS: [[&str; 3]; 4] = [
    ["iPhone", "Apple-iPhone17C1/2301.355", "iPhone 17 Pro"],
    ["Android", "Android-Mail/2026.10", "Pixel 9"],
    ["SamsungDevice", "SAMSUNG-SM-S931B/101.16", "Galaxy S25"],
    ["Outlook", "Outlook-iOS-Android/1.0", "Outlook for iOS"],
];

/// The pages that are asked for, each with what it is. `{n}` is another number each time.
pub const PAGES: [(&str, &str); 15] = [
    ("overview", "/"),
    ("devices", "/devices"),
    ("devices, far behind", "/devices?from=15000"),
    ("devices that wait", "/devices?admission=quarantined"),
    ("devices by a word", "/devices?q=person{n}%40"),
    ("devices by how they stand to their policy", "/devices?compliance=pending"),
    ("devices of a directory group's members", "/devices?group=tenth"),
    ("a device", "/devices/person{n}%40bench.example/DEVICE0OF{n}"),
    ("users by a word", "/users?q=person{n}%40"),
    ("a user", "/users/person{n}%40bench.example"),
    ("connectors", "/connectors"),
    ("log", "/log"),
    ("log of a user", "/log?user=person{n}%40bench.example"),
    ("audit", "/audit"),
    ("statistics", "/statistics"),
];

/// Those of them that a delegate looks at most.
pub const OF_DELEGATES: [(&str, &str); 5] = [
    ("overview", "/"),
    ("devices", "/devices"),
    ("devices that wait", "/devices?admission=quarantined"),
    ("users by a word", "/users?q=person{n}%40"),
    ("topology", "/topology"),
];

/// How long each page takes.
#[derive(Debug)]
pub struct Pages(pub Vec<(&'static str, Times)>);

/// Somebody who is signed in.
pub struct Browser {
    port: u16,
    cookie: String,
}

/// Fills the server's database: users with devices, events, a month's counts.
///
/// # Errors
/// The database's.
pub async fn fill(directory: &Path, scale: &Scale) -> Result<()> {
    let store = Store::open(directory.join("dme.db"))?;
    let now = items::now();
    for number in 0..scale.console_users {
        for device in 0..DEVICES_EACH {
            let [kind, agent, model] = KINDS[(number + device) % KINDS.len()];
            let sighting = Sighting {
                device_type: kind.to_owned(),
                user_agent: agent.to_owned(),
                protocol: "16.1".to_owned(),
            };
            let admission = match number % 50 {
                0 => Admission::Quarantined,
                1 => Admission::Blocked,
                _ => Admission::Allowed,
            };
            let newcomers = Newcomers { admission, decision: None, per_user: 1000 };
            let seen = now.minus(Duration::from_secs(number as u64 * 37 % 3_000_000));
            let key = key(number, device);
            store.see_device(&key, &sighting, newcomers, seen).await?;
            let told = format!(r#"{{"model":"{model}","os":"1.0","friendly_name":"of {number}"}}"#);
            store.set_information(&key, &told).await?;
        }
    }
    let begun = now.minus(Duration::from_secs(scale.console_events as u64));
    for from in (0..scale.console_events).step_by(BATCH) {
        let until = (from + BATCH).min(scale.console_events);
        let events = (from..until).map(|number| event(number, begun, scale));
        store.put_events(events.collect()).await?;
    }
    let hour = Timestamp::from_seconds(now.as_seconds() / 3600 * 3600);
    for back in 0..24 * 30 {
        let start = hour.minus(Duration::from_secs(3600 * back));
        let counted = |user: usize| Counted {
            start,
            user: format!("person{user}@{REALM}"),
            device: format!("DEVICE0OF{user}"),
            connector: "one".to_owned(),
            command: if user.is_multiple_of(3) { "Ping" } else { "Sync" }.to_owned(),
        };
        let mut counts = Counts { sent: 81_000, received: 9_000, ..Counts::default() };
        for request in 0..12 {
            counts.requests += 1;
            counts.took(900 * (request + 1));
        }
        let busy = (0..scale.console_users.min(100)).map(|user| (counted(user * 97), counts));
        store.add_counts(busy.collect()).await?;
    }
    Ok(())
}

fn key(number: usize, device: usize) -> DeviceKey {
    DeviceKey {
        user: UserId::from(person(number).as_str()),
        device: DeviceId::from(format!("DEVICE{device}OF{number}").as_str()),
    }
}

/// The login of one of the many users.
pub fn person(number: usize) -> String {
    format!("person{number}@{REALM}")
}

/// The event of this number: those of users far from one another follow one another.
fn event(number: usize, begun: Timestamp, scale: &Scale) -> NewEvent {
    let user = number * 7919 % scale.console_users;
    let key = key(user, number % DEVICES_EACH);
    NewEvent {
        time: begun.plus(Duration::from_secs(number as u64)),
        level: if number.is_multiple_of(1000) { Level::Error } else { Level::Info },
        kind: format!("kind_{}", number % 23),
        user: Some(key.user),
        device: Some(key.device),
        connector: Some("one".to_owned()),
        request: Some(format!("69a1b2c3-{number:x}").into()),
        message: format!("mail in folder {}: to the phone: 3 added, 1 changed", number % 17),
        details: r#"{"folder":5,"class":"mail","bytes":18211,"millis":34,"more":false}"#.to_owned(),
    }
}

impl Browser {
    /// Signs in by a link made at the server.
    ///
    /// # Errors
    /// When no session begins.
    pub fn sign_in(world: &World) -> Result<Self> {
        let said = world.dme(&["console", "--config", "server.toml"])?;
        let link = said.split_whitespace().find_map(|word| word.split_once("/sign-in?once="));
        let (_, once) = link.context("dme console gives no link")?;
        let mut browser = Self { port: world.admin_port(), cookie: String::new() };
        browser.cookie = browser.session(("POST", "/sign-in/link"), &format!("once={once}"))?;
        Ok(browser)
    }

    /// Signs in one of the [delegates](world::DELEGATES) by name and password.
    ///
    /// # Errors
    /// When no session begins.
    pub fn sign_in_as(world: &World, name: &str) -> Result<Self> {
        let mut browser = Self { port: world.admin_port(), cookie: String::new() };
        let form = format!("login={name}%40{REALM}&password={PASSWORD}&back=%2F");
        browser.cookie = browser.session(("POST", "/sign-in"), &form)?;
        Ok(browser)
    }

    /// The cookie of the session that begins with this form.
    fn session(&self, to: (&str, &str), form: &str) -> Result<String> {
        let answer = std::io::read_to_string(self.send(to, form, "close")?)?;
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.with_context(|| format!("no session begins: {answer}"))?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// How long one look at a page takes.
    ///
    /// # Errors
    /// When it is not there.
    pub fn look(&self, path: &str) -> Result<Duration> {
        let asked = Instant::now();
        let answer = self.ask(path)?;
        let took = asked.elapsed();
        ensure!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        Ok(took)
    }

    fn send(
        &self,
        (method, path): (&str, &str),
        form: &str,
        connection: &str,
    ) -> Result<TcpStream> {
        let mut tcp = TcpStream::connect(("127.0.0.1", self.port))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
        let (port, cookie) = (self.port, &self.cookie);
        write!(
            tcp,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: {connection}\r\n\r\n{form}",
            form.len()
        )?;
        Ok(tcp)
    }

    fn ask(&self, path: &str) -> Result<String> {
        Ok(std::io::read_to_string(self.send(("GET", path), "", "close")?)?)
    }

    /// How long each of these pages takes, asked for so often.
    ///
    /// # Errors
    /// When one is not there.
    pub fn pages(&self, all: &[(&'static str, &str)], scale: &Scale) -> Result<Pages> {
        let mut pages = Vec::new();
        for (what, pattern) in all {
            let mut times = Vec::new();
            for repeat in 0..scale.repeats {
                let number = repeat * 7919 % scale.console_users;
                times.push(self.look(&pattern.replace("{n}", &number.to_string()))?);
            }
            pages.push((*what, Times::new(times)));
        }
        Ok(Pages(pages))
    }

    /// From an order to ask the connectors anew about everybody, which is an act that is recorded, to
    /// the word of it on an open page.
    ///
    /// # Errors
    /// When nothing is said.
    pub fn told(&self, world: &World, repeats: usize) -> Result<Times> {
        let mut stream = BufReader::new(self.send(("GET", "/changes"), "", "keep-alive")?);
        wait_for(&mut stream, "HTTP/1.1 200")?;
        let mut times = Vec::new();
        for _ in 0..repeats {
            // What came before is over: a browser is told twice a second at most.
            std::thread::sleep(Duration::from_millis(700));
            let asked = Instant::now();
            world.administer("POST", "/api/flush")?;
            wait_for(&mut stream, "event: change")?;
            times.push(asked.elapsed());
        }
        Ok(Times::new(times))
    }
}

fn wait_for(stream: &mut impl BufRead, begin: &str) -> Result<()> {
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        if line.starts_with(begin) {
            return Ok(());
        }
        line.clear();
    }
    anyhow::bail!("the stream ended before {begin:?}")
}

/// The pages while phones take all that the server gives.
///
/// # Errors
/// When a page or a phone gets no answer.
pub async fn beside_phones(
    browser: Browser,
    target: &Target,
    scale: &Scale,
) -> Result<(f64, Pages)> {
    let mut phones = Vec::new();
    for user in world::small(scale) {
        let mut phone = target.phone(&user, "saturating", Form::Html);
        phone.folder_sync().await?;
        let inbox = phone.inbox()?;
        phone.sync(&inbox).await?;
        phones.push(phone);
    }
    let kept = *scale;
    let asked = Instant::now();
    let mut looking = tokio::task::spawn_blocking(move || browser.pages(&PAGES, &kept));
    let mut requests = 0;
    loop {
        let second = Duration::from_secs(1);
        let (work, _, back) = target.nothing_new(phones, FolderType::Inbox, second).await?;
        (requests, phones) = (requests + work.count, back);
        if looking.is_finished() {
            let rate = requests as f64 / asked.elapsed().as_secs_f64();
            return Ok((rate, (&mut looking).await??));
        }
    }
}
