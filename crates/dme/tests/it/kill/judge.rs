//! Whether all came out well.

use super::killer::{Part, Report};
use super::life::Life;
use crate::property::imap::Client;
use crate::site::{Site, USERS};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(site: &Site, life: &Life, report: &Report) -> Result<()> {
    let killed = || format!("killed were {}", report.words());
    let mut ann = client(site, "ann")?;
    the_phone_shows_what_is_there(&mut ann, life).with_context(killed)?;
    nothing_that_came_is_lost(&mut ann, report).with_context(killed)?;
    drafts_are_as_written(&mut ann, life).with_context(killed)?;
    what_was_sent_is_in_sent(&mut ann, life).with_context(killed)?;
    what_was_sent_arrived_once(&mut client(site, "bob")?, life, report).with_context(killed)?;
    ensure!(life.phone.events.resynced == 0, "a folder began anew; {}", killed());
    Ok(())
}

fn client(site: &Site, user: &str) -> Result<Client> {
    let (_, password) = USERS.iter().find(|(name, _)| *name == user).context("no such user")?;
    Client::login(site.dovecot.imap_port, &format!("{user}@example.org"), password)
}

fn the_phone_shows_what_is_there(ann: &mut Client, life: &Life) -> Result<()> {
    let folders = [
        (&life.inbox, "INBOX"),
        (&life.drafts, "Drafts"),
        (&life.trash, "Trash"),
        (&life.sent_folder, "Sent"),
    ];
    for (folder, name) in folders {
        // A phone does not mark what it wrote itself.
        let is_draft = name == "Drafts";
        let mut there: Vec<(String, bool)> = ann
            .mails(name)?
            .into_iter()
            .map(|mail| (mail.subject, is_draft || mail.flags.contains("\\Seen")))
            .collect();
        let shown = life.phone.items(folder)?.values();
        let mut shown: Vec<(String, bool)> =
            shown.map(|mail| (mail.subject.clone(), is_draft || mail.read)).collect();
        there.sort();
        shown.sort();
        ensure!(there == shown, "{name} holds {there:?}, the phone shows {shown:?}");
    }
    Ok(())
}

fn nothing_that_came_is_lost(ann: &mut Client, report: &Report) -> Result<()> {
    let mut all = subjects(ann, "INBOX")?;
    all.extend(subjects(ann, "Trash")?);
    for subject in &report.delivered {
        let copies = all.iter().filter(|one| *one == subject).count();
        ensure!(copies == 1, "{subject:?} is there {copies} times");
    }
    Ok(())
}

fn drafts_are_as_written(ann: &mut Client, life: &Life) -> Result<()> {
    let (mut there, mut written) = (subjects(ann, "Drafts")?, life.written.clone());
    there.sort();
    written.sort();
    ensure!(there == written, "the drafts are {there:?}, written were {written:?}");
    Ok(())
}

fn what_was_sent_is_in_sent(ann: &mut Client, life: &Life) -> Result<()> {
    let there = subjects(ann, "Sent")?;
    for sent in &life.sent {
        let copies = there.iter().filter(|subject| **subject == sent.subject).count();
        ensure!(copies == 1, "{:?} is in Sent {copies} times", sent.subject);
    }
    Ok(())
}

fn subjects(client: &mut Client, folder: &str) -> Result<Vec<String>> {
    Ok(client.mails(folder)?.into_iter().map(|mail| mail.subject).collect())
}

/// Postfix names each message it takes in its `Received`: several copies with one name are
/// Postfix's own doing, which delivers again what it cannot know to have been delivered.
fn what_was_sent_arrived_once(bob: &mut Client, life: &Life, report: &Report) -> Result<()> {
    bob.run("SELECT INBOX")?;
    let fields = "BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID RECEIVED)]";
    let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for answer in bob.run(&format!("UID FETCH 1:* ({fields})"))? {
        let header = answer.replace("\r\n\t", " ").replace("\r\n ", " ");
        let field = |name: &str| header.lines().find_map(|line| line.strip_prefix(name));
        let Some(subject) = field("Subject: ") else { continue };
        let id = header.split_once("with ESMTPA id ").map_or("", |(_, rest)| rest);
        let id = id.split([' ', ';']).next().unwrap_or_default();
        taken.entry(subject.to_owned()).or_default().insert(id.to_owned());
        let message_id = field("Message-ID: ").unwrap_or_default();
        named.entry(subject.to_owned()).or_default().insert(message_id.to_owned());
    }
    for sent in &life.sent {
        let times = taken.get(&sent.subject).map_or(0, BTreeSet::len);
        ensure!(times > 0, "{:?} never arrived", sent.subject);
        let names = named.get(&sent.subject).map_or(0, BTreeSet::len);
        ensure!(names == 1, "{:?} went out as {names} messages", sent.subject);
        if times > 1 {
            // The two cases that cannot be decided (docs/decisions/0008-sent-once.md).
            let undecidable = [Part::Connector, Part::Postfix];
            let kills = report.count(&undecidable, sent.begun, sent.ended);
            ensure!(times <= 1 + kills, "{:?} was taken {times} times", sent.subject);
            eprintln!("{:?} was taken {times} times, {kills} kills", sent.subject);
        }
    }
    for subject in taken.keys() {
        let known = life.sent.iter().any(|sent| sent.subject == *subject);
        let ours = subject.contains(&format!(" {}.", life.seed));
        ensure!(known || !ours, "{subject:?} arrived and was not told to be sent");
    }
    Ok(())
}
