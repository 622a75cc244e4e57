//! What MS-ASCMD and MS-ASAIRS say of the course of things rather than of single answers: filters
//! that narrow and widen, both sides changing one mail, conversations and folders as wholes, the
//! phone's own limits. On a real mail system, which another client changes meanwhile.

use crate::property::imap::Client;
use crate::protocol::{Findings, STATUS, Speaker, id, item, key};
use crate::protocol_text::{all, bytes, has, request, text};
use crate::site::{PATIENCE, REALM, Site, USERS, Wishes};
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use dme_wbxml::Element;
use std::time::{Duration, SystemTime};

/// Collections in one Sync or Ping.
const FOLDERS: usize = 3;

/// A phone, and another client of the same mailbox.
struct Scene<'s> {
    site: &'s Site,
    phone: Speaker,
    other: Client,
}

impl Scene<'_> {
    /// A folder that no other version's scene uses: its name in IMAP and its id on the phone.
    async fn folder(&mut self, what: &str) -> Result<(String, String)> {
        let name = format!("{what} {}", self.phone.version()).replace('.', "-");
        self.other.run(&format!("CREATE \"{name}\""))?;
        let folder = self.named(&name).await?;
        Ok((name, folder.context("the new folder is not listed")?))
    }

    async fn named(&mut self, name: &str) -> Result<Option<String>> {
        let answer =
            self.phone.ask(Command::FolderSync, &crate::protocol::folder_sync("0")).await?;
        let folders = all(&answer, "Changes/Add");
        let found = folders.into_iter().find(|add| text(add, "DisplayName") == Some(name));
        Ok(found.and_then(|add| text(add, "ServerId")).map(str::to_owned))
    }

    /// Puts a mail into a folder, received so many days ago.
    fn put(&mut self, folder: &str, subject: &str, headers: &str, days: u64) -> Result<()> {
        let mail = format!(
            "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: {subject}\r\n{headers}\
             Content-Type: text/plain\r\n\r\nA mail.\r\n"
        );
        let received = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
        let received = jiff::Timestamp::try_from(received)?.strftime("%d-%b-%Y %H:%M:%S +0000");
        self.other.append(folder, "", Some(&received.to_string()), mail.as_bytes())
    }

    /// The subjects in a folder of the mail system.
    fn subjects(&mut self, folder: &str) -> Result<Vec<String>> {
        let mut subjects: Vec<String> =
            self.other.mails(folder)?.into_iter().map(|mail| mail.subject).collect();
        subjects.sort();
        Ok(subjects)
    }

    /// Everything that changed, with these options; nothing where nothing did.
    async fn news(&mut self, at: &str, folder: &str, options: &str) -> Result<Option<Element>> {
        let within = format!("<GetChanges>1</GetChanges>{options}");
        let text = self.phone.sync_text(at, folder, &within, "");
        self.phone.try_ask(Command::Sync, &text, b"").await
    }
}

/// The ids in an answer's commands of this kind.
fn told<'e>(answer: &'e Element, kind: &str) -> Vec<&'e str> {
    let found = all(answer, &format!("Collections/Collection/Commands/{kind}/ServerId"));
    found.into_iter().filter_map(Element::as_text).collect()
}

