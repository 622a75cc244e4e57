//! Files that an event does not hold itself, and how phones are told of those that it does.

use crate::phone::{told, written};
use crate::world::*;
use dme_eas::ProtocolVersion;
use dme_model::*;
use dme_pim::{Error, calendar};
use dme_wbxml::pages::{air_sync_base as base, calendar as page};
use dme_wbxml::{Element, Tag};

/// An event with these lines beside its begin.
fn with(lines: &[&str]) -> String {
    let begin = ["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z", "SUMMARY:Plan"];
    object(&[&begin[..], lines].concat())
}

fn content(object: &str, file: &Attachment) -> (String, String) {
    let content = calendar::attachment(object.as_bytes(), &file.part).unwrap();
    assert_eq!(content.data.len() as u64, file.size, "{}", file.name);
    (content.media_type, String::from_utf8(content.data).unwrap())
}

#[test]
fn a_file_that_is_kept_elsewhere_is_a_page_that_links_there() {
    for (line, name) in [
        ("ATTACH;FMTTYPE=application/pdf:https://x.example/menu%20de.pdf", "menu de.pdf.html"),
        // One that the calendar server manages (RFC 8607).
        (
            "ATTACH;MANAGED-ID=97S;FMTTYPE=application/pdf;SIZE=59102;FILENAME=plan.pdf:\
             https://cal.example/attach/97S",
            "plan.pdf.html",
        ),
        (
            "ATTACH;FILENAME=\"Notes, all\":https://drive.example/d/1i9Z/view?usp=web",
            "Notes, all.html",
        ),
        ("ATTACH;FILENAME=/Plans/2027.md:https://cloud.example/f/4711", "2027.md.html"),
        ("ATTACH;X-LABEL=dot.gif:http://x.example/1", "dot.gif.html"),
        ("ATTACH:https://x.example/start.html", "start.html"),
        ("ATTACH:https://me@x.example:8443/", "x.example:8443.html"),
        ("ATTACH:https://x.example/..%2F..%2Fetc", "etc.html"),
    ] {
        let text = with(&[line]);
        let files = event(&text).attachments;
        assert_eq!(files.len(), 1, "{line}");
        assert_eq!((files[0].name.as_str(), &*files[0].media_type), (name, "text/html"), "{line}");
        let (media_type, page) = content(&text, &files[0]);
        assert_eq!(media_type, "text/html");
        let address = &line[line.find(":http").unwrap() + 1..];
        let link = format!("<a href=\"{address}\">{address}</a>");
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains(&link), "{line}: {page}");
    }
}

#[test]
fn nothing_that_a_link_says_is_more_than_text_and_address_in_its_page() {
    let line = "ATTACH;FILENAME=\"<img src=x>\":https://x.example/\"onclick='b()'?c&d=<e>";
    let text = with(&[line]);
    let (_, page) = content(&text, &event(&text).attachments[0]);
    assert_eq!(page.matches("<img").count() + page.matches("<e>").count(), 0, "{page}");
    let link = "href=\"https://x.example/&quot;onclick='b()'?c&amp;d=&lt;e&gt;\"";
    assert!(page.contains(link), "{page}");
}

#[test]
fn what_no_phone_gets_to_is_not_told_and_stays() {
    let lines = [
        "ATTACH:CID:part3@x.example",
        "ATTACH;FILENAME=/notes.md:/f/4711",
        "ATTACH:file:///home/ann/plan.pdf",
        "ATTACH:javascript:alert(1)",
        "ATTACH:\\\\server\\share\\plan.pdf",
    ];
    let text = with(&lines);
    assert_eq!(event(&text).attachments, []);
    let file = NewAttachment {
        name: "a.txt".into(),
        media_type: "text/plain".into(),
        content_id: None,
        data: bytes::Bytes::from_static(b"content"),
    };
    let attach = patch(EventField::Attachments, |event| event.attach = vec![file]);
    let with_file = apply(&text, &attach);
    let listed = event(&with_file).attachments;
    let [file] = listed.as_slice() else { panic!("{with_file}") };
    let detach = patch(EventField::Attachments, |event| event.detach = vec![file.part.clone()]);
    let after = apply(&with_file, &detach);
    assert_eq!(told_difference(&text, &after), Vec::<String>::new());
    // Nor is it given to who knows what it is called, which a file of the same letters is too.
    let same = with(&["ATTACH;ENCODING=BASE64;VALUE=BINARY:/f/4711"]);
    let guessed = event(&same).attachments[0].part.clone();
    let given = calendar::attachment(text.as_bytes(), &guessed);
    assert!(matches!(given, Err(Error::NoSuchPart(_))), "{given:?}");
}

