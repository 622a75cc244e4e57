//! What one request may cost: an answer that is full says so item by item, and the bodies of all
//! phones share their memory.

use crate::limits::{Wire, head, known};
use crate::protocol_text::{all, request, text};
use crate::site::{PATIENCE, Site, Wishes};
use anyhow::{Context, Result, ensure};
use dme_eas::CommonStatus;
use dme_eas::compose::{Message, Response, SaveInSent, Status};
use dme_eas::query::Command;
use dme_phone::Phone;
use dme_testkit::ports::wait_until;

const LIMITS: &str = "[limits]\nanswer = \"16KiB\"\nattachment = \"40KiB\"\n\
    body = \"256KiB\"\nbodies = \"256KiB\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_full_says_so_and_every_request_gets_further() -> Result<()> {
    let site = Site::start(&Wishes { server: LIMITS.into() })?;
    for number in 0..4 {
        let text = "Zq-much text. ".repeat(700);
        let mail = format!("Subject: mail {number}\r\n\r\n{text}\r\n");
        site.dovecot.deliver("ann@example.org", mail.as_bytes())?;
    }
    let huge = format!("Subject: huge\r\n\r\n{}\r\n", "more text. ".repeat(5000));
    site.dovecot.deliver("bob@example.org", huge.as_bytes())?;
    let (mut ann, inbox) = known(&site, "ann", "answers").await?;
    item_operations(&mut ann, &inbox).await.context("ItemOperations")?;
    fetches(&mut ann, &inbox).await.context("Fetch in Sync")?;
    search(&mut ann, &inbox).await.context("Search")?;
    let (mut bob, inbox) = known(&site, "bob", "answers").await?;
    whole_mail(&mut bob, &inbox).await.context("a whole mail beyond the limit")?;
    crowd(&mut ann).await.context("more recipients than are read")?;
    bob.sync(&inbox).await?;
    ensure!(bob.items(&inbox)?.len() == 1, "a refused message reaches nobody");
    tokio::task::block_in_place(|| bodies(&site)).context("bodies")
}

const BODY: &str = "<AirSyncBase:BodyPreference><Type>1</Type></AirSyncBase:BodyPreference>";

fn ids(phone: &Phone, inbox: &str) -> Result<Vec<String>> {
    Ok(phone.items(inbox)?.keys().cloned().collect())
}

fn fetch(id: &str, inbox: &str) -> String {
    format!(
        "<Fetch><Store>Mailbox</Store><AirSync:CollectionId>{inbox}</AirSync:CollectionId>\
         <AirSync:ServerId>{id}</AirSync:ServerId><Options>{BODY}</Options></Fetch>"
    )
}

/// Two of 10 KiB fill an answer of 16: what comes after is too large (status 11), the same item
/// again too.
async fn item_operations(phone: &mut Phone, inbox: &str) -> Result<()> {
    let ids = ids(phone, inbox)?;
    let [first, second, ..] = ids.as_slice() else { anyhow::bail!("{} mails", ids.len()) };
    for (asked, statuses) in
        [([first, second, second], ["1", "1", "11"]), ([first, first, first], ["1", "1", "11"])]
    {
        let fetches: String = asked.iter().map(|id| fetch(id, inbox)).collect();
        let asked =
            format!("<ItemOperations:ItemOperations>{fetches}</ItemOperations:ItemOperations>");
        let answer = phone.client.ask(Command::ItemOperations, request(&asked, &[])?).await?;
        let got: Vec<&str> = all(&answer, "Response/Fetch")
            .iter()
            .map(|fetch| text(fetch, "Status").unwrap_or("none"))
            .collect();
        ensure!(got == statuses, "{got:?}");
        let bodies = all(&answer, "Response/Fetch/Properties/Body/Data");
        let same = bodies.iter().all(|body| body.as_text().is_some_and(|text| text.len() > 9_000));
        ensure!(bodies.len() == 2 && same, "{} bodies", bodies.len());
    }
    Ok(())
}

