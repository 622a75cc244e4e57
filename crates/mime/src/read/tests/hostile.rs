//! Messages that are damaged, or made to be slow to read.

use super::*;
use crate::sample::{SampleMail, Sizes, mailbox};
use dme_model::{Address, ConversationId};
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

#[test]
fn only_nothing_and_too_much_are_refused() {
    let read = |raw: Bytes| read(raw, Envelope::default(), &view(&[]), |_, _| None).map(|_| ());
    assert_eq!(read(Bytes::new()), Err(Error::Empty));
    for raw in
        ["\r\n", "\n", "x", ":", "\0", "--", "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n"]
    {
        assert_eq!(read(Bytes::from(raw)), Ok(()), "{raw:?}");
    }
}

fn every_view() -> [BodyView; 3] {
    let part = |kind| Some(BodyPreference { preview: Some(100), ..want(kind, Some(1000)) });
    let all = |kind| BodyView {
        preferences: vec![BodyPreference { preview: Some(200), ..want(kind, Some(500)) }],
        mime: MimeSupport::Always,
        part_preference: part(kind),
    };
    [all(BodyKind::Plain), all(BodyKind::Html), all(BodyKind::Mime)]
}

#[test]
fn hostile_messages_are_read_in_bounded_time() {
    let nested = |kind: &str, depth: usize| {
        (0..depth)
            .map(|n| format!("Content-Type: multipart/{kind}; boundary=b{n}\r\n\r\n--b{n}\r\n"))
            .collect::<String>()
    };
    let cases = [
        ("multiparts in each other", nested("mixed", 20_000)),
        ("alternatives in each other", nested("alternative", 20_000)),
        ("messages in each other", "Content-Type: message/rfc822\r\n\r\n".repeat(50_000)),
        ("100,000 fields", "X-Spam: some value of a field\r\n".repeat(100_000) + "\r\ntext"),
        ("100,000 recipients", format!("To: {}\r\n\r\n", "a@b, ".repeat(100_000))),
        ("one long field", format!("Subject: {}\r\n\r\n", "x".repeat(4_000_000))),
        ("one long folded field", format!("Subject:{}\r\n\r\n", " x\r\n".repeat(1_000_000))),
        (
            "open encoded words",
            format!("Subject: {}\r\nFrom: {0}\r\n\r\n", "=?utf-8?q?".repeat(300_000)),
        ),
        ("encoded words", format!("Subject: {}\r\n\r\n", "=?utf-8?q?a?= ".repeat(300_000))),
        ("brackets and quotes", format!("From: {}\r\n\r\n", "<\"(".repeat(300_000))),
        (
            "comments in comments",
            format!("To: {}\r\nContent-Type: {0}\r\n\r\n", "(".repeat(500_000)),
        ),
        ("parameters", format!("Content-Type: text/plain{}\r\n\r\n", "; a*0=b".repeat(300_000))),
        ("references", format!("References: {}\r\n\r\n", "<a@b> ".repeat(300_000))),
        (
            "100,000 parts",
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\n\r\nx\r\n".repeat(100_000)
            ),
        ),
        (
            "100,000 dashes",
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--c\r\n".repeat(500_000)
            ),
        ),
        (
            "boundaries never seen",
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\n".repeat(20_000)
            ),
        ),
        (
            "bad base64",
            format!("Content-Transfer-Encoding: base64\r\n\r\n{}", "=!A".repeat(1_000_000)),
        ),
        (
            "bad quoted-printable",
            format!(
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n{}",
                "= = ".repeat(1_000_000)
            ),
        ),
        ("HTML tags", format!("Content-Type: text/html\r\n\r\n{}", "<div><table>".repeat(300_000))),
        (
            "calendar",
            format!(
                "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n{}",
                "BEGIN:VEVENT\r\n".repeat(30_000)
            ),
        ),
        ("no lines", "x".repeat(5_000_000)),
    ];
    for (name, raw) in cases {
        let raw = Bytes::from(raw);
        let size = raw.len();
        let start = Instant::now();
        for view in every_view() {
            let mail = read(raw.clone(), Envelope::default(), &view, meeting).unwrap();
            assert!(mail.attachments.len() <= 1000, "{name}");
            assert!(mail.to.len() <= 30_000, "{name}");
        }
        crate::conversation_of(&raw);
        crate::search_text(&raw);
        let seconds = start.elapsed().as_secs_f64();
        println!("{name}: {size} bytes, {seconds:.3} s");
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {seconds} s for {size} bytes");
    }
}

static SAMPLES: LazyLock<Vec<SampleMail>> = LazyLock::new(|| {
    let owner = Address { name: None, email: "ann@example.com".into() };
    mailbox(&owner, 5, Timestamp::from_seconds(1_790_000_000), 24, Sizes::Realistic)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_damage_to_a_message_makes_reading_fail(
        which in 0usize..24,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 0..40),
    ) {
        let mut raw = SAMPLES[which].raw.to_vec();
        for (place, byte, how) in damage {
            if raw.is_empty() { break }
            let at = place.index(raw.len());
            match how {
                0 => raw[at] = byte,
                1 => { raw.remove(at); }
                2 => raw.insert(at, byte),
                _ => { let end = (at + usize::from(byte)).min(raw.len()); raw.drain(at..end); }
            }
        }
        let raw = Bytes::from(raw);
        for view in every_view() {
            let Ok(mail) = read(raw.clone(), Envelope::default(), &view, meeting) else {
                prop_assert!(raw.is_empty());
                continue;
            };
            for body in mail.body.iter().chain(&mail.body_part) {
                prop_assert!(body.data.len() as u64 <= body.full_size);
                prop_assert_eq!(body.truncated, (body.data.len() as u64) < body.full_size);
                prop_assert!(std::str::from_utf8(&body.data).is_ok() && !body.data.contains(&0));
            }
            for attachment in &mail.attachments {
                let part = crate::part(&raw, &attachment.part, None);
                prop_assert!(part.is_ok(), "{:?}", attachment);
            }
            prop_assert!(mail.preview.unwrap_or_default().chars().count() <= 200);
        }
        let _: Option<ConversationId> = crate::conversation_of(&raw);
    }
}
