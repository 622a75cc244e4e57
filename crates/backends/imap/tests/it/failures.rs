//! Servers that die, come back, hang or talk nonsense: only the call concerned fails, and the
//! next one works.

use crate::world::{ONCE, account, config, context, open, plain, submission, users};
use dme_imap::{ImapConfig, ImapMailSystem, PoolConfig, TimeoutConfig};
use dme_mailbox::{
    CallContext, ChangeToken, Error, ErrorKind, ItemFilter, MailSystem, Submission, WatchEvent,
};
use dme_model::{BodyView, Class, CollectionId, FlagPatch, ItemId, RequestId, Role, Span};
use dme_testkit::dovecot::{Capabilities, Dovecot, DovecotOptions};
use dme_testkit::postfix::{Postfix, PostfixOptions};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

fn inbox() -> CollectionId {
    CollectionId::from("INBOX")
}

fn message(subject: &str) -> Vec<u8> {
    format!("From: bob@example.org\r\nSubject: {subject}\r\n\r\nhello\r\n").into_bytes()
}

#[tokio::test]
async fn a_killed_server_is_noticed_and_used_again_when_it_is_back() {
    let mut dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let mailbox = open(&system, "ann").await;
    let item = mailbox.deliver(&inbox(), &message("one")).await.unwrap();
    let token = mailbox.list(&inbox(), &ItemFilter::default()).await.unwrap().token;

    dovecot.kill();
    let error = mailbox.changes(&inbox(), &token).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    dovecot.restart().unwrap();
    assert_eq!(mailbox.changes(&inbox(), &token).await.unwrap().token, token);

    // Killed and back between two calls: the caller sees nothing of it.
    dovecot.restart().unwrap();
    assert!(mailbox.changes(&inbox(), &token).await.unwrap().upserted.is_empty());
    dovecot.restart().unwrap();
    let patch = FlagPatch { seen: Some(true), ..FlagPatch::default() };
    let results = mailbox.set_flags(&inbox(), &[(item, patch)]).await.unwrap();
    assert!(results.iter().all(|(_, result)| result.is_ok()));
    dovecot.restart().unwrap();
    mailbox.deliver(&inbox(), &message("two")).await.unwrap();
}

#[tokio::test]
async fn a_fetch_goes_on_where_the_server_was_killed() {
    let mut dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let text = vec![b'x'; 30_000];
    let mails: Vec<Vec<u8>> = (0..200)
        .map(|number| [format!("Subject: n{number}\r\n\r\n").as_bytes(), &text, b"\r\n"].concat())
        .collect();
    dovecot.deliver_all("ann@example.org", mails.iter().map(Vec::as_slice)).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let mailbox = open(&system, "ann").await;
    let items: Vec<_> = {
        let listing = mailbox.list(&inbox(), &ItemFilter::default()).await.unwrap();
        listing.items.iter().rev().collect()
    };
    let mut stream = mailbox.fetch(&inbox(), &items, &BodyView::default()).await.unwrap();
    let mut fetched = Vec::new();
    for _ in 0..10 {
        fetched.push(stream.next().await.unwrap().unwrap());
    }
    dovecot.restart().unwrap();
    fetched.extend(stream.try_collect::<Vec<_>>().await.unwrap());
    let order: Vec<_> = fetched.iter().map(|fetched| fetched.id.clone()).collect();
    assert_eq!(order, items, "each once and in order");
}

#[tokio::test]
async fn a_watch_ends_with_an_error_when_the_server_is_lost() {
    for capabilities in [Capabilities::All, Capabilities::Basic] {
        let mut options = users(&["ann"]);
        options.capabilities = capabilities;
        let mut dovecot = Dovecot::start(options).unwrap();
        let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
        let mailbox = open(&system, "ann").await;
        let mut watch = mailbox.watch(&[inbox()]).await.unwrap();
        assert_eq!(watch.next().await.unwrap(), Ok(WatchEvent::Ready));
        dovecot.kill();
        let error = watch.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        assert!(watch.next().await.is_none());
        dovecot.restart().unwrap();
        let mut watch = mailbox.watch(&[inbox()]).await.unwrap();
        assert_eq!(watch.next().await.unwrap(), Ok(WatchEvent::Ready));
        dovecot.deliver("ann@example.org", &message("one")).unwrap();
        assert_eq!(next_change(&mut watch).await, inbox());
    }
}

