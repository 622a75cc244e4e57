use super::*;
use bytes::Bytes;

fn attachments(raw: &str) -> Vec<Attachment> {
    let message = Message::parse(Bytes::from(raw.to_owned())).unwrap();
    list(&message, &Layout::of(&message), &[])
}

/// A mixed message with one text and these parts.
fn mixed(parts: &[&str]) -> String {
    let mut raw =
        String::from("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n");
    for part in parts {
        raw.push_str(&format!("--b\r\n{part}\r\n"));
    }
    raw + "--b--\r\n"
}

#[test]
fn names_are_read_as_clients_write_them_and_made_up_where_missing() {
    for (header, name) in [
        ("Content-Type: application/pdf; name=a.pdf", "a.pdf"),
        (
            "Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=b.pdf",
            "b.pdf",
        ),
        // RFC 2231, in one piece and in several.
        (
            "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=UTF-8''%C3%9Cber.pdf",
            "Über.pdf",
        ),
        (
            "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=iso-8859-1''%DCber; filename*1=blick.pdf",
            "Überblick.pdf",
        ),
        // Encoded words where they do not belong: Outlook, MDaemon.
        ("Content-Type: application/pdf; name=\"=?utf-8?B?w5xiZXIucGRm?=\"", "Über.pdf"),
        ("Content-Type: application/pdf; name=\"=?iso-8859-1?Q?=DCber=2Epdf?=\"", "Über.pdf"),
        // Raw bytes.
        ("Content-Type: application/pdf; name=\"Über.pdf\"", "Über.pdf"),
        ("Content-Type: application/pdf; name=\"../../etc/passwd\"", "_.._etc_passwd"),
        ("Content-Type: application/pdf", "attachment-1.pdf"),
        ("Content-Type: image/jpeg", "image-1.jpg"),
        ("Content-Type: application/x-very-long-subtype", "attachment-1.bin"),
        ("Content-Type: application/ms-tnef; name=winmail.dat", "winmail.dat"),
        ("Content-Type: application/ms-tnef", "winmail.dat"),
        ("Content-Type: text/csv", "attachment-1.csv"),
        ("Content-Type: text/plain; name=notes.txt", "notes.txt"),
        ("Content-Type: text/html\r\nContent-Disposition: attachment", "attachment-1.html"),
        ("Content-Type: application/ics", "invite.ics"),
    ] {
        let all = attachments(&mixed(&[&format!("{header}\r\n\r\ndata")]));
        assert_eq!(all.len(), 1, "{header}");
        assert_eq!(all[0].name, name, "{header}");
        assert_eq!((all[0].size, all[0].part.as_str()), (4, "2"), "{header}");
    }
}

#[test]
fn an_attached_message_is_one_attachment_named_by_its_subject() {
    let nested = "Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\
                  Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n";
    let all = attachments(&mixed(&[nested]));
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].name, "Grüße.eml");
    assert_eq!(all[0].kind, AttachmentKind::Message);
    assert_eq!(all[0].media_type, "message/rfc822");
}

#[test]
fn long_names_keep_their_ending() {
    let name = format!("{}.docx", "ü".repeat(300));
    let short = file_name(&name);
    assert!(short.len() <= MAX_NAME && short.ends_with("ü.docx"), "{short}");
}

#[test]
fn a_picture_related_to_html_is_inline_and_whatever_else_is_a_file() {
    let related = |header: &str| {
        format!(
            "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
             <img src=cid:a@b>\r\n--b\r\n{header}\r\n\r\ndata\r\n--b--\r\n"
        )
    };
    for (header, inline) in [
        ("Content-Type: image/png\r\nContent-ID: <a@b>", true),
        ("Content-Type: image/png\r\nContent-ID: <a@b>\r\nContent-Disposition: inline", true),
        // Some clients ask for a file and show it all the same.
        ("Content-Type: image/png\r\nContent-ID: <a@b>\r\nContent-Disposition: attachment", true),
        // And some relate whatever is attached.
        (
            "Content-Type: application/pdf\r\nContent-ID: <a@b>\r\nContent-Disposition: attachment",
            false,
        ),
        ("Content-Type: image/png", false),
    ] {
        let all = attachments(&related(header));
        assert_eq!(all.len(), 1, "{header}");
        assert_eq!(all[0].inline, inline, "{header}");
    }
    // Gmail gives every attachment an id.
    let gmail = mixed(&[
        "Content-Type: image/png\r\nContent-ID: <f_1>\r\nContent-Disposition: attachment\r\n\r\nx",
    ]);
    assert!(!attachments(&gmail)[0].inline);
}

#[test]
fn sizes_are_those_of_the_decoded_content() {
    let part = "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n";
    assert_eq!(attachments(&mixed(&[part]))[0].size, 5);
}