fn filter(kind: u8) -> String {
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

/// MS-ASCMD 2.2.3.58 and 2.2.3.44.
async fn emptied(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
    let (name, folder) = scene.folder("emptied").await?;
    let within = format!("{name}/within");
    scene.other.run(&format!("CREATE \"{within}\""))?;
    let empty = |options: &str| {
        format!(
            "<ItemOperations:ItemOperations><EmptyFolderContents>\
             <AirSync:CollectionId>{folder}</AirSync:CollectionId>{options}</EmptyFolderContents>\
             </ItemOperations:ItemOperations>"
        )
    };
    for (options, subfolders) in [("", true), ("<Options><DeleteSubFolders/></Options>", false)] {
        scene.put(&name, "one", "", 0)?;
        scene.put(&name, "two", "", 0)?;
        scene.put(&within, "below", "", 0)?;
        let (items, at) = scene.phone.everything(&folder, &filter(0)).await?;
        f.that("the folder has mail", items.len() == 2, &items.len());
        let answer = scene.phone.ask(Command::ItemOperations, &empty(options)).await?;
        f.text("a folder is emptied", &answer, "Response/EmptyFolderContents/Status", "1");
        f.text("which is named", &answer, "Response/EmptyFolderContents/CollectionId", &folder);
        let left = scene.subjects(&name)?;
        f.that("in the mail system", left.is_empty(), &format!("{left:?}"));
        let answer = scene.news(&at, &folder, "").await?.context("no news")?;
        f.that("and on the phone", told(&answer, "Delete").len() == 2, &answer.with_contents());
        let there = scene.named("within").await?.is_some();
        f.that("DeleteSubFolders decides on what is below", there == subfolders, &there);
        if subfolders {
            let below = scene.subjects(&within)?;
            f.that("which keeps its mail", below == ["below"], &format!("{below:?}"));
        }
    }
    let trash = scene.subjects("Trash")?;
    let there = trash.iter().filter(|subject| *subject == "one" || *subject == "below").count();
    f.that("nothing of it goes to the trash", there == 0, &format!("{trash:?}"));
    Ok(())
}

/// MS-ASCMD 2.2.3.177.11 (Ping 6), 2.2.3.177.17 (Sync 15): more folders than the server takes.
async fn limits(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
    let (folders, _) = scene.phone.folders().await?;
    let some: Vec<&str> = folders.iter().map(|(_, id)| id.as_str()).take(FOLDERS + 1).collect();
    f.that("there are folders enough", some.len() == FOLDERS + 1, &some.len());
    let ping = |folders: &[&str]| {
        let folders: String = folders
            .iter()
            .map(|id| format!("<Folder><Id>{id}</Id><Class>Email</Class></Folder>"))
            .collect();
        format!(
            "<Ping:Ping><HeartbeatInterval>1</HeartbeatInterval><Folders>{folders}</Folders></Ping:Ping>"
        )
    };
    let answer = scene.phone.ask(Command::Ping, &ping(&some)).await?;
    f.text("too many folders for a Ping", &answer, "Status", "6");
    f.text("are answered by how many there may be", &answer, "MaxFolders", &FOLDERS.to_string());
    let answer = scene.phone.ask(Command::Ping, &ping(&some[..FOLDERS])).await?;
    let status = text(&answer, "Status");
    f.that("so many are taken", matches!(status, Some("1" | "2")), &answer.with_contents());

    let class = match scene.phone.version() {
        ProtocolVersion::V12_1 => "<Class>Email</Class>",
        _ => "",
    };
    let sync = |folders: &[&str]| {
        let collections: String = folders
            .iter()
            .map(|id| {
                format!(
                    "<Collection>{class}<SyncKey>0</SyncKey><CollectionId>{id}</CollectionId></Collection>"
                )
            })
            .collect();
        format!("<AirSync:Sync><Collections>{collections}</Collections></AirSync:Sync>")
    };
    let answer = scene.phone.ask(Command::Sync, &sync(&some)).await?;
    f.text("too many folders for a Sync", &answer, "Status", "15");
    f.text("are answered by how many there may be", &answer, "Limit", &FOLDERS.to_string());
    f.that("and nothing else", !has(&answer, "Collections"), &answer.with_contents());
    let answer = scene.phone.ask(Command::Sync, &sync(&some[..FOLDERS])).await?;
    let began = all(&answer, STATUS).iter().filter(|status| status.as_text() == Some("1")).count();
    f.that("so many are begun", began == FOLDERS, &answer.with_contents());
    Ok(())
}

/// MS-ASCMD 2.2.3.177.11 (Ping 7), 2.2.3.177.17 (Sync 12): the list of folders changes meanwhile.
async fn hierarchy(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
    let (name, folder) = scene.folder("waited on").await?;
    let (_, at) = scene.phone.everything(&folder, &filter(0)).await?;
    let ping = format!(
        "<Ping:Ping><HeartbeatInterval>30</HeartbeatInterval><Folders><Folder><Id>{folder}</Id>\
         <Class>Email</Class></Folder></Folders></Ping:Ping>"
    );
    let sync = scene.phone.sync_text(&at, &folder, "<GetChanges>1</GetChanges>", "<Wait>1</Wait>");
    for (command, text_, place, status) in
        [(Command::Ping, &ping, "Status", "7"), (Command::Sync, &sync, STATUS, "12")]
    {
        request(text_, b"")?;
        let made = format!("{name}, made during {}", command.name());
        let began = std::time::Instant::now();
        let make = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            scene.other.run(&format!("CREATE \"{made}\""))
        };
        let (answer, made) = tokio::join!(scene.phone.ask(command, text_), make);
        made?;
        let sentence = format!("{} is ended by a new folder", command.name());
        f.text(&sentence, &answer?, place, status);
        f.that(&sentence, began.elapsed() < PATIENCE / 2, &format!("{:?}", began.elapsed()));
        // The phone takes the new list, as it is told to.
        scene.phone.folders().await?;
    }
    Ok(())
}

