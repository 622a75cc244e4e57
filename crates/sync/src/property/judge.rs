//! The end: everything is left in peace, then phone and mailbox are compared.

use super::Fate;
use super::driver::Life;
use crate::FolderNo;
use dme_model::Timestamp;
use std::collections::BTreeMap;

/// So many rounds of syncing must be enough for everything to settle.
const ROUNDS: usize = 200;

impl Life<'_> {
    /// Leaves everything in peace until phone and mail system have nothing to tell each other.
    pub(super) async fn settle(&mut self) -> Result<(), String> {
        self.faulty.heal();
        while !self.outbox.is_empty() {
            self.send(Fate::Answered).await?;
        }
        if let Some(act) = self.unanswered_act.clone() {
            self.act(act.what, Fate::Answered).await?;
        }
        self.try_move(Fate::Answered).await?;
        self.try_answer(Fate::Answered).await?;
        for _ in 0..ROUNDS {
            let mut news = self.folder_sync(Fate::Answered).await?;
            let folders: Vec<FolderNo> = self.phone.folders.keys().copied().collect();
            for no in folders {
                news |= self.sync(no, 7, false, Fate::Answered).await?;
            }
            if !news {
                return Ok(());
            }
        }
        Err(format!("after {ROUNDS} rounds there is still news"))
    }

    pub(super) async fn judge(&mut self) -> Result<(), String> {
        let collections = self.collections().await?;
        let mut numbers = BTreeMap::new();
        for no in self.phone.folders.keys() {
            let collection = self.collection_of(*no).await?;
            numbers.insert(*no, collection.ok_or(format!("folder {no} stands for nothing"))?);
        }
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for collection in &collections {
            let shown = numbers.iter().find(|(_, id)| **id == collection.id);
            let folder = shown.and_then(|(no, _)| self.phone.folders.get(no));
            let folder = folder.ok_or(format!("the phone does not show {}", collection.name))?;
            let parent = folder.entry.parent.and_then(|parent| numbers.get(&parent));
            if (&folder.entry.name, parent) != (&collection.name, collection.parent.as_ref()) {
                return Err(format!("{:?} is shown for {collection:?}", folder.entry));
            }
            let wanted = folder.filter.of(collection.class, self.now);
            let cutoff = wanted.since.map_or(i64::MIN, Timestamp::as_days);
            let mut expected = BTreeMap::new();
            for (item, shown, received) in self.contents(&collection.id).await? {
                *counts.entry(shown.subject.clone()).or_default() += 1;
                let answered = self.answers.get(&shown.subject);
                if answered.is_some_and(|answered| *answered != shown.plan.participation) {
                    return Err(format!("{shown:?} was answered {answered:?}"));
                }
                if received.as_days() >= cutoff {
                    expected.insert(item, shown);
                }
            }
            if folder.items != expected {
                return Err(format!(
                    "in {} the phone shows {:?}, there is {expected:?}",
                    collection.name, folder.items
                ));
            }
        }
        if self.phone.folders.len() != collections.len() {
            return Err("the phone shows folders that are gone".into());
        }
        if let Some((subject, count)) = counts.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{subject} is there {count} times"));
        }
        if let Some(subject) = self.kept.iter().find(|subject| !counts.contains_key(*subject)) {
            return Err(format!("{subject} is lost"));
        }
        self.judge_sent().await
    }

    pub(super) async fn judge_sent(&self) -> Result<(), String> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for message in self.world.sent().await {
            let text = String::from_utf8_lossy(&message);
            let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
            *counts.entry(subject.unwrap_or("?").to_owned()).or_default() += 1;
        }
        if let Some((subject, count)) = counts.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{subject} went out {count} times"));
        }
        match self.sent.iter().find(|subject| !counts.contains_key(*subject)) {
            Some(subject) => Err(format!("{subject} never went out")),
            None => Ok(()),
        }
    }
}
