//! What phones do: a first sync, a sync with nothing new, a mark set. The same for every server.

use crate::meter::{Times, cpu_seconds};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::body::{BodyPreference, BodyType, ContentOptions};
use dme_eas::folder_sync::FolderType;
use dme_model::{DeviceId, MimeSupport, Secret};
use dme_phone::{Account, Address, AfterAnswer, Keep, Phone, Tls};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Changes in one answer; what phones ask for lies between 25 and 100.
const WINDOW: u32 = 100;

/// A server under load.
#[derive(Clone)]
pub struct Target {
    /// Where it is.
    pub address: Address,
    /// How its certificate is checked.
    pub tls: Tls,
    /// What it speaks.
    pub version: ProtocolVersion,
    /// What becomes of a phone's connection after an answer.
    pub connection: AfterAnswer,
    /// The processes whose CPU counts.
    pub processes: Vec<u32>,
}

/// How messages are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// HTML of at most 4 KB.
    Html,
    /// The whole message.
    Mime,
}

/// What a piece of work took.
#[derive(Debug)]
pub struct Work {
    /// Items, or requests.
    pub count: usize,
    /// By the clock.
    pub seconds: f64,
    /// Of the server's processes.
    pub cpu: f64,
}

impl Work {
    /// How many in a second.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    /// Milliseconds of CPU for each.
    pub fn cpu_each(&self) -> f64 {
        self.cpu * 1000.0 / self.count as f64
    }
}

impl Target {
    /// A phone of a user's that knows nothing yet.
    pub fn phone(&self, user: &str, device: &str, form: Form) -> Phone {
        let password = Secret::new(crate::world::PASSWORD);
        let mut account = Account::new(self.address.clone(), user, password);
        account.version = self.version;
        account.connection = self.connection;
        account.device = DeviceId::new(device);
        let mut phone = Phone::new(account, self.tls.clone());
        let (kind, truncation_size, mime_support) = match form {
            Form::Html => (BodyType::Html, Some(4096), None),
            Form::Mime => (BodyType::Mime, None, Some(MimeSupport::Always)),
        };
        let preference = BodyPreference { truncation_size, ..BodyPreference::whole(kind) };
        let preferences = vec![preference];
        phone.options.content =
            ContentOptions { preferences, mime_support, ..ContentOptions::default() };
        phone.options.window = WINDOW;
        phone.options.keep = Keep::Ids;
        phone
    }

    /// First syncs of these users' folders of a kind at once, one device each. Logging in and the list of
    /// folders come before the clock runs.
    ///
    /// # Errors
    /// When a phone does not get the items it should.
    pub async fn first_sync(
        &self,
        users: &[String],
        device: &str,
        form: Form,
        kind: FolderType,
        items: usize,
    ) -> Result<(Work, Vec<Phone>)> {
        let mut phones = Vec::new();
        for user in users {
            let mut phone = self.phone(user, device, form);
            phone.folder_sync().await.with_context(|| format!("{user} on {device}"))?;
            phones.push(phone);
        }
        let (before, began) = (cpu_seconds(&self.processes)?, Instant::now());
        let mut running = JoinSet::new();
        for mut phone in phones {
            running.spawn(async move {
                let folder = phone.folder_of(kind)?;
                let round = phone.sync(&folder).await?;
                anyhow::Ok((round.added, phone))
            });
        }
        let (mut count, mut done) = (0, Vec::new());
        while let Some(ended) = running.join_next().await {
            let (added, phone) = ended??;
            ensure!(added == items, "{added} items came instead of {items}");
            count += added;
            done.push(phone);
        }
        let seconds = began.elapsed().as_secs_f64();
        let cpu = cpu_seconds(&self.processes)? - before;
        Ok((Work { count, seconds, cpu }, done))
    }

    /// Syncs with nothing new, by these phones at once, each as often as it can.
    ///
    /// # Errors
    /// When one fails, or there is something new.
    pub async fn nothing_new(
        &self,
        phones: Vec<Phone>,
        kind: FolderType,
        limit: Duration,
    ) -> Result<(Work, Times, Vec<Phone>)> {
        let (before, began) = (cpu_seconds(&self.processes)?, Instant::now());
        let mut running = JoinSet::new();
        for mut phone in phones {
            running.spawn(async move {
                let folder = phone.folder_of(kind)?;
                let mut times = Vec::new();
                while began.elapsed() < limit {
                    let asked = Instant::now();
                    let round = phone.sync_round(&folder).await?;
                    times.push(asked.elapsed());
                    ensure!(round.added + round.changed + round.deleted == 0, "something was new");
                }
                Ok((times, phone))
            });
        }
        let (mut times, mut done) = (Vec::new(), Vec::new());
        while let Some(ended) = running.join_next().await {
            let (of_one, phone) = ended??;
            times.extend(of_one);
            done.push(phone);
        }
        let seconds = began.elapsed().as_secs_f64();
        let cpu = cpu_seconds(&self.processes)? - before;
        Ok((Work { count: times.len(), seconds, cpu }, Times::new(times), done))
    }
}