/// MS-ASCMD 2.2.3.117.1 and 2.2.3.118, MS-ASCON 2.2.2.8 and 2.2.2.10; from 14.0 on.
async fn conversations(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
    if scene.phone.version() < ProtocolVersion::V14_0 {
        return Ok(());
    }
    let version = scene.phone.version();
    let (from, source) = scene.folder("talked in").await?;
    let (also, _) = scene.folder("talked elsewhere").await?;
    let (to, destination) = scene.folder("talked no more").await?;
    let first = format!("talk-{version}@example.org");
    let id_of = |n: u8| format!("Message-ID: <{n}-{first}>\r\n");
    let answer_of =
        |n: u8| format!("{}In-Reply-To: <1-{first}>\r\nReferences: <1-{first}>\r\n", id_of(n));
    let subject = format!("Talk {version}");
    let answered = format!("Re: {subject}");
    scene.put(&from, &subject, &id_of(1), 0)?;
    scene.put(&from, &answered, &answer_of(2), 0)?;
    scene.put(&also, &answered, &answer_of(3), 0)?;
    scene.put("Sent", &answered, &answer_of(4), 0)?;
    scene.put(&from, "Something else", "Message-ID: <else@example.org>\r\n", 0)?;
    let (items, at) = scene.phone.everything(&source, &filter(0)).await?;
    let conversation = bytes(item(&items, &subject)?, "ApplicationData/ConversationId");
    let conversation = conversation.context("no conversation")?.to_vec();
    let same = bytes(item(&items, &answered)?, "ApplicationData/ConversationId");
    f.that("answers are of the conversation", same == Some(&*conversation), &format!("{same:?}"));
    let (_, there) = scene.phone.everything(&destination, &filter(0)).await?;

    let move_to = |destination: &str, options: &str| {
        format!(
            "<ItemOperations:ItemOperations><Move><ConversationId>@</ConversationId>\
             <DstFldId>{destination}</DstFldId>{options}</Move></ItemOperations:ItemOperations>"
        )
    };
    let always = "<Options><MoveAlways/></Options>";
    let unknown = [7; 16];
    for (destination, options, conversation, status, sentence) in [
        (&*destination, "", &*conversation, "155", "a conversation can only be moved for ever"),
        (&*destination, always, &unknown, "6", "one that is not there is not found"),
        (&*destination, always, b"short", "6", "nor one whose id is none"),
        ("987654", always, &*conversation, "6", "nor a folder that is not there"),
        ("nonsense", always, &*conversation, "6", "nor one whose id is none"),
    ] {
        let text = move_to(destination, options);
        let answer = scene.phone.try_ask(Command::ItemOperations, &text, conversation).await?;
        let answer = answer.context("no answer")?;
        f.text("the request is understood", &answer, "Status", "1");
        f.text(sentence, &answer, "Response/Move/Status", status);
    }
    let moved = scene.subjects(&from)?;
    f.that("and nothing is moved", moved.len() == 3, &format!("{moved:?}"));

    let text_ = move_to(&destination, always);
    for sentence in ["a conversation is moved", "and again, when the phone lost the answer"] {
        let answer = scene.phone.try_ask(Command::ItemOperations, &text_, &conversation).await?;
        let answer = answer.context("no answer")?;
        f.text(sentence, &answer, "Response/Move/Status", "1");
        let told = bytes(&answer, "Response/Move/ConversationId");
        f.that("which is named", told == Some(&*conversation), &answer.with_contents());
    }
    for (folder, expected, sentence) in [
        (&from, vec!["Something else".to_owned()], "from its folder"),
        (&also, vec![], "and from every other"),
        (&to, vec![answered.clone(), answered.clone(), subject.clone()], "into the one named"),
    ] {
        let subjects = scene.subjects(folder)?;
        f.that(sentence, subjects == expected, &format!("{subjects:?}"));
    }
    let sent = scene.subjects("Sent")?;
    f.that("what was sent stays", sent.contains(&answered), &format!("{sent:?}"));
    let answer = scene.news(&at, &source, "").await?.context("no news")?;
    f.that("the phone sees it go", told(&answer, "Delete").len() == 2, &answer.with_contents());
    let answer = scene.news(&there, &destination, "").await?.context("no news")?;
    f.that("and come", told(&answer, "Add").len() == 3, &answer.with_contents());
    Ok(())
}