/// The next collection that is told; Dovecot lists a folder anew when it first gets mail.
async fn next_change(watch: &mut BoxStream<'static, Result<WatchEvent, Error>>) -> CollectionId {
    loop {
        match watch.next().await.unwrap().unwrap() {
            WatchEvent::Changed(collection) => return collection,
            WatchEvent::Hierarchy => {}
            WatchEvent::Ready => panic!("ready twice"),
        }
    }
}

#[tokio::test]
async fn watches_of_one_user_share_a_connection_and_each_is_told_its_own() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let mailbox = open(&system, "ann").await;
    let sent = CollectionId::from("Sent");
    let mut first = mailbox.watch(&[inbox()]).await.unwrap();
    let mut second = mailbox.watch(std::slice::from_ref(&sent)).await.unwrap();
    for watch in [&mut first, &mut second] {
        assert_eq!(watch.next().await.unwrap(), Ok(WatchEvent::Ready));
    }
    mailbox.deliver(&sent, &message("one")).await.unwrap();
    assert_eq!(next_change(&mut second).await, sent);
    mailbox.deliver(&inbox(), &message("two")).await.unwrap();
    // The first change the first watch is told is its own.
    assert_eq!(next_change(&mut first).await, inbox());
    // One for both watches, one for the deliveries.
    let logins = dovecot.log().matches("Login: user=<ann").count();
    assert_eq!(logins, 2, "{}", dovecot.log());
}

#[tokio::test]
async fn mail_is_not_lost_while_the_submission_server_is_down() {
    let dovecot = Dovecot::start(users(&["ann", "bob"])).unwrap();
    let mut postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, Some(&postfix))).unwrap();
    let mailbox = open(&system, "ann").await;
    let submission = submission(ONCE);
    postfix.kill();
    let error = mailbox.submit(&submission).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    postfix.restart().unwrap();
    let again = Submission { uncertain: true, ..submission };
    let first = mailbox.submit(&again).await.unwrap();
    // The answer was lost: asked again, it does not go out again.
    assert_eq!(mailbox.submit(&again).await.unwrap().message_id, first.message_id);
    let sent = mailbox.collections().await.unwrap();
    let sent = sent.into_iter().find(|it| it.role == Some(Role::Sent)).unwrap().id;
    let copies = mailbox.list(&sent, &ItemFilter::default()).await.unwrap().items.len();
    assert_eq!(copies, 1);
}

#[tokio::test]
async fn what_follows_a_message_that_is_out_is_done_without_sending_it() {
    let dovecot = Dovecot::start(users(&["ann", "bob"])).unwrap();
    let mut postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, Some(&postfix))).unwrap();
    let mailbox = open(&system, "ann").await;
    postfix.kill();
    let drafts = CollectionId::from("Drafts");
    let draft = mailbox.deliver(&drafts, &message("draft")).await.unwrap();
    let submission =
        Submission { taken: true, draft: Some((drafts.clone(), draft)), ..submission(ONCE) };
    for _ in 0..2 {
        let done = mailbox.submit(&submission).await.unwrap();
        assert_eq!((done.warnings, done.unfinished), (Vec::<String>::new(), false));
    }
    let count = async |folder: &CollectionId| {
        mailbox.list(folder, &ItemFilter::default()).await.unwrap().items.len()
    };
    assert_eq!((count(&CollectionId::from("Sent")).await, count(&drafts).await), (1, 0));
}

