//! Mails that we write ourselves: the quarantine notice, the demo's new mail.

use super::{assemble::Content, write};
use crate::html;
use bytes::Bytes;
use dme_model::{Address, Timestamp};

/// What a notice says. The text is plain, paragraphs parted by an empty line; it is sent as plain
/// text and as HTML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// From whom.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// What about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// When.
    pub now: Timestamp,
    /// Makes its `Message-ID`: the same seed, the same id.
    pub seed: String,
}

/// The message. Line breaks and control characters in names and subject become spaces.
pub fn notice(notice: &Notice) -> Bytes {
    let mut out = Vec::with_capacity(notice.text.len() * 3 + 1024);
    write::address_field("From", std::slice::from_ref(&notice.from), &mut out);
    write::address_field("To", std::slice::from_ref(&notice.to), &mut out);
    write::text_field("Subject", &notice.subject, &mut out);
    write::date_field(notice.now.as_seconds(), &mut out);
    let id = write::new_message_id(&notice.seed, &notice.from.email);
    write::ids_field("Message-ID", std::slice::from_ref(&id), &mut out);
    // So that no absence notice answers it (RFC 3834 §5).
    write::raw_field("Auto-Submitted", "auto-generated", &mut out);
    let content = Content {
        plain: Some(notice.text.clone()),
        html: Some(html::from_text(&notice.text)),
        ..Content::default()
    };
    content.write(&id, &mut out);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Envelope, read};
    use dme_model::{BodyKind, BodyPreference, BodyView};

    #[test]
    fn a_notice_is_read_as_it_was_told() {
        let address =
            |name: &str, email: &str| Address { name: Some(name.into()), email: email.into() };
        let raw = notice(&Notice {
            from: address("DME", "dme@x.example"),
            to: address("Jörg", "j@x.example"),
            subject: "Ihr Gerät wartet auf Freigabe\r\nBcc: x@x".into(),
            text: "Guten Tag,\n\n<Ihr> Gerät & mehr.".into(),
            now: Timestamp::from_seconds(1_795_453_200),
            seed: "device".into(),
        });
        for (kind, text) in [
            (BodyKind::Plain, "Guten Tag,\r\n\r\n<Ihr> Gerät & mehr."),
            (BodyKind::Html, "Guten Tag,<br>\r\n<br>\r\n&lt;Ihr&gt; Gerät &amp; mehr."),
        ] {
            let preference =
                BodyPreference { kind, truncation: None, all_or_none: false, preview: None };
            let view = BodyView { preferences: vec![preference], ..BodyView::default() };
            let mail = read(raw.clone(), Envelope::default(), &view, |_, _| None).unwrap();
            assert_eq!(mail.subject, "Ihr Gerät wartet auf Freigabe  Bcc: x@x");
            assert_eq!(
                (mail.from[0].email.as_str(), mail.to.len(), mail.bcc.len()),
                ("dme@x.example", 1, 0)
            );
            let body = mail.body.unwrap();
            let body = std::str::from_utf8(&body.data).unwrap();
            assert!(body.contains(text), "{body}");
        }
        assert!(raw.is_ascii());
    }
}
