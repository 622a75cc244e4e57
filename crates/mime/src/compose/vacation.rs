//! What an out-of-office answer says, as the content of a message.

use super::{assemble::Content, write};
use crate::html::{Links, to_text};
use dme_model::VacationText;

/// The fields that describe the content, an empty line and the content: plain text as it is, HTML
/// with the same as plain text beside it. Seven-bit, lines of at most 76 characters, ended by CRLF;
/// the same text gives the same bytes.
pub fn vacation(text: &VacationText) -> String {
    let content = match text {
        VacationText::Plain(text) => Content { plain: Some(text.clone()), ..Content::default() },
        VacationText::Html(html) => Content {
            plain: Some(to_text(html, Links::Shown, usize::MAX)),
            html: Some(html.clone()),
            ..Content::default()
        },
    };
    let mut out = Vec::with_capacity(text.as_str().len() * 3 + 512);
    content.write(&write::digits(&[text.as_str().as_bytes()]), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Envelope, read};
    use dme_model::{BodyKind, BodyPreference, BodyView};

    fn body(content: &str, kind: BodyKind) -> String {
        let preference =
            BodyPreference { kind, truncation: None, all_or_none: false, preview: None };
        let view = BodyView { preferences: vec![preference], ..BodyView::default() };
        let mail =
            read(content.as_bytes().to_vec().into(), Envelope::default(), &view, |_, _| None)
                .unwrap();
        String::from_utf8(mail.body.unwrap().data.to_vec()).unwrap()
    }

    #[test]
    fn html_goes_out_with_plain_text_beside_it_and_plain_text_alone() {
        let html = vacation(&VacationText::Html("<p>Weg &amp; <b>krank</b> – ö</p>".into()));
        assert!(html.is_ascii());
        assert!(html.contains("multipart/alternative"), "{html}");
        assert!(body(&html, BodyKind::Html).contains("<b>krank</b> – ö"));
        assert_eq!(body(&html, BodyKind::Plain).trim(), "Weg & krank – ö");
        let plain = vacation(&VacationText::Plain("<b>not bold</b>\nö".into()));
        assert!(!plain.contains("html"), "{plain}");
        assert_eq!(body(&plain, BodyKind::Plain).trim_end(), "<b>not bold</b>\r\nö");
    }

    #[test]
    fn a_long_line_is_folded() {
        let text = vacation(&VacationText::Plain("x".repeat(5000)));
        assert!(text.lines().all(|line| line.len() <= 76));
    }
}