#[tokio::test]
async fn a_message_too_large_is_refused_before_it_is_sent() {
    let dovecot = Dovecot::start(users(&["ann", "bob"])).unwrap();
    let options = PostfixOptions { message_size_limit: 20_000, ..PostfixOptions::default() };
    let postfix = Postfix::start(&dovecot, &options).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, Some(&postfix))).unwrap();
    let mailbox = open(&system, "ann").await;
    let text = "x".repeat(30_000);
    let submission = submission(&format!("To: bob@example.org\r\nSubject: big\r\n\r\n{text}\r\n"));
    let error = mailbox.submit(&submission).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::MessageTooLarge, "{error}");
}

#[tokio::test]
async fn a_folder_made_anew_makes_old_tokens_invalid() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let mailbox = open(&system, "ann").await;
    let other = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let other = open(&other, "ann").await;
    let folder = mailbox.create_collection(None, "Twice", Class::Mail).await.unwrap();
    mailbox.deliver(&folder, &message("one")).await.unwrap();
    let token = mailbox.list(&folder, &ItemFilter::default()).await.unwrap().token;
    other.delete_collection(&folder).await.unwrap();
    // UIDVALIDITY counts seconds: the new folder must be of another.
    let begin = Instant::now();
    loop {
        other.create_collection(None, "Twice", Class::Mail).await.unwrap();
        match mailbox.changes(&folder, &token).await {
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::InvalidToken, "{error}");
                break;
            }
            Ok(_) => other.delete_collection(&folder).await.unwrap(),
        }
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
    let changed = mailbox.changed(&[(folder.clone(), token)]).await.unwrap();
    assert_eq!(changed, std::slice::from_ref(&folder));
    assert!(mailbox.list(&folder, &ItemFilter::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_folder_that_was_never_used_needs_no_beginning_anew() {
    for capabilities in [Capabilities::All, Capabilities::Condstore, Capabilities::Basic] {
        let dovecot = Dovecot::start(DovecotOptions { capabilities, ..users(&["ann"]) }).unwrap();
        let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
        let mailbox = open(&system, "ann").await;
        let other = ImapMailSystem::new(config(&dovecot, None)).unwrap();
        let other = open(&other, "ann").await;
        let folder = mailbox.create_collection(None, "Fresh", Class::Mail).await.unwrap();
        let before = mailbox.list(&folder, &ItemFilter::default()).await.unwrap();
        let validity = |token: &ChangeToken| token.0.split(':').nth(1).unwrap().to_owned();
        // UIDVALIDITY counts seconds: the folder must be of another.
        let after = loop {
            other.delete_collection(&folder).await.unwrap();
            other.create_collection(None, "Fresh", Class::Mail).await.unwrap();
            other.deliver(&folder, &message("first")).await.unwrap();
            let listing = mailbox.list(&folder, &ItemFilter::default()).await.unwrap();
            if validity(&listing.token) != validity(&before.token) {
                break listing;
            }
        };
        let changes = mailbox.changes(&folder, &before.token).await.unwrap();
        let came: Vec<_> = changes.upserted.iter().map(|state| state.id.clone()).collect();
        assert_eq!(came, after.items.iter().collect::<Vec<_>>(), "{capabilities:?}");
        assert_eq!(changes.token, after.token);
        let next = mailbox.changes(&folder, &changes.token).await.unwrap();
        assert!(next.upserted.is_empty() && next.removed.is_empty());
    }
}

#[tokio::test]
async fn a_user_has_no_more_sessions_than_allowed() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let pool = PoolConfig { per_user: 2, ..PoolConfig::default() };
    let config = ImapConfig { pool, ..config(&dovecot, None) };
    let system = ImapMailSystem::new(config).unwrap();
    let calls = (0..20).map(|_| {
        let system = system.clone();
        tokio::spawn(async move {
            let mailbox = open(&system, "ann").await;
            mailbox.list(&inbox(), &ItemFilter::default()).await.map(|listing| listing.token)
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let logins = dovecot.log().matches("Login: user=<ann").count();
    assert!(logins <= 2, "{logins} logins\n{}", dovecot.log());
}

/// A server that says what it is told to, line by line, after each command.
async fn fake(script: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = std::sync::Arc::new(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let script = script.clone();
            tokio::spawn(async move { serve(stream, &*script).await });
        }
    });
    port
}

async fn serve(stream: TcpStream, script: &(dyn Fn(&str) -> Vec<u8> + Send + Sync)) {
    let (reader, mut writer) = stream.into_split();
    let greeting = b"* OK [CAPABILITY IMAP4rev1 LITERAL+ NAMESPACE UNSELECT] ready\r\n";
    let _ = writer.write_all(greeting).await;
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        let said = match command.split(' ').next().unwrap_or_default() {
            "LOGIN" | "AUTHENTICATE" => {
                b"* CAPABILITY IMAP4rev1 LITERAL+ NAMESPACE UNSELECT\r\n".to_vec()
            }
            "NAMESPACE" => b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n".to_vec(),
            _ => script(command),
        };
        let end = match said.ends_with(b"!") {
            // The command is left without an end.
            true => Vec::new(),
            false => format!("{tag} OK done\r\n").into_bytes(),
        };
        let said = said.strip_suffix(b"!").unwrap_or(&said);
        if writer.write_all(said).await.is_err() || writer.write_all(&end).await.is_err() {
            return;
        }
    }
}

async fn kind_of_failure(port: u16) -> ErrorKind {
    let timeouts = TimeoutConfig {
        connect: Span(Duration::from_secs(2)),
        silence: Span(Duration::from_millis(300)),
    };
    let config = ImapConfig { server: plain(port), timeouts, ..ImapConfig::default() };
    let system = ImapMailSystem::new(config).unwrap();
    let ascii = dme_mailbox::Account {
        credentials: dme_mailbox::Credentials::Password(dme_model::Secret::new("x")),
        ..account("ann")
    };
    let mailbox = system.open(&ascii, &context()).await.unwrap();
    mailbox.collections().await.unwrap_err().kind
}

#[tokio::test]
async fn nonsense_from_a_server_fails_the_call_and_no_more() {
    let endless = || {
        let mut junk = vec![b'x'; 20 << 20];
        junk.push(b'!');
        junk
    };
    let cases: Vec<(&str, Vec<u8>, ErrorKind)> = vec![
        ("garbage", b"\x00\xff\xfe what?\r\n".to_vec(), ErrorKind::Protocol),
        ("a huge literal", b"* LIST () \"/\" {999999999999}\r\n!".to_vec(), ErrorKind::Protocol),
        ("an endless line", endless(), ErrorKind::Protocol),
        ("silence", b"!".to_vec(), ErrorKind::Timeout),
        ("good-bye", b"* BYE going down\r\n!".to_vec(), ErrorKind::Unavailable),
        ("another's answer", b"A999 OK done\r\n!".to_vec(), ErrorKind::Protocol),
        ("half an answer", b"* LIST (\\Noselect\r\n".to_vec(), ErrorKind::Protocol),
        (
            "a deep list",
            [b"* LIST ".as_slice(), &[b'('; 5000], b"\r\n"].concat(),
            ErrorKind::Protocol,
        ),
    ];
    for (name, said, kind) in cases {
        let port = fake(move |_| said.clone()).await;
        assert_eq!(kind_of_failure(port).await, kind, "{name}");
    }
}

/// A server that answers each command with the same lines for ever, and how many bytes of them
/// it could get rid of.
async fn flooding(line: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let flooded = Arc::new(AtomicUsize::new(0));
    let count = flooded.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let count = count.clone();
            tokio::spawn(async move {
                let (reader, mut writer) = stream.into_split();
                let greeting = b"* OK [CAPABILITY IMAP4rev1 LITERAL+ NAMESPACE UNSELECT] ready\r\n";
                let _ = writer.write_all(greeting).await;
                let mut lines = BufReader::new(reader).lines();
                while let Ok(Some(said)) = lines.next_line().await {
                    let (tag, command) = said.split_once(' ').unwrap_or((&said, ""));
                    let quiet = ["AUTHENTICATE", "LOGIN", "NAMESPACE", "NOOP", "SELECT", "STATUS"];
                    let word = command.split(' ').next().unwrap_or_default();
                    if quiet.contains(&word) && !line.contains(word) {
                        let told = match word {
                            "AUTHENTICATE" | "LOGIN" => {
                                "* CAPABILITY IMAP4rev1 LITERAL+ NAMESPACE UNSELECT\r\n"
                            }
                            "STATUS" => {
                                "* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1 UNSEEN 0)\r\n"
                            }
                            "SELECT" => "* OK [UIDVALIDITY 1] it is\r\n",
                            _ => "",
                        };
                        let _ = writer.write_all(format!("{told}{tag} OK\r\n").as_bytes()).await;
                        continue;
                    }
                    let lines = line.repeat(1000);
                    while writer.write_all(lines.as_bytes()).await.is_ok() {
                        count.fetch_add(lines.len(), Ordering::Relaxed);
                    }
                    return;
                }
            });
        }
    });
    (port, flooded)
}

