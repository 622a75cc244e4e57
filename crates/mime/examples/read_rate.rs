//! How many messages a second one core reads: `cargo run --release -p dme-mime --example read_rate`.
#![expect(clippy::print_stdout, reason = "it is here to print")]

use dme_mime::{
    Envelope,
    sample::{Sizes, mailbox},
};
use dme_model::{Address, BodyKind, BodyPreference, BodyView, Invitation, MimeSupport, Timestamp};
use std::time::{Duration, Instant};

fn view(kind: BodyKind, truncation: Option<u64>, preview: Option<u16>) -> BodyView {
    BodyView {
        preferences: vec![BodyPreference { kind, truncation, all_or_none: false, preview }],
        mime: if kind == BodyKind::Mime { MimeSupport::Always } else { MimeSupport::Never },
        part_preference: None,
    }
}

/// Reading calendars is another's work.
fn meeting(_: &str, _: Option<&str>) -> Option<Invitation> {
    Some(Invitation::default())
}

fn main() {
    let owner = Address { name: None, email: "ann@example.com".into() };
    let now = Timestamp::from_seconds(1_790_000_000);
    let mails = mailbox(&owner, 1, now, 500, Sizes::Within(28_000..=32_000));
    let views = [
        ("no body", BodyView::default()),
        ("HTML, 4 KB", view(BodyKind::Html, Some(4096), None)),
        ("HTML, 4 KB, preview", view(BodyKind::Html, Some(4096), Some(200))),
        ("plain, 4 KB", view(BodyKind::Plain, Some(4096), None)),
        ("MIME, whole", view(BodyKind::Mime, None, None)),
    ];
    for (name, view) in views {
        let start = Instant::now();
        let mut read = 0u32;
        while start.elapsed() < Duration::from_secs(1) {
            for mail in &mails {
                let mail = dme_mime::read(mail.raw.clone(), Envelope::default(), &view, meeting);
                std::hint::black_box(mail.is_ok());
                read += 1;
            }
        }
        let each = start.elapsed() / read;
        println!("{name:22} {:>8.0} messages/s, {each:?} each", 1.0 / each.as_secs_f64());
    }
}
