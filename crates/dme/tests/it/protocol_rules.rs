//! What MS-ASCMD and MS-ASAIRS say of the course of things rather than of single answers: filters
//! that narrow and widen, both sides changing one mail, conversations and folders as wholes, the
//! phone's own limits. On a real mail system, which another client changes meanwhile.

use crate::property::imap::Client;
use crate::protocol::{Findings, Speaker, id, item, key};
use crate::protocol_text::{all, has, text};
use crate::protocol_wholes::{conversations, emptied, hierarchy, limits};
use crate::site::{REALM, Site, USERS, Wishes};
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use dme_wbxml::Element;
use std::time::{Duration, SystemTime};

/// Collections in one Sync or Ping.
pub const FOLDERS: usize = 3;

/// A phone, and another client of the same mailbox.
pub struct Scene<'s> {
    site: &'s Site,
    pub phone: Speaker,
    pub other: Client,
}

impl Scene<'_> {
    /// A folder that no other version's scene uses: its name in IMAP and its id on the phone.
    pub async fn folder(&mut self, what: &str) -> Result<(String, String)> {
        let name = format!("{what} {}", self.phone.version()).replace('.', "-");
        self.other.run(&format!("CREATE \"{name}\""))?;
        let folder = self.named(&name).await?;
        Ok((name, folder.context("the new folder is not listed")?))
    }

    pub async fn named(&mut self, name: &str) -> Result<Option<String>> {
        let answer =
            self.phone.ask(Command::FolderSync, &crate::protocol::folder_sync("0")).await?;
        let folders = all(&answer, "Changes/Add");
        let found = folders.into_iter().find(|add| text(add, "DisplayName") == Some(name));
        Ok(found.and_then(|add| text(add, "ServerId")).map(str::to_owned))
    }

    /// Puts a mail into a folder, received so many days ago.
    pub fn put(&mut self, folder: &str, subject: &str, headers: &str, days: u64) -> Result<()> {
        let mail = format!(
            "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: {subject}\r\n{headers}\
             Content-Type: text/plain\r\n\r\nA mail.\r\n"
        );
        let received = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
        let received = jiff::Timestamp::try_from(received)?.strftime("%d-%b-%Y %H:%M:%S +0000");
        self.other.append(folder, "", Some(&received.to_string()), mail.as_bytes())
    }

    /// The subjects in a folder of the mail system.
    pub fn subjects(&mut self, folder: &str) -> Result<Vec<String>> {
        let mut subjects: Vec<String> =
            self.other.mails(folder)?.into_iter().map(|mail| mail.subject).collect();
        subjects.sort();
        Ok(subjects)
    }

    /// A GetItemEstimate as the version wants it.
    fn estimate(&self, at: &str, folder: &str, filter: Option<&str>) -> String {
        let id = format!("<CollectionId>{folder}</CollectionId>");
        let key = format!("<AirSync:SyncKey>{at}</AirSync:SyncKey>");
        let filter = filter.map(|f| format!("<AirSync:FilterType>{f}</AirSync:FilterType>"));
        let filter = filter.unwrap_or_default();
        let collection = match (self.phone.version(), &*filter) {
            (ProtocolVersion::V12_1, _) => format!("<Class>Email</Class>{id}{filter}{key}"),
            (_, "") => format!("{key}{id}"),
            _ => format!("{key}{id}<AirSync:Options>{filter}</AirSync:Options>"),
        };
        format!(
            "<GetItemEstimate:GetItemEstimate><Collections><Collection>{collection}</Collection>\
             </Collections></GetItemEstimate:GetItemEstimate>"
        )
    }

    /// Everything that changed, with these options; nothing where nothing did.
    pub async fn news(&mut self, at: &str, folder: &str, options: &str) -> Result<Option<Element>> {
        let within = format!("<GetChanges>1</GetChanges>{options}");
        let text = self.phone.sync_text(at, folder, &within, "");
        self.phone.try_ask(Command::Sync, &text, b"").await
    }
}

/// The ids in an answer's commands of this kind.
pub fn told<'e>(answer: &'e Element, kind: &str) -> Vec<&'e str> {
    let found = all(answer, &format!("Collections/Collection/Commands/{kind}/ServerId"));
    found.into_iter().filter_map(Element::as_text).collect()
}