/// In Sync what does not fit is to be asked for again (status 16).
async fn fetches(phone: &mut Phone, inbox: &str) -> Result<()> {
    let ids = ids(phone, inbox)?;
    let key = phone.folder(inbox)?.sync_key.clone();
    let fetches: String =
        ids.iter().map(|id| format!("<Fetch><ServerId>{id}</ServerId></Fetch>")).collect();
    let asked = format!(
        "<AirSync:Sync><Collections><Collection><SyncKey>{key}</SyncKey>\
         <CollectionId>{inbox}</CollectionId><Options>{BODY}</Options>\
         <Commands>{fetches}</Commands></Collection></Collections></AirSync:Sync>"
    );
    let answer = phone.client.ask(Command::Sync, request(&asked, &[])?).await?;
    let got: Vec<&str> = all(&answer, "Collections/Collection/Responses/Fetch")
        .iter()
        .map(|fetch| text(fetch, "Status").unwrap_or("none"))
        .collect();
    ensure!(got == ["1", "1", "16", "16"], "{got:?}: {}", answer.with_contents());
    Ok(())
}

/// Search answers a shorter range than was asked for, and all there are in pages.
async fn search(phone: &mut Phone, inbox: &str) -> Result<()> {
    let mut seen = 0;
    for range in ["0-1", "2-3"] {
        let asked = format!(
            "<Search:Search><Store><Name>Mailbox</Name><Query><And>\
             <AirSync:Class>Email</AirSync:Class>\
             <AirSync:CollectionId>{inbox}</AirSync:CollectionId>\
             <FreeText>Zq-much</FreeText></And></Query>\
             <Options><Range>{seen}-99</Range>{BODY}</Options></Store></Search:Search>"
        );
        let answer = phone.client.ask(Command::Search, request(&asked, &[])?).await?;
        let results = all(&answer, "Response/Store/Result").len();
        ensure!(results == 2, "{results} results: {}", answer.with_contents());
        ensure!(text(&answer, "Response/Store/Range") == Some(range), "the range {range}");
        ensure!(text(&answer, "Response/Store/Total") == Some("4"), "the total");
        seen += results;
    }
    Ok(())
}

/// A whole mail has the limit of attachments.
async fn whole_mail(phone: &mut Phone, inbox: &str) -> Result<()> {
    let id = ids(phone, inbox)?.pop().context("no mail")?;
    let asked = format!(
        "<ItemOperations:ItemOperations>{}</ItemOperations:ItemOperations>",
        fetch(&id, inbox)
    );
    let answer = phone.client.ask(Command::ItemOperations, request(&asked, &[])?).await?;
    let status = text(&answer, "Response/Fetch/Status");
    ensure!(status == Some("11"), "{status:?}: {}", answer.with_contents());
    Ok(())
}

/// A message to more people than are read of its header goes to none of them, and the phone is told
/// that it was not sent (status 120).
async fn crowd(phone: &mut Phone) -> Result<()> {
    let people: Vec<String> =
        (0..2500).map(|n| format!("person-{n:04}@mail.example.org")).collect();
    let mime = format!(
        "From: ann@example.org\r\nTo: bob@example.org,\r\n {}\r\nSubject: Zq-crowd\r\n\r\nx\r\n",
        people.join(",\r\n ")
    );
    let sent = phone
        .client
        .send_mail(&Message {
            client_id: Some("crowd".into()),
            account_id: None,
            save_in_sent: SaveInSent::Yes,
            mime: mime.into(),
        })
        .await?;
    let refused = Response::Failed(Status::Common(CommonStatus::MailSubmissionFailed));
    ensure!(sent == refused, "{sent:?}");
    Ok(())
}

/// While one phone sends a large body another large one is told to come again, a small one is not.
fn bodies(site: &Site) -> Result<()> {
    let mut large = Wire::open(site)?;
    large.send(head("FolderSync", "large", 200 << 10).as_bytes())?;
    large.send(&[0; 100 << 10])?;
    let mut refused = None;
    wait_until("there is no room for another one", PATIENCE, || {
        let answer = Wire::open(site)?.ask(&head("FolderSync", "another", 200 << 10), &[])?;
        let later = answer.status == 503;
        refused = Some(answer);
        Ok(later)
    })?;
    let refused = refused.context("it was asked")?;
    ensure!(refused.header("retry-after").is_some(), "{}", refused.head);
    let small = Wire::open(site)?.ask(&head("FolderSync", "small", 4), b"none")?;
    ensure!(small.is_status("102"), "it is read: {}", small.head);
    large.send(&[0; 100 << 10])?;
    ensure!(large.answer()?.is_status("102"), "the first one is read to its end");
    let mut again = Wire::open(site)?;
    let answer = again.ask(&head("FolderSync", "another", 200 << 10), &[0; 200 << 10])?;
    ensure!(answer.is_status("102"), "then there is room: {}", answer.head);
    Ok(())
}
