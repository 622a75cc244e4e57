//! The kinds of sample mail, each in the shape its client would give it.

use super::{
    chance::Chance,
    files,
    words::{CHINESE, CHINESE_SUBJECTS, PEOPLE, SUBJECTS, paragraphs},
};
use crate::{
    compose::{
        NewAttachment,
        assemble::{Content, Piece},
        write,
    },
    html,
};
use dme_model::{Address, Timestamp};
use std::ops::RangeInclusive;

/// For whom, when, and the how-manieth from the newest.
pub(super) struct Scene<'a> {
    pub(super) owner: &'a Address,
    pub(super) received: Timestamp,
    pub(super) number: usize,
}

type Kind = fn(&Scene<'_>, usize, &mut Chance) -> Vec<u8>;

/// Every kind there is; the second argument is how much text it should have.
const ALL: [Kind; KINDS] = [
    newsletter,
    plain_flowed,
    outlook_with_picture,
    answer,
    with_pdf,
    chinese,
    invitation,
    with_document,
    raw_utf8,
    mailing_list,
    signed,
    non_delivery,
];

pub(super) const KINDS: usize = 12;

/// A mail as it comes: one of each kind first, then by chance, newsletters most often.
pub(super) fn realistic(scene: &Scene<'_>, chance: &mut Chance) -> Vec<u8> {
    let length = 400 + chance.below(3000) as usize;
    let kind = match scene.number {
        number if number < KINDS => ALL[number],
        _ if chance.below(3) == 0 => newsletter,
        _ if chance.below(2) == 0 => answer,
        _ => chance.pick(&ALL),
    };
    kind(scene, length, chance)
}

/// A mail of text and HTML whose size is within the bounds.
pub(super) fn sized(
    scene: &Scene<'_>,
    bounds: &RangeInclusive<usize>,
    chance: &mut Chance,
) -> Vec<u8> {
    let spread = bounds.end().saturating_sub(*bounds.start()).max(1) as u64;
    let target = bounds.start() + chance.below(spread) as usize;
    let kind = if chance.below(4) == 0 { raw_utf8 } else { newsletter };
    let mut length = target / 3;
    let mut mail = kind(scene, length, chance);
    // Each try comes closer; the last paragraph decides.
    for _ in 0..12 {
        if bounds.contains(&mail.len()) {
            break;
        }
        length = (length * target / mail.len().max(1)).clamp(100, target);
        mail = kind(scene, length, chance);
    }
    mail
}

fn person(chance: &mut Chance) -> Address {
    let (name, email) = chance.pick(&PEOPLE);
    Address { name: Some(name.into()), email: email.into() }
}

/// The fields every mail has.
struct Head {
    from: Address,
    subject: String,
    id: String,
}

impl Head {
    fn new(scene: &Scene<'_>, subject: &str, chance: &mut Chance) -> Self {
        Self::from(scene, person(chance), subject, chance)
    }

    fn from(scene: &Scene<'_>, from: Address, subject: &str, chance: &mut Chance) -> Self {
        let seed = format!("{} {}", scene.number, chance.next());
        Self { id: write::new_message_id(&seed, &from.email), from, subject: subject.into() }
    }

    fn write(&self, scene: &Scene<'_>, out: &mut Vec<u8>) {
        let received = "from mx.example.net (mx.example.net [192.0.2.25]) by mail.example.com \
                        (Postfix) with ESMTPS id 4F7B21C0A3";
        write::raw_field("Return-Path", &format!("<{}>", self.from.email), out);
        write::raw_field("Received", received, out);
        write::date_field(scene.received.as_seconds() - 3, out);
        write::address_field("From", std::slice::from_ref(&self.from), out);
        write::address_field("To", std::slice::from_ref(scene.owner), out);
        write::text_field("Subject", &self.subject, out);
        write::ids_field("Message-ID", std::slice::from_ref(&self.id), out);
    }
}

fn attached(name: &str, media_type: &str, data: Vec<u8>) -> NewAttachment {
    NewAttachment {
        name: name.into(),
        media_type: Some(media_type.into()),
        content_id: None,
        data: data.into(),
    }
}

/// Marked-up paragraphs as newsletter tools write them: tables, inline styles, links.
fn decorated(title: &str, paragraphs: &[String]) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\r\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>{0}</title>\r\n<style>body {{ margin: 0; font-family: Helvetica, Arial, sans-serif; }}\
         .box {{ padding: 16px 24px; }}</style></head>\r\n<body>\r\n<table width=\"100%\" \
         cellpadding=\"0\" cellspacing=\"0\"><tr><td class=\"box\" style=\"background:#0b5394;\
         color:#ffffff\"><h1>{0}</h1></td></tr>\r\n",
        html::escape(title)
    );
    for (number, text) in paragraphs.iter().enumerate() {
        out.push_str(&format!(
            "<tr><td class=\"box\" style=\"font-size:15px;line-height:22px;color:#333333\">\
             <p>{}</p>\r\n<a href=\"https://news.example.com/read?article={number}&amp;mail=1\" \
             style=\"color:#0b5394\">Read more</a></td></tr>\r\n",
            html::escape(text)
        ));
    }
    out.push_str("</table>\r\n</body></html>\r\n");
    out
}