pub fn filter(kind: u8) -> String {
    format!("<Options><FilterType>{kind}</FilterType></Options>")
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_takes_the_course_that_the_documents_say() -> Result<()> {
    let server = format!("[times]\nshortest_wait = \"1s\"\n[limits]\nfolders = {FOLDERS}\n");
    let site = Site::start(&Wishes { server })?;
    let mut findings = Findings::default();
    let versions = [ProtocolVersion::V12_1, ProtocolVersion::V14_1, ProtocolVersion::V16_1];
    for (number, version) in versions.into_iter().enumerate() {
        let phone = Speaker::new(&site, "ann", version, &format!("rules{number}"))?;
        let (user, password) = USERS[0];
        let user = format!("{user}@{REALM}");
        let other = Client::login(site.dovecot.imap_port, &user, password)?;
        let mut scene = Scene { site: &site, phone, other };
        let f = &mut findings;
        f.section = format!("{version}");
        filters(&mut scene, f).await.context("filters")?;
        conflicts(&mut scene, f).await.context("conflicts")?;
        completed(&mut scene, f).await.context("completed flags")?;
        emptied(&mut scene, f).await.context("emptied folders")?;
        limits(&mut scene, f).await.context("limits")?;
        hierarchy(&mut scene, f).await.context("hierarchy")?;
        conversations(&mut scene, f).await.context("conversations")?;
    }
    findings.finish()
}

/// MS-ASCMD 2.2.3.68.2 and 2.2.3.169: what the filter excludes is taken from the phone alone.
async fn filters(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
    let (name, folder) = scene.folder("filtered").await?;
    for (subject, days) in [("today", 0), ("last week", 10), ("last month", 40)] {
        scene.put(&name, subject, "", days)?;
    }
    let (items, at) = scene.phone.everything(&folder, &filter(0)).await?;
    f.that("without a filter all mail comes", items.len() == 3, &items.len());
    let of = |subject| anyhow::Ok(id(item(&items, subject)?).to_owned());
    let (today, week, month) = (of("today")?, of("last week")?, of("last month")?);

    let answer = scene.news(&at, &folder, &filter(5)).await?.context("nothing fell out")?;
    f.that(
        "a filter that narrows takes old mail away softly",
        told(&answer, "SoftDelete") == [&*month],
        &answer.with_contents(),
    );
    f.that("and deletes nothing", told(&answer, "Delete").is_empty(), &answer.with_contents());
    let answer = scene.news(&key(&answer)?, &folder, &filter(3)).await?.context("nothing")?;
    f.that(
        "narrower still, the next",
        told(&answer, "SoftDelete") == [&*week],
        &answer.with_contents(),
    );
    let at = key(&answer)?;
    let silent = scene.news(&at, &folder, "").await?;
    f.that("once", silent.is_none(), &format!("{silent:?}"));
    let left = scene.subjects(&name)?;
    f.that("it stays in the mail system", left.len() == 3, &format!("{left:?}"));

    for (filter, expected) in [(None, "2"), (Some("0"), "2"), (Some("5"), "1"), (Some("3"), "0")] {
        let estimate = scene.estimate(&at, &folder, filter);
        let answer = scene.phone.ask(Command::GetItemEstimate, &estimate).await?;
        let sentence = format!("an estimate is by the filter {filter:?} that it names");
        f.text(&sentence, &answer, "Response/Collection/Estimate", expected);
    }

    // What the phone does not hold any more is not its to change, and no news when it changes.
    scene.other.run("UID STORE 1:* +FLAGS (\\Flagged)")?;
    let answer = scene.news(&at, &folder, "").await?.context("no news of today's mail")?;
    f.that(
        "of what fell out no change is told",
        told(&answer, "Change") == [&*today],
        &answer.with_contents(),
    );
    let change = format!(
        "<GetChanges>0</GetChanges><Commands><Change><ServerId>{month}</ServerId>\
         <ApplicationData><Email:Read>1</Email:Read></ApplicationData></Change></Commands>"
    );
    let answer = scene.phone.sync(&key(&answer)?, &folder, &change).await?;
    f.text(
        "nor can the phone change it",
        &answer,
        "Collections/Collection/Responses/Change/Status",
        "8",
    );
    let answer = scene.news(&key(&answer)?, &folder, &filter(0)).await?.context("nothing")?;
    let mut back = told(&answer, "Add");
    back.sort_unstable();
    let mut expected = [&*week, &*month];
    expected.sort_unstable();
    f.that("a filter that widens brings it back", back == expected, &answer.with_contents());
    let flagged = all(&answer, "Collections/Collection/Commands/Add/ApplicationData/Flag/Status");
    f.that("as it is now", flagged.len() == 2, &answer.with_contents());

    // A filter in force when the folder is begun, and mail that is old when it comes.
    let (items, at) = scene.phone.everything(&folder, &filter(3)).await?;
    f.that("what does not pass is not told at first", items.len() == 1, &items.len());
    scene.put(&name, "old when it came", "", 20)?;
    let silent = scene.news(&at, &folder, "").await?;
    f.that("nor later", silent.is_none(), &format!("{silent:?}"));
    Ok(())
}

/// MS-ASCMD 2.2.3.34: both sides changed one mail.
async fn conflicts(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
    let (name, folder) = scene.folder("conflicts").await?;
    scene.put(&name, "disputed", "", 0)?;
    for (rule, wins) in [
        ("", "the mail system"),
        ("<Conflict>1</Conflict>", "the mail system"),
        ("<Conflict>0</Conflict>", "the phone"),
    ] {
        let options = format!("<Options><FilterType>0</FilterType>{rule}</Options>");
        scene.other.mails(&name)?;
        scene.other.run("UID STORE 1:* FLAGS ()")?;
        let (items, at) = scene.phone.everything(&folder, &options).await?;
        let disputed = id(item(&items, "disputed")?).to_owned();
        scene.other.run("UID STORE 1:* +FLAGS (\\Flagged)")?;
        let change = format!(
            "<GetChanges>1</GetChanges><Commands><Change><ServerId>{disputed}</ServerId>\
             <ApplicationData><Email:Flag><Status>1</Status>\
             <CompleteTime>2026-11-20T10:00:00.000Z</CompleteTime>\
             <Tasks:DateCompleted>2026-11-20T10:00:00.000Z</Tasks:DateCompleted></Email:Flag>\
             </ApplicationData></Change></Commands>"
        );
        let answer = scene.phone.sync(&at, &folder, &change).await?;
        let status = text(&answer, "Collections/Collection/Responses/Change/Status");
        let kept = scene.other.mails(&name)?.remove(0).flags;
        let trace =
            scene.site.dme(&["device", "trace", "ann@example.org", device(&scene.phone)])?;
        let newest = trace.lines().next().unwrap_or_default().to_owned();
        let what = format!("with {rule:?} {wins}'s version stays");
        if wins == "the phone" {
            f.that(&what, status.is_none_or(|s| s == "1"), &answer.with_contents());
            f.that(&what, kept.contains("$Completed"), &format!("{kept:?}"));
            f.that("on record", newest.contains("mail_system_overruled"), &trace);
        } else {
            f.that(&format!("{what}, told by status 7"), status == Some("7"), &answer);
            f.that(&what, kept.iter().eq(["\\Flagged"]), &format!("{kept:?}"));
            f.that("and the phone is given it", told(&answer, "Change") == [&*disputed], &answer);
            f.text(
                "as it is",
                &answer,
                "Collections/Collection/Commands/Change/ApplicationData/Flag/Status",
                "2",
            );
            f.that("on record", newest.contains("phone_overruled"), &trace);
        }
    }
    Ok(())
}

fn device(phone: &Speaker) -> &str {
    phone.client.account.device.as_str()
}

/// MS-ASEMAIL 2.2.2.34: a flag that one phone completes, as another phone sees it.
async fn completed(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
    let (name, folder) = scene.folder("completed").await?;
    scene.put(&name, "to be done", "", 0)?;
    let version = scene.phone.version();
    let mut second = Speaker::new(scene.site, "ann", version, "secondphone")?;
    let (_, other_at) = second.everything(&folder, &filter(0)).await?;
    let (items, at) = scene.phone.everything(&folder, &filter(0)).await?;
    let change = format!(
        "<GetChanges>0</GetChanges><Commands><Change><ServerId>{}</ServerId>\
         <ApplicationData><Email:Flag><Status>1</Status>\
         <CompleteTime>2026-11-20T10:00:00.000Z</CompleteTime>\
         <Tasks:DateCompleted>2026-11-20T10:00:00.000Z</Tasks:DateCompleted></Email:Flag>\
         </ApplicationData></Change></Commands>",
        id(item(&items, "to be done")?)
    );
    scene.phone.sync(&at, &folder, &change).await?;
    let answer = second.sync(&other_at, &folder, "<GetChanges>1</GetChanges>").await?;
    let flag = "Collections/Collection/Commands/Change/ApplicationData/Flag";
    f.text("another phone sees the flag completed", &answer, &format!("{flag}/Status"), "1");
    // Mail systems keep the mark and no time; one that is made up would be shown as true.
    for time in ["CompleteTime", "DateCompleted"] {
        f.that(
            "and is told no time that nobody keeps",
            !has(&answer, &format!("{flag}/{time}")),
            &answer.with_contents(),
        );
    }
    Ok(())
}
