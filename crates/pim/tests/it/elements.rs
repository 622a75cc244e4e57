//! The column of properties in `docs/elements.md` against the code: of each property that a row names
//! there is an object that tells a phone the element by it, and tells it otherwise without it; and of
//! what a phone writes in an element an object is made that has one of them.

use crate::phone::{told, views};
use crate::world::*;
use dme_eas::calendar::Context;
use dme_eas::{ProtocolVersion, Writing, item};
use dme_model::*;
use dme_pim::{calendar, contact};
use dme_wbxml::pages::{air_sync_base as base, calendar as events};
use dme_wbxml::{Element, Tag};
use dme_zone::Zone;
use std::collections::BTreeSet;

/// A row: the element, whether what a phone writes in it is taken, and its properties.
struct Row {
    name: String,
    is_told: bool,
    is_written: bool,
    properties: Vec<String>,
}

fn rows() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/elements.md");
    let document = std::fs::read_to_string(path).unwrap();
    let mut rows = vec![];
    for line in document.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", name, told, written, _, properties, _, ""] = cells.as_slice() else { continue };
        let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else {
            continue;
        };
        // What is between two marks is a name.
        let properties = properties.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        rows.push(Row {
            name: name.to_owned(),
            is_told: *told != "no",
            is_written: *written == "yes",
            properties,
        });
    }
    assert!(rows.len() > 150, "the document is there");
    rows
}

fn of_kind(kind: &str, lines: &[&str]) -> String {
    let zone = [
        "BEGIN:VTIMEZONE",
        "TZID:Ours",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0500",
        "END:STANDARD",
        "END:VTIMEZONE",
    ];
    let begin = [format!("BEGIN:{kind}"), "UID:u@x".into(), "DTSTAMP:20260101T000000Z".into()];
    let end = [format!("END:{kind}"), "END:VCALENDAR".into()];
    let mut all = vec!["BEGIN:VCALENDAR".to_owned(), "VERSION:2.0".into()];
    all.extend(zone.map(str::to_owned));
    all.extend(begin);
    all.extend(lines.iter().map(|line| (*line).to_owned()));
    all.extend(end);
    all.join("\r\n") + "\r\n"
}

