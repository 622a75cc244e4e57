//! Files of events: attached by a phone (16.0 on), kept by a real calendar server, and there for
//! other phones and for programs that know nothing of us.

use crate::account::{NINE, World, event, folder, meeting, only, whole};
use crate::site::{REALM, USERS};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::calendar::patch_to_elements;
use dme_eas::folder_sync::FolderType;
use dme_eas::server_id::{FileReference, ServerId};
use dme_eas::sync::ClientCommand;
use dme_model::{Event, EventField, EventPatch, ItemPatch, NewAttachment, PartId};
use dme_phone::Phone;
use dme_testkit::process::run;
use std::process::Command;

/// What an agenda might be: bytes of all kinds, and enough of them for folded lines.
fn agenda() -> Bytes {
    (0..50_000_u32).map(|number| (number * 7 % 256) as u8).collect::<Vec<u8>>().into()
}

fn file(name: &str, data: Bytes) -> NewAttachment {
    let media_type = "application/pdf".to_owned();
    NewAttachment { name: name.to_owned(), media_type, content_id: None, data }
}

/// The files of the one event that a phone shows, by name, each read by its reference.
async fn files(phone: &mut Phone, calendar: &str) -> Result<Vec<(String, Bytes)>> {
    let (id, item) = only(phone, calendar)?;
    let mut files = Vec::new();
    for file in &event(&item)?.attachments {
        let reference = reference(&id, file.part.clone())?;
        files.push((file.name.clone(), phone.fetch_attachment(&reference).await?));
    }
    Ok(files)
}

fn reference(id: &str, part: PartId) -> Result<String> {
    let item: ServerId = id.parse().ok().context("no id of an item")?;
    Ok(FileReference { item, part }.to_string())
}

/// What a program asks that speaks CalDAV alone.
fn plain(world: &World, more: &[&str], path: &str) -> Result<String> {
    let (ann, password) = USERS[0];
    let login = format!("{ann}@{REALM}:{password}");
    let url = format!("{}{path}", world.radicale.url().trim_end_matches('/'));
    run(Command::new("curl").args(["-sf", "-u", &login]).args(more).arg(url))
}

/// Where the one calendar stands.
fn plain_path(world: &World) -> Result<String> {
    let depth = ["-X", "PROPFIND", "-H", "Depth: 1"];
    let (ann, _) = USERS[0];
    let listed = plain(world, &depth, &format!("/{ann}%40{REALM}/"))?;
    let hrefs = listed.split("<href>").skip(1).filter_map(|rest| rest.split('<').next());
    let mut calendars = hrefs.filter(|href| href.matches('/').count() == 3);
    Ok(calendars.next().context("no calendar")?.to_owned())
}

/// The calendar with the one event, unfolded.
fn plain_get(world: &World) -> Result<String> {
    let calendar = plain(world, &[], &plain_path(world)?)?;
    Ok(calendar.replace("\r\n", "\n").replace("\n ", ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_phone_attaches_others_read_and_what_it_takes_off_is_gone() -> Result<()> {
    use base64::Engine as _;
    let world = World::start()?;
    let version = ProtocolVersion::V16_1;
    let mut writer = world.phone("ann", "writer", version).await?;
    let mut reader = world.phone("ann", "reader", ProtocolVersion::V16_0).await?;
    let calendar = folder(&mut writer, "Plans", FolderType::UserCalendar).await?;
    reader.folder_sync().await?;

    let attach = vec![file("agenda.pdf", agenda()), file("Übersicht.pdf", "%PDF-1.7".into())];
    let made = Event { attach, ..meeting("The bridge", None) };
    writer.create(&calendar, &whole(made)).await?;
    let expected = [
        ("agenda.pdf".to_owned(), agenda()),
        ("Übersicht.pdf".to_owned(), Bytes::from_static(b"%PDF-1.7")),
    ];
    reader.sync(&calendar).await?;
    ensure!(files(&mut reader, &calendar).await? == expected, "the other phone reads otherwise");
    let encoded = base64::engine::general_purpose::STANDARD.encode(agenda());
    let there = plain_get(&world)?;
    ensure!(there.contains(&encoded), "other programs read otherwise");
    ensure!(there.contains("agenda.pdf"), "the file's name is not there");

    // The reader takes the first off and moves the event; the second stays.
    let (id, item) = only(&reader, &calendar)?;
    let shown = event(&item)?;
    let first = shown.attachments.first().context("no file")?.part.clone();
    let (start, end) = (NINE.plus_seconds(7200), NINE.plus_seconds(10_800));
    let later = Event { start, end, detach: vec![first.clone()], ..shown.clone() };
    let patch = EventPatch::of([EventField::Time, EventField::Attachments], later);
    let server_id: ServerId = id.parse().ok().context("no id of an item")?;
    let data = patch_to_elements(&patch, Some(&server_id), ProtocolVersion::V16_0, &reader.home);
    let change = ClientCommand::Change {
        server_id: id.clone(),
        instance_id: None,
        class: None,
        send: false,
        data,
    };
    reader.sync_with(&calendar, vec![change]).await?;
    let gone = reader.fetch_attachment(&reference(&id, first)?).await;
    ensure!(gone.is_err(), "what was taken off is still given");
    writer.sync(&calendar).await?;
    let left = files(&mut writer, &calendar).await?;
    ensure!(left == expected[1..], "{:?}", left.iter().map(|(name, _)| name).collect::<Vec<_>>());
    let there = plain_get(&world)?;
    ensure!(!there.contains(&encoded) && there.contains("T110000"), "it is as it was");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_kept_elsewhere_is_a_link_on_a_phone_and_stays_as_it_is() -> Result<()> {
    let world = World::start()?;
    let mut phone = world.phone("ann", "phone", ProtocolVersion::V16_1).await?;
    let calendar = folder(&mut phone, "Plans", FolderType::UserCalendar).await?;
    let object = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Test//EN",
        "BEGIN:VEVENT",
        "UID:linked",
        "DTSTAMP:20370101T000000Z",
        "DTSTART:20370302T080000Z",
        "DTEND:20370302T090000Z",
        "SUMMARY:The bridge",
        "ATTACH;FMTTYPE=application/pdf;FILENAME=plan.pdf;SIZE=59102:https://f.example/s/a1?d=1&e=2",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    .join("\r\n");
    let put = ["-X", "PUT", "-H", "Content-Type: text/calendar", "--data-binary", &object];
    plain(&world, &put, &format!("{}linked.ics", plain_path(&world)?))?;
    let attached = |calendar: &str| -> Vec<String> {
        calendar.lines().filter(|line| line.starts_with("ATTACH")).map(str::to_owned).collect()
    };
    let before = attached(&plain_get(&world)?);
    ensure!(before.len() == 1, "{before:?}");

    phone.sync(&calendar).await?;
    let files = files(&mut phone, &calendar).await?;
    let [(name, page)] = files.as_slice() else { anyhow::bail!("{files:?}") };
    ensure!(name == "plan.pdf.html", "{name}");
    let page = String::from_utf8_lossy(page);
    ensure!(page.contains("<a href=\"https://f.example/s/a1?d=1&amp;e=2\">"), "{page}");

    let (id, item) = only(&phone, &calendar)?;
    let titled = Event { title: "The bridge, again".into(), ..event(&item)?.clone() };
    let patch = EventPatch::of([EventField::Title], titled);
    phone.change(&calendar, &id, &ItemPatch::Event(Box::new(patch))).await?;
    let after = plain_get(&world)?;
    ensure!(after.contains("SUMMARY:The bridge\\, again"), "{after}");
    ensure!(attached(&after) == before, "{after}");
    Ok(())
}
