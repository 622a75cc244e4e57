//! Any bytes are read as a message, in every form, with every part; and can be answered, forwarded,
//! kept as a draft and sent.

#![no_main]

use bytes::Bytes;
use dme_mime::{
    Envelope,
    compose::{DraftChange, Finish, Verb, draft, finish, reply},
    part, read, search_text,
};
use dme_model::{Address, BodyKind, BodyPreference, BodyView, MimeSupport, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let raw = Bytes::copy_from_slice(data);
    for kind in [BodyKind::Plain, BodyKind::Html, BodyKind::Mime] {
        let preference = BodyPreference {
            kind,
            truncation: Some(500),
            all_or_none: false,
            preview: Some(100),
        };
        let view = BodyView {
            preferences: vec![preference],
            mime: MimeSupport::Always,
            part_preference: Some(preference),
        };
        let Ok(mail) = read(raw.clone(), Envelope::default(), &view, dme_pim::invitation) else { return };
        for body in mail.body.iter().chain(&mail.body_part) {
            assert!(std::str::from_utf8(&body.data).is_ok() && !body.data.contains(&0));
            assert_eq!(body.truncated, (body.data.len() as u64) < body.full_size);
        }
        for attachment in &mail.attachments {
            part(&raw, &attachment.part, None).expect("a part that was listed");
        }
    }
    search_text(&raw);

    let new = Bytes::from_static(b"To: ann@example.com\r\nSubject: Re\r\n\r\nyes\r\n");
    let mut written = Vec::new();
    for verb in [Verb::Reply, Verb::Forward] {
        written.extend(reply(&raw, &new, verb, false));
        written.extend(reply(&new, &raw, verb, false));
    }
    let from = Address { name: None, email: "bob@example.com".into() };
    let now = Timestamp::from_seconds(1_790_000_000);
    let drafted = draft(Some(&raw), &DraftChange::default(), now, "seed");
    written.extend(drafted.map(|drafted| drafted.message));
    for message in written {
        read(message, Envelope::default(), &BodyView::default(), dme_pim::invitation).expect("what we wrote");
    }
    if let Ok(done) = finish(&raw, &Finish { from, now, seed: "seed".into() }) {
        assert!(!done.recipients.is_empty());
        let bad = |one: &String| one.bytes().any(|b| b <= b' ' || b == b'<' || b == b'>');
        assert!(!done.recipients.iter().any(bad) && !bad(&done.from));
    }
});