fn newsletter(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let from =
        Address { name: Some("The Weekly Letter".into()), email: "letter@news.example.com".into() };
    let subject = format!("This week: {}", chance.pick(&SUBJECTS));
    let head = Head::from(scene, from, &subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    write::raw_field("List-Unsubscribe", "<https://news.example.com/unsubscribe?u=1>", &mut out);
    write::raw_field("Precedence", "bulk", &mut out);
    let text = paragraphs(length, chance);
    let content = Content {
        plain: Some(text.join("\r\n\r\n")),
        html: Some(decorated(&subject, &text)),
        ..Content::default()
    };
    content.write(&head.id, &mut out);
    out
}

/// Thunderbird's plain text, broken for the way and joined again by who reads it (RFC 3676).
fn plain_flowed(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = chance.pick(&SUBJECTS);
    let head = Head::new(scene, subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    write::raw_field("User-Agent", "Mozilla Thunderbird", &mut out);
    write::raw_field("MIME-Version", "1.0", &mut out);
    write::raw_field("Content-Type", "text/plain; charset=UTF-8; format=flowed", &mut out);
    write::raw_field("Content-Transfer-Encoding", "8bit", &mut out);
    out.extend_from_slice(b"\r\n");
    for text in paragraphs(length, chance) {
        let mut column = 0;
        for word in text.split(' ') {
            if column + word.len() > 70 {
                out.extend_from_slice(b"\r\n");
                column = 0;
            }
            out.extend_from_slice(word.as_bytes());
            out.push(b' ');
            column += word.len() + 1;
        }
        out.pop();
        out.extend_from_slice(b"\r\n\r\n");
    }
    out.extend_from_slice(b"-- \r\nSent from a desk\r\n");
    out
}

fn outlook_with_picture(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = chance.pick(&SUBJECTS);
    let head = Head::new(scene, subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    write::raw_field("X-Mailer", "Microsoft Outlook 16.0", &mut out);
    write::raw_field("Importance", "high", &mut out);
    let text = paragraphs(length, chance);
    let mut html = String::from(
        "<html><head><style>p.MsoNormal {margin:0cm;font-size:11.0pt;font-family:\"Calibri\"}\
         </style></head><body lang=DE><div class=WordSection1>",
    );
    for one in &text {
        html.push_str(&format!("<p class=MsoNormal>{}</p>\r\n", html::escape(one)));
    }
    html.push_str("<p class=MsoNormal><img src=\"cid:image001.png@01DC\" alt=\"Logo\"></p>");
    html.push_str("</div></body></html>");
    let picture = NewAttachment {
        content_id: Some("image001.png@01DC".into()),
        ..attached("image001.png", "image/png", files::png(64, chance))
    };
    let content = Content {
        plain: Some(text.join("\r\n\r\n")),
        html: Some(html),
        inline: vec![Piece::New(&picture)],
        ..Content::default()
    };
    content.write(&head.id, &mut out);
    out
}

/// An answer within a thread, with the answered text below as Gmail quotes it.
fn answer(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    // Few subjects make few threads: many answers share one.
    let topic = scene.number % SUBJECTS.len();
    let subject = format!("{} {}", chance.pick(&["Re:", "AW:", "RE:", "SV:"]), SUBJECTS[topic]);
    let head = Head::new(scene, &subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    let first = format!("thread-{topic}@example.com");
    let ids: Vec<String> = std::iter::once(first)
        .chain((0..chance.below(3)).map(|level| format!("thread-{topic}-{level}@example.com")))
        .collect();
    write::ids_field("References", &ids, &mut out);
    write::ids_field("In-Reply-To", &ids[ids.len() - 1..], &mut out);
    let own = paragraphs(length / 2, chance).join("\r\n\r\n");
    let quoted = paragraphs(length / 2, chance).join("\r\n");
    let mut html = String::from("<html><body>");
    html::push_text(&own, &mut html);
    html.push_str(
        "<br><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Monday you wrote:</div>\
         <blockquote class=\"gmail_quote\" style=\"border-left:1px solid #ccc\">",
    );
    html::push_text(&quoted, &mut html);
    html.push_str("</blockquote></div></body></html>");
    let below: String = quoted.lines().map(|line| format!("> {line}\r\n")).collect();
    let content = Content {
        plain: Some(format!("{own}\r\n\r\nOn Monday you wrote:\r\n{below}")),
        html: Some(html),
        ..Content::default()
    };
    content.write(&head.id, &mut out);
    out
}

fn with_pdf(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = chance.pick(&SUBJECTS);
    let head = Head::new(scene, subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    let lines = paragraphs(2000, chance);
    let file = attached("Überblick 2026.pdf", "application/pdf", files::pdf(&lines));
    let photo = attached("IMG_2041.png", "image/png", files::png(180, chance));
    let content = Content {
        plain: Some(paragraphs(length, chance).join("\r\n\r\n")),
        attachments: vec![Piece::New(&file), Piece::New(&photo)],
        ..Content::default()
    };
    content.write(&head.id, &mut out);
    out
}

fn with_document(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = chance.pick(&SUBJECTS);
    let head = Head::new(scene, subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    let file = attached(
        "第三季度 – Entwurf (überarbeitet) – for the meeting on the second floor.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        files::docx(&paragraphs(4000, chance)),
    );
    let text = paragraphs(length, chance);
    let content = Content {
        plain: Some(text.join("\r\n\r\n")),
        html: Some(html::from_text(&text.join("\r\n\r\n"))),
        attachments: vec![Piece::New(&file)],
        ..Content::default()
    };
    content.write(&head.id, &mut out);
    out
}

/// In UTF-8 as webmail sends it, base64 throughout.
fn chinese(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let from = Address { name: Some("王小明".into()), email: "wang.xiaoming@example.cn".into() };
    let subject = chance.pick(&CHINESE_SUBJECTS);
    let head = Head::from(scene, from, subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    let mut text = String::new();
    while text.len() < length {
        text.push_str(chance.pick(&CHINESE));
        text.push_str("\r\n\r\n");
    }
    let content =
        Content { html: Some(html::from_text(&text)), plain: Some(text), ..Content::default() };
    content.write(&head.id, &mut out);
    out
}

fn invitation(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = chance.pick(&SUBJECTS);
    let head = Head::new(scene, subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    write::raw_field("MIME-Version", "1.0", &mut out);
    let boundary = format!("=_c{}", write::digits(&[head.id.as_bytes()]));
    let parameters = [("boundary", boundary.as_str())];
    write::parameter_field("Content-Type", "multipart/alternative", &parameters, &mut out);
    let text = paragraphs(length, chance).join("\r\n\r\n");
    out.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
    write::text_part("plain", &text, &mut out);
    out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
    write::text_part("html", &html::from_text(&text), &mut out);
    let day = mail_parser::DateTime::from_timestamp(scene.received.as_seconds() + 3 * 86_400);
    let date = format!("{:04}{:02}{:02}", day.year, day.month, day.day);
    let hour = 8 + chance.below(9);
    out.extend_from_slice(
        format!(
            "--{boundary}\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\
             Content-Transfer-Encoding: 8bit\r\n\r\n\
             BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//sample//EN\r\nMETHOD:REQUEST\r\n\
             BEGIN:VEVENT\r\nUID:{id}\r\nDTSTAMP:{date}T070000Z\r\n\
             DTSTART;TZID=Europe/Berlin:{date}T{hour:02}0000\r\n\
             DTEND;TZID=Europe/Berlin:{date}T{hour:02}4500\r\nSUMMARY:{subject}\r\n\
             LOCATION:Room 2.17\\, second floor\r\nORGANIZER;CN=\"{name}\":mailto:{from}\r\n\
             ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:{to}\r\n\
             BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:soon\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n--{boundary}--\r\n",
            id = head.id,
            name = head.from.name.as_deref().unwrap_or_default().replace('"', ""),
            from = head.from.email,
            to = scene.owner.email,
        )
        .as_bytes(),
    );
    out
}

/// Headers in UTF-8 as they are (RFC 6532), HTML alone, eight bits.
fn raw_utf8(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = chance.pick(&SUBJECTS);
    let head = Head::new(scene, subject, chance);
    let mut out = Vec::new();
    let name = head.from.name.as_deref().unwrap_or_default();
    write::raw_field("From", &format!("\"{name}\" <{}>", head.from.email), &mut out);
    write::raw_field("To", &scene.owner.email, &mut out);
    write::raw_field("Subject", subject, &mut out);
    write::date_field(scene.received.as_seconds() - 2, &mut out);
    write::ids_field("Message-ID", std::slice::from_ref(&head.id), &mut out);
    write::raw_field("MIME-Version", "1.0", &mut out);
    write::raw_field("Content-Type", "text/html; charset=utf-8", &mut out);
    write::raw_field("Content-Transfer-Encoding", "8bit", &mut out);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(decorated(subject, &paragraphs(length, chance)).as_bytes());
    out
}

/// Through a list: subject tagged, a footer added as a second part.
fn mailing_list(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = format!("[branch-admins] {}", chance.pick(&SUBJECTS));
    let head = Head::new(scene, &subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    write::raw_field("List-Id", "<branch-admins.lists.example.com>", &mut out);
    write::raw_field("Sender", "branch-admins-bounces@lists.example.com", &mut out);
    write::raw_field("MIME-Version", "1.0", &mut out);
    write::raw_field("Content-Type", "multipart/mixed; boundary=\"===============42==\"", &mut out);
    out.extend_from_slice(b"\r\n--===============42==\r\n");
    write::text_part("plain", &paragraphs(length, chance).join("\r\n\r\n"), &mut out);
    out.extend_from_slice(
        b"--===============42==\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\
          MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\nContent-Disposition: inline\r\n\r\n\
          _______________________________________________\r\nbranch-admins mailing list\r\n\
          branch-admins@lists.example.com\r\n\r\n--===============42==--\r\n",
    );
    out
}

/// Signed with S/MIME; the signature has the right shape and no meaning.
fn signed(scene: &Scene<'_>, length: usize, chance: &mut Chance) -> Vec<u8> {
    let subject = chance.pick(&SUBJECTS);
    let head = Head::new(scene, subject, chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    out.extend_from_slice(
        b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg=sha-256;\r\n\
          \tprotocol=\"application/pkcs7-signature\"; boundary=\"=_signed\"\r\n\r\n\
          This is an S/MIME signed message\r\n\r\n--=_signed\r\n",
    );
    write::text_part("plain", &paragraphs(length, chance).join("\r\n\r\n"), &mut out);
    out.extend_from_slice(
        b"\r\n--=_signed\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
          Content-Transfer-Encoding: base64\r\n\
          Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n",
    );
    for _ in 0..20 {
        let line: Vec<u8> = (0..76).map(|_| chance.pick(b"ABCDEFGHabcdefgh01234567")).collect();
        out.extend_from_slice(&line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n--=_signed--\r\n");
    out
}

/// Postfix says that it could not deliver (RFC 3464).
fn non_delivery(scene: &Scene<'_>, _: usize, chance: &mut Chance) -> Vec<u8> {
    let from = Address {
        name: Some("Mail Delivery System".into()),
        email: "MAILER-DAEMON@example.com".into(),
    };
    let head = Head::from(scene, from, "Undelivered Mail Returned to Sender", chance);
    let mut out = Vec::new();
    head.write(scene, &mut out);
    out.extend_from_slice(
        format!(
            "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"=_report\"\r\n\
             \r\nThis is a MIME-encapsulated message.\r\n\r\n--=_report\r\n\
             Content-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             I'm sorry to have to inform you that your message could not be delivered.\r\n\r\n\
             <nobody@example.org>: host mx.example.org said: 550 5.1.1 unknown user\r\n\r\n\
             --=_report\r\nContent-Description: Delivery report\r\n\
             Content-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mail.example.com\r\n\r\n\
             Final-Recipient: rfc822; nobody@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
             --=_report\r\nContent-Description: Undelivered Message\r\n\
             Content-Type: message/rfc822\r\n\r\n\
             From: {owner}\r\nTo: nobody@example.org\r\nSubject: {subject}\r\n\
             Message-ID: <lost-{number}@example.com>\r\n\r\nHello?\r\n\r\n--=_report--\r\n",
            owner = scene.owner.email,
            subject = "Are you there",
            number = scene.number,
        )
        .as_bytes(),
    );
    out
}
