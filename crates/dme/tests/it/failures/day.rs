//! A day of phones on which something fails: one of a user's reads again and again, one
//! sends, one waits. What they were told is held against the row.

use super::pair::Pair;
use super::row::{Parked, Row, Sees};
use crate::journey::{ready, wait_parked};
use crate::property::imap::Client;
use crate::site::{PATIENCE, USERS};
use anyhow::{Context, Result, bail, ensure};
use dme_phone::{Error, Phone, Woken};
use dme_testkit::ports::wait_until;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

static DAYS: AtomicU32 = AtomicU32::new(0);

/// What one phone was told.
#[derive(Default)]
struct Told {
    /// Answers as ever.
    done: AtomicU32,
    /// "Come again".
    again: AtomicU32,
    stop: AtomicBool,
}

struct Busy {
    told: Arc<Told>,
    task: JoinHandle<Result<()>>,
}

pub struct Day {
    user: &'static str,
    reader: Busy,
    sender: Busy,
    parked: JoinHandle<Result<Woken>>,
    inbox: String,
    /// Tells what is sent and comes on this day from others'.
    name: String,
}

impl Told {
    fn note(&self, error: &Error) -> Result<()> {
        match error {
            Error::Http { status: 503, retry_after: Some(_), .. }
            | Error::Refused { step: "Sync", status: 16 } => {
                self.again.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
            other => bail!("the phone was told: {other}"),
        }
    }

    fn count(&self) -> (u32, u32) {
        (self.done.load(Ordering::SeqCst), self.again.load(Ordering::SeqCst))
    }
}

impl Busy {
    /// Waits for what it is to see: so many more answers as ever, or to be told to come again.
    async fn comes_to(&self, what: &str, sees: Sees, more: u32, limit: Duration) -> Result<()> {
        let (awaited, counted, more) = match sees {
            Sees::ComeAgain => ("told to come again", &self.told.again, 1),
            Sees::Nothing | Sees::OneRetry | Sees::AtTimes => {
                ("answered as ever", &self.told.done, more)
            }
        };
        let enough = counted.load(Ordering::SeqCst) + more;
        let end = Instant::now() + limit;
        while counted.load(Ordering::SeqCst) < enough {
            ensure!(!self.task.is_finished(), "{what} ended early");
            ensure!(Instant::now() < end, "{what} is not {awaited}: {:?}", self.told.count());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn end(self, what: &str, sees: Sees) -> Result<u32> {
        self.told.stop.store(true, Ordering::SeqCst);
        self.task.await?.with_context(|| what.to_owned())?;
        let (done, again) = self.told.count();
        eprintln!("{what}: {done} answers, {again} times told to come again");
        match sees {
            Sees::Nothing => ensure!(again == 0, "{what} was told to come again {again} times"),
            Sees::OneRetry => ensure!(again <= 1, "{what} was told to come again {again} times"),
            Sees::AtTimes => {}
            Sees::ComeAgain => ensure!(again > 0, "{what} was never told to come again"),
        }
        Ok(done)
    }
}

async fn ready_phone(pair: &Pair, user: &str, device: &str) -> Result<(Phone, String)> {
    let mut phone = pair.site.phone(user)?;
    phone.client.account.device = device.into();
    let inbox = ready(&mut phone).await?;
    phone.longest_pause = Duration::ZERO;
    Ok((phone, inbox))
}

/// How long a busy phone rests after each answer, unless told otherwise.
const PACE: Duration = Duration::from_millis(40);

fn reads(mut phone: Phone, inbox: String, pace: Duration) -> Busy {
    let told = Arc::new(Told::default());
    let telling = told.clone();
    let task = tokio::spawn(async move {
        while !telling.stop.load(Ordering::SeqCst) {
            match phone.sync(&inbox).await {
                Ok(_) => drop(telling.done.fetch_add(1, Ordering::SeqCst)),
                Err(error) => telling.note(&error)?,
            }
            tokio::time::sleep(pace).await;
        }
        ensure!(phone.events.resynced == 0, "its folder began anew");
        Ok(())
    });
    Busy { told, task }
}

fn sends(mut phone: Phone, from: &'static str, name: String, pace: Duration) -> Busy {
    let told = Arc::new(Told::default());
    let telling = told.clone();
    let task = tokio::spawn(async move {
        let mut number = 0;
        while !telling.stop.load(Ordering::SeqCst) {
            let message = phone.new_message(mail(from, other(from), &sent_subject(&name, number)));
            while let Err(error) = phone.send_message(&message).await {
                telling.note(&error)?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            telling.done.fetch_add(1, Ordering::SeqCst);
            number += 1;
            tokio::time::sleep(pace).await;
        }
        Ok(())
    });
    Busy { told, task }
}

fn sent_subject(day: &str, number: u32) -> String {
    format!("sent {day}, {number}")
}

/// Who gets what a user sends.
fn other(user: &str) -> &'static str {
    if user == "ann" { "bob" } else { "ann" }
}

fn mail(from: &str, to: &str, subject: &str) -> Vec<u8> {
    format!(
        "From: {from}@example.org\r\nTo: {to}@example.org\r\nSubject: {subject}\r\n\r\nHello\r\n"
    )
    .into_bytes()
}

impl Day {
    pub async fn begin(pair: &Pair, user: &'static str) -> Result<Self> {
        Self::at_pace(pair, user, PACE).await
    }

    /// A day on which busy phones rest for so long after each answer.
    pub async fn at_pace(pair: &Pair, user: &'static str, pace: Duration) -> Result<Self> {
        let (reader, inbox) = ready_phone(pair, user, "reads").await?;
        let (sender, _) = ready_phone(pair, user, "sends").await?;
        let (mut waiting, _) = ready_phone(pair, user, "waits").await?;
        let watched = inbox.clone();
        let parked =
            tokio::spawn(
                async move { Ok(waiting.ping(&[&watched], Duration::from_secs(3000)).await?) },
            );
        wait_parked(&pair.site, 1).await?;
        let name = format!("on day {}", DAYS.fetch_add(1, Ordering::SeqCst));
        let reader = reads(reader, inbox.clone(), pace);
        let sender = sends(sender, user, name.clone(), pace);
        let day = Self { user, reader, sender, parked, inbox, name };
        day.goes_on().await?;
        Ok(day)
    }

    /// Waits until a little more was read and sent.
    pub async fn goes_on(&self) -> Result<()> {
        self.comes_to(Sees::Nothing, Sees::Nothing).await
    }

    /// Holds what comes while something is down against the row; it failed then.
    pub async fn while_down(&self, row: &Row, failed: Instant) -> Result<()> {
        // Of two answers the second was asked for after the failure.
        let limit = row.within.limit();
        self.reader.comes_to("reading", row.reads, 2, limit).await?;
        self.sender.comes_to("sending", row.sends, 2, limit).await?;
        let took = failed.elapsed();
        eprintln!("{}: as the row says after {took:?}", row.what);
        ensure!(took <= limit, "it took {took:?}, and the row says {limit:?}");
        self.stays(row).await
    }

    /// That it goes on so.
    pub async fn stays(&self, row: &Row) -> Result<()> {
        self.comes_to(row.reads, row.sends).await
    }

    async fn comes_to(&self, reads: Sees, sends: Sees) -> Result<()> {
        self.reader.comes_to("reading", reads, 5, PATIENCE).await?;
        self.sender.comes_to("sending", sends, 3, PATIENCE).await
    }

    /// New mail comes while something is down; whether the parked phone is woken now.
    pub async fn mail_comes(&mut self, pair: &Pair, row: &Row) -> Result<()> {
        if self.parked.is_finished() && row.parked != Parked::ComeAgain {
            let told = (&mut self.parked).await?;
            bail!("the waiting phone did not stay parked: {told:?}");
        }
        let mail = mail(other(self.user), self.user, &self.came());
        pair.site.dovecot.deliver(&format!("{}@example.org", self.user), &mail)?;
        match row.parked {
            Parked::WokenAfterwards => Ok(()),
            Parked::WokenByTheOther | Parked::Woken => self.is_woken().await,
            Parked::ComeAgain => self.is_told_to_come_again().await,
        }
    }

    async fn is_told_to_come_again(&mut self) -> Result<()> {
        let told = tokio::time::timeout(PATIENCE, &mut self.parked).await;
        match told.context("the waiting phone was told nothing")?? {
            Err(error) => Told::default().note(&error.downcast::<Error>()?),
            Ok(woken) => bail!("the waiting phone was told {woken:?}"),
        }
    }

    /// The subject of what comes while something is down.
    fn came(&self) -> String {
        format!("came {}", self.name)
    }

    async fn is_woken(&mut self) -> Result<()> {
        let woken = tokio::time::timeout(PATIENCE, &mut self.parked).await;
        let woken = woken.context("the waiting phone was not woken")???;
        ensure!(woken == Woken::Changed(vec![self.inbox.clone()]), "{woken:?}");
        Ok(())
    }

    /// After it was mended: all is well, and what was sent arrived once.
    pub async fn end(mut self, pair: &Pair, row: &Row) -> Result<()> {
        if row.parked == Parked::WokenAfterwards {
            self.is_woken().await?;
        }
        self.goes_on().await?;
        let came_meanwhile = self.came();
        self.reader.end("reading", row.reads).await?;
        let sent = self.sender.end("sending", row.sends).await?;
        let (mut phone, inbox) = ready_phone(pair, self.user, "later").await?;
        phone.sync(&inbox).await?;
        let came = phone.items(&inbox)?.values().filter(|mail| mail.subject == came_meanwhile);
        let came = came.count();
        ensure!(came == 1, "what came meanwhile is there {came} times");
        let other = other(self.user);
        let (_, password) = USERS.iter().find(|(name, _)| *name == other).context("no user")?;
        let login = format!("{other}@example.org");
        let mut other = Client::login(pair.site.dovecot.imap_port, &login, password)?;
        let mut subjects = Vec::new();
        let expected: Vec<_> = (0..sent).map(|number| sent_subject(&self.name, number)).collect();
        wait_until("everything sent has arrived", PATIENCE, || {
            subjects = other.mails("INBOX")?.into_iter().map(|mail| mail.subject).collect();
            Ok(expected.iter().all(|one| subjects.contains(one)))
        })?;
        for one in &expected {
            let copies = subjects.iter().filter(|subject| *subject == one).count();
            ensure!(copies == 1, "{one:?} arrived {copies} times");
        }
        Ok(())
    }
}
