//! Large messages are shown without being read whole.

use crate::world::{config, open, users};
use dme_imap::ImapMailSystem;
use dme_mailbox::{ByteRange, FetchOutcome, ItemFilter, Mailbox};
use dme_model::{
    BodyKind, BodyPreference, BodyView, CollectionId, Item, ItemId, Mail, MimeSupport,
};
use dme_testkit::dovecot::Dovecot;
use futures_util::TryStreamExt as _;

const LINES: usize = 60_000;

/// HTML beside its plain text, and 4.5 MB of attachment.
fn message() -> Vec<u8> {
    let line =
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n";
    format!(
        "From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nSubject: =?utf-8?q?Gro=C3=9F?=\r\n\
         Message-ID: <large@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"out er\"\r\n\r\n\
         --out er\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n\
         --inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße in plain text\r\n\
         --inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Grüße in HTML</p>\r\n\
         --inner--\r\n\
         --out er\r\nContent-Type: application/pdf; name=plan.pdf\r\n\
         Content-Disposition: attachment; filename=plan.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--out er--\r\n",
        line.repeat(LINES)
    )
    .into_bytes()
}

fn view(kind: BodyKind, truncation: Option<u64>) -> BodyView {
    let preference = BodyPreference { kind, truncation, all_or_none: false, preview: None };
    let mime = if kind == BodyKind::Mime { MimeSupport::Always } else { MimeSupport::Never };
    BodyView { preferences: vec![preference], mime, part_preference: None }
}

async fn fetch(mailbox: &dyn Mailbox, item: &ItemId, view: &BodyView) -> Mail {
    let inbox = CollectionId::from("INBOX");
    let stream = mailbox.fetch(&inbox, std::slice::from_ref(item), view).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    match fetched.into_iter().next().unwrap().outcome {
        FetchOutcome::Item(Item::Mail(mail)) => *mail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_large_mail_is_shown_right_without_its_attachment_being_read() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let raw = message();
    dovecot.deliver("ann@example.org", &raw).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let mailbox = open(&system, "ann").await;
    let inbox = CollectionId::from("INBOX");
    let listing = mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
    let item = listing.items.iter().next().unwrap();

    let html = fetch(&*mailbox, &item, &view(BodyKind::Html, Some(4096))).await;
    assert_eq!(html.subject, "Groß");
    assert!(html.size >= raw.len() as u64, "{}", html.size);
    let body = html.body.unwrap();
    assert!(String::from_utf8_lossy(&body.data).contains("Grüße in HTML"));
    assert!(!body.truncated);
    let attachment = html.attachments.first().unwrap();
    assert_eq!((attachment.name.as_str(), attachment.part.as_str()), ("plan.pdf", "2"));
    let whole = (LINES * 60) as u64;
    assert!(attachment.size.abs_diff(whole) < whole / 20, "{} of {whole}", attachment.size);

    let mime = fetch(&*mailbox, &item, &view(BodyKind::Mime, Some(10_000))).await;
    let body = mime.body.unwrap();
    assert_eq!((body.kind, body.data.len(), body.truncated), (BodyKind::Mime, 10_000, true));
    assert_eq!(body.full_size, mime.size);

    let all = fetch(&*mailbox, &item, &view(BodyKind::Mime, None)).await;
    let body = all.body.unwrap();
    assert!(!body.truncated && body.data.len() >= raw.len());

    let part = attachment.part.clone();
    let range = Some(ByteRange { start: 26, length: 10 });
    let content = mailbox.fetch_part(&inbox, &item, Some(&part), range).await.unwrap();
    assert_eq!((content.data.as_ref(), content.full_size), (b"abcdefghij".as_slice(), whole));
    assert_eq!(content.name.as_deref(), Some("plan.pdf"));
}

#[tokio::test]
async fn large_and_small_mails_come_in_the_order_asked() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let (small, large) = (b"Subject: small\r\n\r\nx\r\n".to_vec(), message());
    let mails = (0..40).map(|number| if number % 13 == 5 { &large } else { &small });
    dovecot.deliver_all("ann@example.org", mails.map(Vec::as_slice)).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let mailbox = open(&system, "ann").await;
    let inbox = CollectionId::from("INBOX");
    let listing = mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
    let mut items: Vec<_> = listing.items.iter().rev().collect();
    items.insert(3, ItemId::from("no such item"));
    let view = view(BodyKind::Html, Some(4096));
    let stream = mailbox.fetch(&inbox, &items, &view).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    let order: Vec<_> = fetched.iter().map(|fetched| fetched.id.clone()).collect();
    assert_eq!(order, items);
    assert_eq!(fetched[3].outcome, FetchOutcome::Gone);
    let attached = fetched.iter().filter(|fetched| {
        matches!(&fetched.outcome, FetchOutcome::Item(Item::Mail(mail)) if mail.attachments.len() == 1)
    });
    assert_eq!(attached.count(), 3);

    // Whole, where that is asked for: one after another, and the others in between as they are.
    let whole = self::view(BodyKind::Mime, None);
    let stream = mailbox.fetch(&inbox, &items, &whole).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    let order: Vec<_> = fetched.iter().map(|fetched| fetched.id.clone()).collect();
    assert_eq!(order, items);
    let sizes = fetched.iter().filter_map(|fetched| match &fetched.outcome {
        FetchOutcome::Item(Item::Mail(mail)) => mail.body.as_ref().map(|body| body.data.len()),
        _ => None,
    });
    let (large, small): (Vec<_>, Vec<_>) = sizes.partition(|size| *size >= message().len());
    assert_eq!((large.len(), small.len()), (3, 37));
}