/// Calendar objects that together have every property that the document names.
fn calendars() -> Vec<String> {
    let event = |lines: &[&str]| of_kind("VEVENT", lines);
    let task = |lines: &[&str]| of_kind("VTODO", lines);
    let mut all = vec![
        event(&[
            "DTSTART;TZID=Ours:20261201T090000",
            "DTEND;TZID=Ours:20261201T100000",
            "SUMMARY:Tea",
            "DESCRIPTION:a",
            "LOCATION:Room 1",
            "GEO:48.5;11.5",
            "X-DME-PLACE:Room 1;note;street;city;state;country;postal;1;2;3;urn:x",
            "CATEGORIES:A",
            "CLASS:PRIVATE",
            "TRANSP:TRANSPARENT",
            "STATUS:CANCELLED",
            "ORGANIZER;CN=Ann:mailto:ann@x.example",
            "ATTENDEE;CN=Bo;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE;\
             X-DME-PROPOSAL=20261201T120000Z/20261201T130000Z:mailto:bo@x.example",
            "ATTENDEE;CUTYPE=RESOURCE:mailto:room@x.example",
            "ATTACH;FMTTYPE=text/plain;FILENAME=a.txt;ENCODING=BASE64;VALUE=BINARY:YWI=",
            "X-MICROSOFT-DISALLOW-COUNTER:TRUE",
            "X-MICROSOFT-ONLINEMEETINGCONFLINK:https://in.example",
            "CONFERENCE;VALUE=URI:https://out.example",
            "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=9",
            "EXDATE;TZID=Ours:20261203T090000",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT15M",
            "END:VALARM",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "UID:u@x",
            "RECURRENCE-ID;TZID=Ours:20261205T090000",
            "DTSTART;TZID=Ours:20261205T110000",
            "DTEND;TZID=Ours:20261205T120000",
            "SUMMARY:Coffee",
        ]),
        event(&["DTSTART;VALUE=DATE:20261201", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"]),
        event(&[
            "DTSTART:20261201T090000Z",
            "DURATION:PT1H",
            "ORGANIZER:mailto:bo@x.example",
            "ATTENDEE;PARTSTAT=TENTATIVE:mailto:ann@x.example",
            "X-DME-REPLIED:20261101T000000Z",
            "DESCRIPTION:a",
            "X-ALT-DESC;FMTTYPE=text/html:<b>a</b>",
        ]),
        task(&[
            "DTSTART;TZID=Ours:20261201T090000",
            "DUE;TZID=Ours:20261202T090000",
            "SUMMARY:Tea",
            "CATEGORIES:A",
            "CLASS:PRIVATE",
            "PRIORITY:1",
            "STATUS:COMPLETED",
            "COMPLETED:20261101T000000Z",
            "X-DME-ORDINAL:20261101T000000Z",
            "X-DME-SUB-ORDINAL:5",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER;VALUE=DATE-TIME:20261130T090000Z",
            "END:VALARM",
        ]),
        task(&["SUMMARY:Tea", "STATUS:COMPLETED"]),
        task(&[
            "DTSTART:20261201T090000Z",
            "DURATION:PT1H",
            "X-DME-REGENERATE:TRUE",
            "X-DME-DEAD-OCCURRENCE:TRUE",
            "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=9",
        ]),
        of_kind(
            "VJOURNAL",
            &["SUMMARY:Tea", "CATEGORIES:A", "LAST-MODIFIED:20261101T000000Z", "DESCRIPTION:a"],
        ),
    ];
    // 2026-12-01 is a Tuesday.
    for other in ["EXRULE:FREQ=DAILY;INTERVAL=4", "RDATE:20261203T090000Z"] {
        all.push(event(&["DTSTART:20261201T090000Z", "RRULE:FREQ=WEEKLY;COUNT=9", other]));
    }
    for rule in [
        "FREQ=WEEKLY;UNTIL=20261231T090000Z;INTERVAL=2;BYDAY=TU,TH;WKST=SU",
        "FREQ=MONTHLY;BYMONTHDAY=8;COUNT=3",
        "FREQ=MONTHLY;BYDAY=2TU",
        "FREQ=MONTHLY;BYDAY=TU,WE;BYSETPOS=-1",
        "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1",
    ] {
        let lines = ["DTSTART:20261201T090000Z".to_owned(), format!("RRULE:{rule}")];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        all.extend([event(&lines), task(&lines)]);
    }
    all
}

fn cards() -> Vec<String> {
    let card = |lines: &[&str]| {
        let lines = lines.join("\r\n");
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\n{lines}\r\nEND:VCARD\r\n")
    };
    vec![
        card(&[
            "FN:Dr. Ann Mid Bell Jr.",
            "N:Bell;Ann;Mid;Dr.;Jr.",
            "X-EVOLUTION-FILE-AS:Bell\\, Ann",
            "ORG:Corp;Sales",
            "TITLE:Head",
            "NICKNAME:Annie",
            "BDAY:1980-02-29",
            "ANNIVERSARY:2001-01-31",
            "CATEGORIES:A",
            "RELATED;TYPE=child;VALUE=text:Cy",
            "RELATED;TYPE=spouse;VALUE=text:Bo",
            "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ",
            "EMAIL:1@x.example",
            "EMAIL:2@x.example",
            "EMAIL:3@x.example",
            "IMPP:xmpp:1@x.example",
            "IMPP:xmpp:2@x.example",
            "IMPP:xmpp:3@x.example",
            "URL:https://x.example",
            "ADR;TYPE=work:;office;street;city;state;code;country",
            "ADR;TYPE=home:;;street;city;state;code;country",
            "ADR;TYPE=other:;;street;city;state;code;country",
            "TEL;TYPE=work:1",
            "TEL;TYPE=work:2",
            "TEL;TYPE=work,fax:3",
            "TEL;TYPE=home:4",
            "TEL;TYPE=home:5",
            "TEL;TYPE=home,fax:6",
            "TEL;TYPE=cell:7",
            "TEL;TYPE=car:8",
            "TEL;TYPE=pager:9",
            "TEL;TYPE=X-EVOLUTION-RADIO:10",
            "TEL;TYPE=X-EVOLUTION-ASSISTANT:11",
            "TEL;TYPE=X-EVOLUTION-COMPANY:12",
            "TEL;TYPE=X-DME-MMS:13",
            "X-ASSISTANT:Di",
            "X-MANAGER:Ed",
            "X-PHONETIC-FIRST-NAME:an",
            "X-PHONETIC-LAST-NAME:bel",
            "X-PHONETIC-ORG:korp",
            "X-DME-CUSTOMER-ID:14",
            "X-DME-GOVERNMENT-ID:15",
            "X-DME-ACCOUNT-NAME:16",
            "X-DME-WEIGHTED-RANK:17",
            "X-DME-ALIAS:18",
            "NOTE:a",
        ]),
        card(&["FN:Ann", "X-ANNIVERSARY:2001-01-31", "X-SPOUSE:Bo", "X-CHILD:Cy"]),
        card(&["FN:Ann", "X-FILE-AS:Bell", "X-MS-CHILD:Cy"]),
    ]
}

/// Every way in which phones are told an object; nothing where it cannot be read.
fn tellings(object: &str) -> Vec<Vec<Element>> {
    let mut all = vec![];
    for view in views() {
        let item = match object.starts_with("BEGIN:VCARD") {
            true => contact::read(object.as_bytes(), &view).map(Box::new).map(Item::Contact),
            false => {
                calendar::read(object.as_bytes(), &owner(), &ZoneId::from("Europe/Berlin"), &view)
            }
        };
        if let Ok(item) = item {
            all.extend(ProtocolVersion::ALL.map(|version| told(&item, version)));
        }
    }
    all
}

fn name(tag: Tag) -> String {
    format!("{}:{}", tag.page_name().unwrap(), tag.name().unwrap())
}

fn find<'a>(elements: &'a [Element], tag: &str, found: &mut Vec<&'a Element>) {
    for element in elements {
        if name(element.tag) == tag {
            found.push(element);
        }
        find(element.children(), tag, found);
    }
}

/// An object without a property, a parameter, a part of a rule or a component: whichever has the
/// name. None where it has none. What follows the name must be there: `TEL;TYPE=work`.
fn without(object: &str, property: &str) -> Option<String> {
    let at = property.find([';', ':']).unwrap_or(property.len());
    let (head, more) = (&property[..at], property[at..].trim_matches([';', ':']));
    let lines: Vec<&str> = object.split("\r\n").collect();
    let is_named = |line: &&str| {
        line.split([';', ':']).next() == Some(head) && line[head.len()..].contains(more)
    };
    if lines.iter().any(is_named) {
        let left: Vec<&str> = lines.iter().copied().filter(|line| !is_named(line)).collect();
        return Some(left.join("\r\n"));
    }
    if let Some((before, rest)) = object.split_once(&format!("BEGIN:{head}\r\n")) {
        let (_, after) = rest.split_once(&format!("END:{head}\r\n"))?;
        return Some(format!("{before}{after}"));
    }
    let part = format!("{head}=");
    let mut is_there = false;
    let left: Vec<String> = lines
        .iter()
        .map(|line| {
            let Some(at) = line.find(&part).filter(|at| line[..*at].ends_with([';', ':'])) else {
                return (*line).to_owned();
            };
            is_there = true;
            let end = line[at..].find([';', ':']).map_or(line.len(), |length| at + length);
            format!("{}{}", line[..at].trim_end_matches(';'), &line[end..])
        })
        .collect();
    is_there.then(|| left.join("\r\n"))
}

#[test]
fn each_property_that_the_document_names_tells_its_element() {
    let objects: Vec<_> = calendars().into_iter().chain(cards()).collect();
    let tellings: Vec<(String, _)> =
        objects.into_iter().map(|object| (object.clone(), self::tellings(&object))).collect();
    let mut wrong = vec![];
    let all_rows = rows();
    for row in all_rows.iter().filter(|row| row.is_told) {
        let page = row.name.split(':').next().unwrap();
        for property in &row.properties {
            // Another element of the table.
            let is_other = all_rows.iter().any(|other| other.name == format!("{page}:{property}"));
            let tells = |(object, all): &(String, Vec<Vec<Element>>)| {
                let Some(less) = without(object, property) else { return false };
                let of = |all: &[Vec<Element>]| -> Vec<Vec<Element>> {
                    let one = |data: &Vec<Element>| {
                        let mut found = vec![];
                        find(data, &row.name, &mut found);
                        found.into_iter().cloned().collect()
                    };
                    all.iter().map(one).collect()
                };
                let there = of(all);
                there.iter().any(|found| !found.is_empty()) && there != of(&self::tellings(&less))
            };
            if !is_other && !tellings.iter().any(tells) {
                wrong.push(format!("{}: {property}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "no such object tells the element:\n{}", wrong.join("\n"));
}

/// What phones write of new items, and the objects that are made of that.
fn made() -> Vec<(Vec<Element>, String)> {
    let mut made = vec![];
    for object in calendars().into_iter().chain(cards()) {
        let class = match &object {
            card if card.starts_with("BEGIN:VCARD") => Class::Contacts,
            object if object.contains("BEGIN:VTODO") => Class::Tasks,
            object if object.contains("BEGIN:VJOURNAL") => Class::Notes,
            _ => Class::Calendar,
        };
        for mut data in self::tellings(&object) {
            if class == Class::Calendar {
                data.retain(|element| element.tag != base::ATTACHMENTS);
                data.push(Element::text(events::CLIENT_UID, "c1"));
                data.push(added_file());
            }
            for version in [ProtocolVersion::V14_1, ProtocolVersion::V16_1] {
                let context = Context { home: &Zone::utc(), now: NOW };
                let patch =
                    item::patch_from_elements(class, &data, version, Writing::Add, &context);
                let Ok(Some(patch)) = patch else { continue };
                let object = match &patch {
                    ItemPatch::Contact(patch) => {
                        contact::apply(None, patch, "key", NOW).map(|applied| applied.object)
                    }
                    patch => {
                        let edit = ItemEdit::Patch(patch.clone());
                        let applied = calendar::apply(None, &edit, &writing("key"));
                        applied.map(|applied| applied.object)
                    }
                };
                made.push((data.clone(), String::from_utf8(object.unwrap()).unwrap()));
            }
        }
    }
    made
}

fn added_file() -> Element {
    let parts = [
        (base::CLIENT_ID, "1"),
        (base::CONTENT, "AAAA"),
        (base::DISPLAY_NAME, "a.txt"),
        (base::CONTENT_TYPE, "text/plain"),
    ];
    let parts = parts.map(|(tag, text)| Element::text(tag, text)).to_vec();
    Element::parent(base::ATTACHMENTS, vec![Element::parent(base::ADD, parts)])
}

#[test]
fn what_a_phone_writes_in_an_element_is_kept_in_a_property_that_the_document_names() {
    let made = made();
    let mut missing = BTreeSet::new();
    // By these files are taken off, of which no new event has any.
    let of_files = ["AirSyncBase:Delete", "AirSyncBase:FileReference"];
    let all = rows();
    for row in all.iter().filter(|row| row.is_written && !of_files.contains(&&*row.name)) {
        let page = row.name.split(':').next().unwrap();
        let is_other = |one: &String| all.iter().any(|o| o.name == format!("{page}:{one}"));
        let mut names = row.properties.iter().filter(|one| !is_other(one)).peekable();
        if names.peek().is_none() {
            continue;
        }
        let is_in = |object: &str, property: &String| {
            let head = property.split([';', ':']).next().unwrap();
            object.replace("\r\n ", "").contains(head)
        };
        let names: Vec<&String> = names.collect();
        let kept = made.iter().any(|(data, object)| {
            let mut found = vec![];
            find(data, &row.name, &mut found);
            !found.is_empty() && names.iter().any(|name| is_in(object, name))
        });
        if !kept {
            missing.insert(row.name.clone());
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