#[tokio::test]
async fn a_server_that_goes_on_telling_for_ever_is_given_up() {
    let fetches = "* 7 FETCH (UID 7 FLAGS (\\Seen a b c d e f g) BODY[] {5}\r\nhello)\r\n";
    for line in [
        "* LIST (\\HasNoChildren) \"/\" \"Another folder\"\r\n",
        "* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1 UNSEEN 0)\r\n",
        "* 12 EXISTS\r\n",
        "* OK still at it\r\n",
        fetches,
    ] {
        let (port, flooded) = flooding(line).await;
        let config = ImapConfig { server: plain(port), ..ImapConfig::default() };
        let system = ImapMailSystem::new(config).unwrap();
        let mailbox = open(&system, "ann").await;
        let error = match line {
            _ if line.contains("STATUS") => {
                mailbox.list(&inbox(), &ItemFilter::default()).await.unwrap_err()
            }
            _ if line == fetches => {
                let asked: Vec<ItemId> = ["1", "2"].map(ItemId::from).into();
                let stream = mailbox.fetch(&inbox(), &asked, &BodyView::default()).await;
                stream.unwrap().try_collect::<Vec<_>>().await.unwrap_err()
            }
            _ => mailbox.collections().await.unwrap_err(),
        };
        assert_eq!(error.kind, ErrorKind::Protocol, "{line}: {error}");
        assert!(error.to_string().contains("told more than"), "{line}: {error}");
        // What lies in the sockets' buffers comes on top.
        let flooded = flooded.load(Ordering::Relaxed);
        assert!(flooded < 48 << 20, "{line}: {flooded} bytes were read");
    }
}

#[tokio::test]
async fn a_server_that_hangs_at_once_or_hangs_up_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    assert_eq!(kind_of_failure(port).await, ErrorKind::Timeout);
    silent.abort();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"* BYE too busy\r\n").await;
            let _ = stream.shutdown().await;
            let _ = stream.read(&mut [0; 100]).await;
        }
    });
    let kind = kind_of_failure(port).await;
    assert!(matches!(kind, ErrorKind::Unavailable), "{kind:?}");
}

#[tokio::test]
async fn the_callers_deadline_ends_the_call() {
    let port = fake(|_| b"!".to_vec()).await;
    let config = ImapConfig { server: plain(port), ..ImapConfig::default() };
    let system = ImapMailSystem::new(config).unwrap();
    let context = CallContext::new(RequestId::from("test"), Duration::from_millis(300));
    let mailbox = system.open(&account("ann"), &context).await.unwrap();
    let begin = Instant::now();
    let error = mailbox.collections().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
}
