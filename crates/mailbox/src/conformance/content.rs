//! Fetching items and their parts.

use super::{
    Outcome, World, check, fetch, flags, inbox, mail, message, message_id, refused, same, text,
    whole_text,
};
use crate::{ByteRange, FetchOutcome};
use dme_model::{BodyKind, BodyPreference, BodyView, Flags, ItemId, PartId};

pub(super) async fn a_fetch_answers_each_item_once_in_the_order_asked(
    world: &dyn World,
) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(mailbox.deliver(&inbox, &message(&format!("number {number}"), "")).await?);
    }
    let gone = ids.remove(3);
    mailbox.delete_items(&inbox, std::slice::from_ref(&gone)).await?;
    let asked: Vec<ItemId> = [2, 0, 3, 1]
        .iter()
        .filter_map(|place| ids.get(*place).cloned())
        .chain([gone.clone(), ItemId::from("no such item")])
        .collect();
    let fetched = fetch(&**mailbox, &inbox, &asked, &BodyView::default()).await?;
    let answered: Vec<_> = fetched.iter().map(|it| it.id.clone()).collect();
    same!(answered, asked, "the order");
    for it in &fetched {
        let present = ids.contains(&it.id);
        match &it.outcome {
            FetchOutcome::Item(_) => check!(present, "{} is not there", it.id),
            FetchOutcome::Gone => check!(!present, "{} is not gone", it.id),
            FetchOutcome::Unconvertible(why) => check!(false, "{}: {why}", it.id),
        }
    }
    let none = fetch(&**mailbox, &inbox, &[], &BodyView::default()).await?;
    check!(none.is_empty(), "a fetch of nothing gave {none:?}");
    Ok(())
}

pub(super) async fn a_fetch_does_not_mark_as_read(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let item = mailbox.deliver(&inbox, &message("unread", "text")).await?;
    mail(&**mailbox, &inbox, &item, &whole_text()).await?;
    mailbox.fetch_part(&inbox, &item, None, None).await?;
    mailbox.fetch_part(&inbox, &item, Some(&PartId::from("1")), None).await?;
    same!(flags(&*resident.other, &inbox, &item).await?, Flags::default(), "the marks");
    Ok(())
}

pub(super) async fn headers_and_size_are_told(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let raw = message("Plans for Tuesday", "Shall we?");
    let item = resident.other.deliver(&inbox, &raw).await?;
    let got = mail(&*resident.mailbox, &inbox, &item, &BodyView::default()).await?;
    same!(got.subject, "Plans for Tuesday", "the subject");
    let from: Vec<_> = got.from.iter().map(|it| (it.name.as_deref(), it.email.as_str())).collect();
    same!(from, vec![(Some("Ann"), "ann@conformance.example")], "the author");
    let to: Vec<_> = got.to.iter().map(|it| it.email.as_str()).collect();
    same!(to, vec!["bob@conformance.example"], "the recipient");
    same!(got.message_id, Some(message_id("Plans for Tuesday")), "the Message-ID");
    same!(got.size, raw.len() as u64, "the size");
    check!(got.body.is_none(), "a body that nobody asked for: {:?}", got.body);
    same!(got.native, Some(BodyKind::Plain), "the native form");
    Ok(())
}

pub(super) async fn a_body_is_cut_where_asked(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let words = "Grüße aus Köln, 你好. ".repeat(200);
    let item = resident.mailbox.deliver(&inbox, &message("long", words.trim_end())).await?;
    let whole = mail(&*resident.mailbox, &inbox, &item, &whole_text()).await?;
    check!(text(&whole).starts_with(words.trim_end()), "the whole text is not what was sent");
    let view = |truncation, all_or_none| BodyView {
        preferences: vec![BodyPreference {
            kind: BodyKind::Plain,
            truncation: Some(truncation),
            all_or_none,
            preview: None,
        }],
        ..BodyView::default()
    };
    for limit in 0..8 {
        let cut = mail(&*resident.mailbox, &inbox, &item, &view(limit, false)).await?;
        let body = cut.body.as_ref();
        check!(body.is_some_and(|it| it.truncated), "it is not marked as cut at {limit}");
        let size = body.map_or(0, |it| it.data.len() as u64);
        check!(size <= limit && limit - size < 4, "{size} bytes where {limit} were asked for");
        check!(words.starts_with(&text(&cut)), "the cut text is not the text's begin");
        same!(
            body.map(|it| it.full_size),
            whole.body.as_ref().map(|it| it.full_size),
            "the size of the whole"
        );
    }
    let nothing = mail(&*resident.mailbox, &inbox, &item, &view(100, true)).await?;
    same!(text(&nothing), "", "all or none");
    let all = mail(&*resident.mailbox, &inbox, &item, &view(1_000_000, true)).await?;
    check!(all.body.as_ref().is_some_and(|it| !it.truncated), "the whole is marked as cut");
    same!(text(&all), text(&whole), "the whole");
    Ok(())
}

pub(super) async fn a_whole_message_comes_back_byte_for_byte(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let raw = message("exact", "Tabs\tand  spaces, .dots\r\n.\r\n..\r\nFrom here, Grüße\r\n");
    let item = resident.mailbox.deliver(&inbox, &raw).await?;
    let got = resident.other.fetch_part(&inbox, &item, None, None).await?;
    same!(got.media_type, "message/rfc822", "the media type");
    same!(String::from_utf8_lossy(&got.data), String::from_utf8_lossy(&raw), "the message");
    same!(got.full_size, raw.len() as u64, "the size");
    Ok(())
}

pub(super) async fn ranges_of_a_part_are_cut_at_its_end(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let words = "0123456789".repeat(10);
    let item = resident.mailbox.deliver(&inbox, &message("ranges", &words)).await?;
    let part = PartId::from("1");
    for part in [Some(&part), None] {
        let whole = resident.mailbox.fetch_part(&inbox, &item, part, None).await?;
        let size = whole.full_size;
        same!(whole.data.len() as u64, size, "the size of the whole");
        for (start, length) in [(0, 10), (7, 20), (size - 3, 100), (0, size), (5, 0), (1, u64::MAX)]
        {
            let range = Some(ByteRange { start, length });
            let got = resident.mailbox.fetch_part(&inbox, &item, part, range).await?;
            let end = start.saturating_add(length).min(size);
            let wanted = whole.data.slice(start as usize..end as usize);
            same!(got.data, wanted, "{length} bytes from {start} of {part:?}");
            same!(got.full_size, size, "the size of the whole beside a range");
        }
        let range = Some(ByteRange { start: size + 10, length: 1 });
        let beyond = resident.mailbox.fetch_part(&inbox, &item, part, range).await;
        refused!(beyond, Invalid, "a range beyond the end of {part:?}");
    }
    Ok(())
}

pub(super) async fn parts_that_are_not_there_are_not_found(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let item = mailbox.deliver(&inbox, &message("short", "text")).await?;
    for part in ["7", "1.9.9", "nonsense", ""] {
        let part = PartId::from(part);
        let got = mailbox.fetch_part(&inbox, &item, Some(&part), None).await;
        refused!(got, NotFound | Invalid, "the part {part:?}");
    }
    mailbox.delete_items(&inbox, std::slice::from_ref(&item)).await?;
    let got = mailbox.fetch_part(&inbox, &item, None, None).await;
    refused!(got, NotFound, "a part of an item that is gone");
    Ok(())
}