#[test]
fn a_file_within_an_address_is_the_file() {
    let text = with(&["ATTACH;X-LABEL=a.txt:data:text/plain;base64,aGVsbG8h"]);
    let files = event(&text).attachments;
    assert_eq!((files[0].name.as_str(), &*files[0].media_type), ("a.txt", "text/plain"));
    assert_eq!(files[0].content_location, None, "it is nowhere else");
    let content = calendar::attachment(text.as_bytes(), &files[0].part).unwrap();
    assert_eq!((content.media_type.as_str(), &*content.data), ("text/plain", &b"hello!"[..]));
    // What names no type is none.
    for named in ["text/plain^nX", "text", "\"a b/c\"", "\"/\""] {
        let text = with(&[&format!("ATTACH;FMTTYPE={named};ENCODING=BASE64;VALUE=BINARY:YWI=")]);
        assert_eq!(event(&text).attachments[0].media_type, "application/octet-stream", "{named}");
    }
}

/// What a phone is told of files: names by their references.
fn files_told(data: &[Element]) -> Vec<(String, String)> {
    let said = |element: &Element, tag: Tag| {
        element.children().iter().find(|one| one.tag == tag).unwrap().as_text().unwrap().to_owned()
    };
    let files = data.iter().filter(|one| one.tag == base::ATTACHMENTS);
    let files = files.flat_map(Element::children);
    files.map(|one| (said(one, base::DISPLAY_NAME), said(one, base::FILE_REFERENCE))).collect()
}

#[test]
fn a_link_outlives_what_a_phone_changes_and_goes_when_the_phone_takes_it_off() {
    let link = "ATTACH;MANAGED-ID=97S;FMTTYPE=application/pdf;FILENAME=plan.pdf;SIZE=59102:\
                https://cal.example/attach/97S";
    let series = with(&[link, "RRULE:FREQ=WEEKLY;COUNT=5"]);
    let change = |text: &str, data: &[Element]| {
        let item = Item::Event(Box::new(event(text)));
        apply(text, &ItemEdit::Patch(written(data, &item, ProtocolVersion::V16_1)))
    };
    let files =
        |text: &str| files_told(&told(&Item::Event(Box::new(event(text))), ProtocolVersion::V16_1));
    let listed = files(&series);
    let [(name, reference)] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!(name, "plan.pdf.html");
    // Another title, of the series and of one instance, twice.
    let titled = change(&series, &[Element::text(page::SUBJECT, "Plans")]);
    assert_eq!(told_difference(&series, &titled), ["-SUMMARY:Plan", "+SUMMARY:Plans"]);
    let second = ItemEdit::Instance {
        original: at("2026-12-08T09:00:00").as_utc(),
        patch: Box::new(EventPatch::of(
            [EventField::Title],
            Event { title: "Other".into(), ..Event::default() },
        )),
    };
    let twice = apply(apply(&titled, &second), &second);
    let unfolded = twice.replace("\r\n ", "");
    assert_eq!(unfolded.matches(link).count(), 2, "one of the series, one of the instance");
    assert_eq!(files(&twice).len(), 1);
    // Taken off.
    let off = Element::text(base::FILE_REFERENCE, reference.as_str());
    let off = Element::parent(base::DELETE, vec![off]);
    let after = change(&titled, &[Element::parent(base::ATTACHMENTS, vec![off])]);
    assert_eq!(told_difference(&titled, &after), [format!("-{link}")]);
}
