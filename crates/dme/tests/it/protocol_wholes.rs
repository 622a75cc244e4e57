//! What concerns folders and conversations as wholes: parts of `protocol_rules.rs`.

use crate::protocol::{Findings, STATUS, item};
use crate::protocol_rules::{FOLDERS, Scene, filter, told};
use crate::protocol_text::{all, bytes, has, text};
use crate::site::PATIENCE;
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use std::time::Duration;

/// MS-ASCMD 2.2.3.58 and 2.2.3.44.
pub async fn emptied(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
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
pub async fn limits(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
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
pub async fn hierarchy(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
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
pub async fn conversations(scene: &mut Scene<'_>, f: &mut Findings) -> Result<()> {
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
