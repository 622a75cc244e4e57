//! Mails about meetings (RFC 6047): a text for people, the same as calendar data for programs, and
//! that as a file for those who only see attachments.

use super::assemble::multipart;
use super::write;
use crate::html;
use bytes::Bytes;
use dme_model::{Address, Timestamp};
use mail_builder::encoders::base64::Base64Encoder;

/// What a mail about a meeting says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeetingMail {
    /// From whom.
    pub from: Address,
    /// To whom.
    pub to: Vec<Address>,
    /// What about.
    pub subject: String,
    /// What it says to people, plain.
    pub text: String,
    /// `METHOD` of the calendar data, upper case.
    pub method: &'static str,
    /// The calendar data, in UTF-8; its lines may end as they like.
    pub calendar: Vec<u8>,
    /// When.
    pub now: Timestamp,
    /// Makes its `Message-ID`: the same seed, the same id.
    pub seed: String,
}

/// The message. Line breaks and control characters in names and subject become spaces.
pub fn meeting(mail: &MeetingMail) -> Bytes {
    let mut out = Vec::with_capacity(mail.calendar.len() * 3 + mail.text.len() * 3 + 2048);
    write::address_field("From", std::slice::from_ref(&mail.from), &mut out);
    write::address_field("To", &mail.to, &mut out);
    write::text_field("Subject", &mail.subject, &mut out);
    write::date_field(mail.now.as_seconds(), &mut out);
    let id = write::new_message_id(&mail.seed, &mail.from.email);
    write::ids_field("Message-ID", std::slice::from_ref(&id), &mut out);
    write::raw_field("MIME-Version", "1.0", &mut out);
    let seed = write::digits(&[b"meeting", id.as_bytes()]);
    // As RFC 5545 §3.1 wants it.
    let calendar = write::crlf(&mail.calendar);
    multipart("mixed", &format!("=_m{seed}"), &mut out, |boundary, out| {
        boundary(out);
        multipart("alternative", &format!("=_a{seed}"), out, |boundary, out| {
            boundary(out);
            write::text_part("plain", &mail.text, out);
            boundary(out);
            write::text_part("html", &html::from_text(&mail.text), out);
            boundary(out);
            let method = [("method", mail.method), ("charset", "utf-8")];
            write::parameter_field("Content-Type", "text/calendar", &method, out);
            base64(&calendar, out);
        });
        boundary(out);
        // Not `text/calendar`: it would be a second invitation to some programs.
        let name = [("name", "invite.ics")];
        write::parameter_field("Content-Type", "application/ics", &name, out);
        let name = [("filename", "invite.ics")];
        write::parameter_field("Content-Disposition", "attachment", &name, out);
        base64(&calendar, out);
    });
    out.into()
}

fn base64(content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
    Base64Encoder::new().wrap_lines().encode_into(content, out);
    write::end_line(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Envelope, read};
    use dme_model::{BodyKind, BodyPreference, BodyView, Invitation, MailKind};

    #[test]
    fn a_meeting_mail_is_read_as_an_invitation() {
        let address = |email: &str| Address { name: None, email: email.into() };
        let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\n\
             DTSTART:20261126T150000Z\r\nORGANIZER:mailto:ann@x.example\r\n\
             ATTENDEE;RSVP=TRUE:mailto:bob@x.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let raw = meeting(&MeetingMail {
            from: address("ann@x.example"),
            to: vec![address("bob@x.example"), address("cem@x.example")],
            subject: "Züge\r\nBcc: x@x".into(),
            text: "Please come.".into(),
            method: "REQUEST",
            calendar: calendar.into(),
            now: Timestamp::from_seconds(1_795_453_200),
            seed: "act".into(),
        });
        assert!(raw.is_ascii());
        let preference = BodyPreference {
            kind: BodyKind::Plain,
            truncation: None,
            all_or_none: false,
            preview: None,
        };
        let view = BodyView { preferences: vec![preference], ..BodyView::default() };
        let asked = |text: &str, method: Option<&str>| {
            let whole =
                text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n");
            (whole && method == Some("REQUEST")).then(Invitation::default)
        };
        let mail = read(raw, Envelope::default(), &view, asked).unwrap();
        assert_eq!((mail.subject.as_str(), mail.to.len()), ("Züge  Bcc: x@x", 2));
        assert_eq!(&mail.body.unwrap().data[..], b"Please come.");
        assert!(matches!(mail.kind, MailKind::Meeting(_)), "{:?}", mail.kind);
        assert_eq!(mail.attachments.len(), 1);
        assert_eq!(mail.attachments[0].name, "invite.ics");
    }
}
