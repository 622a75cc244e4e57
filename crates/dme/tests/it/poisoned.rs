//! Items that nobody should have made, in a phone's folders (rule S5): the others come all the same,
//! in every version, and what comes later does too.

use crate::account::until;
use crate::my::{ANN, PASSWORD, World};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::folder_sync::FolderType;
use dme_model::{ContactText, Item};
use dme_phone::Phone;
use std::path::PathBuf;

/// One class: its folder on phones and on disk, a good item, and lines for bad ones.
struct Class {
    kind: FolderType,
    directory: &'static str,
    extension: &'static str,
    since: ProtocolVersion,
    /// A good item of this name.
    good: fn(&str) -> String,
}

const CLASSES: [Class; 4] = [
    Class {
        kind: FolderType::Calendar,
        directory: "calendar",
        extension: "ics",
        since: ProtocolVersion::V12_1,
        good: |name| {
            component("VEVENT", name, "DTSTART:20961102T090000Z\r\nDTEND:20961102T100000Z\r\n")
        },
    },
    Class {
        kind: FolderType::Tasks,
        directory: "tasks",
        extension: "ics",
        since: ProtocolVersion::V12_1,
        good: |name| {
            component("VTODO", name, "DTSTART:20961102T090000Z\r\nDUE:20961102T100000Z\r\n")
        },
    },
    Class {
        kind: FolderType::Notes,
        directory: "notes",
        extension: "ics",
        since: ProtocolVersion::V14_0,
        good: |name| component("VJOURNAL", name, "DTSTART:20961102T090000Z\r\n"),
    },
    Class {
        kind: FolderType::Contacts,
        directory: "contacts",
        extension: "vcf",
        since: ProtocolVersion::V12_1,
        good: |name| {
            format!(
                "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nN:{name};;;;\r\nFN:{name}\r\nEND:VCARD\r\n"
            )
        },
    },
];

fn component(kind: &str, name: &str, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:{kind}\r\nUID:{name}\r\n\
         DTSTAMP:20261101T090000Z\r\nSUMMARY:{name}\r\n{more}END:{kind}\r\nEND:VCALENDAR\r\n"
    )
}

/// Items of a class that are too long, too many, endless, or no items at all.
fn bad(class: &Class) -> Vec<String> {
    let plain = (class.good)("bad");
    let long = "Very long. ".repeat(1 << 20);
    let many = |line: &str| -> String {
        (0..5000).map(|number| line.replace('#', &number.to_string())).collect()
    };
    let kinds = ["VEVENT", "VTODO", "VJOURNAL", "VCARD"];
    let end = kinds.map(|kind| format!("END:{kind}"));
    let end = end.iter().find(|end| plain.contains(*end)).map_or("", |end| end.as_str());
    let with = |more: &str| plain.replacen(end, &format!("{more}{end}"), 1);
    let half = plain.split_at(plain.len() / 2).0.to_owned();
    let mut bad = vec![half, String::new(), "\0\u{1}\u{2}".repeat(1000)];
    if class.extension == "vcf" {
        bad.push(with(&format!("NOTE:{long}\r\n")));
        bad.push(with(&many("EMAIL:a#@x.example\r\n")));
        bad.push(with(&format!("PHOTO;ENCODING=b:{}\r\n", "A".repeat(10 << 20))));
        bad.push(with("BDAY:99999999\r\n"));
        return bad;
    }
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Odd\r\nBEGIN:STANDARD\r\nDTSTART:never\r\n\
                RRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
    let begin = end.replace("END", "BEGIN");
    bad.push(with("RRULE:FREQ=SECONDLY;BYSECOND=0,1,2;BYSETPOS=-366\r\n"));
    bad.push(with("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n"));
    bad.push(with(&format!("DESCRIPTION:{long}\r\n")));
    bad.push(with(&many("ATTENDEE:mailto:a#@x.example\r\n")));
    bad.push(
        plain
            .replacen(&begin, &format!("{zone}{begin}"), 1)
            .replace("DTSTART:", "DTSTART;TZID=Odd:"),
    );
    bad
}

/// What an item is called.
fn title(item: &Item) -> String {
    match item {
        Item::Event(event) => event.title.clone(),
        Item::Task(task) => task.title.clone(),
        Item::Note(note) => note.title.clone(),
        Item::Contact(contact) => contact.text_of(ContactText::LastName).to_owned(),
        Item::Mail(_) => String::new(),
    }
}

fn shows(phone: &Phone, folder: &str, name: &str) -> Result<bool> {
    Ok(phone.records(folder)?.values().any(|item| title(item) == name))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_should_have_made_keeps_nothing_else_from_a_phone() -> Result<()> {
    let world = World::start("", "")?;
    let vdir = world.folder.path().join("mail").join(ANN).join("vdir");
    let put = |class: &Class, name: &str, text: &str| -> Result<()> {
        let path: PathBuf = vdir.join(class.directory);
        let path = path.join(format!("{name}.{}", class.extension));
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    };
    // By their names, bad ones come before and after the good.
    for class in &CLASSES {
        for (number, text) in bad(class).iter().enumerate() {
            let side = if number % 2 == 0 { "a" } else { "z" };
            put(class, &format!("{side}{number}"), text)?;
        }
        put(class, "good", &(class.good)("good"))?;
    }
    for (number, version) in ProtocolVersion::ALL.into_iter().enumerate() {
        let mut phone = world.phone(&format!("phone{number}"), PASSWORD)?;
        phone.client.account.version = version;
        phone.folder_sync().await?;
        for class in CLASSES.iter().filter(|class| version >= class.since) {
            let case = format!("{} in {version}", class.directory);
            let folder = phone.folder_of(class.kind)?;
            phone.sync(&folder).await.with_context(|| case.clone())?;
            ensure!(shows(&phone, &folder, "good")?, "{case}: the good one does not come");
            let later = format!("later{number}");
            put(class, &later, &(class.good)(&later))?;
            until(&mut phone, &folder, "what came later", |phone| {
                shows(phone, &folder, &later).unwrap_or_default()
            })
            .await
            .with_context(|| case)?;
        }
    }
    Ok(())
}
