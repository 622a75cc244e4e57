use super::*;
use crate::{Error, Ghosting};
use dme_model::{BodyKind, Text, Timestamp};
use proptest::prelude::*;

fn note() -> Note {
    Note {
        title: "Cake".into(),
        categories: vec!["Kitchen".into()],
        modified: Timestamp::from_seconds(1_796_112_000),
        native: Some(BodyKind::Plain),
        text: Some(Text::plain("Flour\nEggs")),
        ..Note::default()
    }
}

fn change(data: &[Element], present: &Note) -> NotePatch {
    let ghosting = Ghosting::default();
    let writing = Writing::Change { ghosting: &ghosting, present: Some(present) };
    patch_from_elements(data, writing).unwrap()
}

#[test]
fn elements_are_in_the_order_of_the_document() {
    let elements = to_elements(&note());
    let names: Vec<_> = elements.iter().filter_map(|element| element.tag.name()).collect();
    assert_eq!(
        names,
        ["Subject", "MessageClass", "LastModifiedDate", "Categories", "Body", "NativeBodyType"]
    );
    assert_eq!(elements[1].as_text(), Some("IPM.StickyNote"));
    assert_eq!(elements[2].as_text(), Some("20261201T080000Z"));
    assert_eq!(from_elements(&elements), Ok(note()));
}

#[test]
fn left_out_of_a_change_categories_go_and_title_and_text_stay() {
    let patch = change(&[], &note());
    assert_eq!(patch.fields.into_iter().collect::<Vec<_>>(), [NoteField::Categories]);
    let patch =
        change(&[Element::text(page::SUBJECT, "Pie")], &Note { categories: vec![], ..note() });
    assert_eq!(patch.fields.into_iter().collect::<Vec<_>>(), [NoteField::Title]);
}

#[test]
fn a_new_note_is_as_the_phone_says() {
    let data =
        [Element::text(page::SUBJECT, "Pie"), Element::text(page::MESSAGE_CLASS, "IPM.StickyNote")];
    let patch = patch_from_elements(&data, Writing::Add).unwrap();
    assert_eq!(patch.value, Note { title: "Pie".into(), ..Note::default() });
    let wrong = [Element::text(page::LAST_MODIFIED_DATE, "today")];
    assert!(matches!(patch_from_elements(&wrong, Writing::Add), Err(Error::Value { .. })));
}

fn any_note() -> impl Strategy<Value = Note> {
    (
        "[^\\pC]{0,9}",
        proptest::collection::btree_set("[a-z]{1,5}", 0..4),
        "[ -~]{0,30}",
        any::<bool>(),
    )
        .prop_map(|(title, categories, text, html)| {
            let kind = if html { BodyKind::Html } else { BodyKind::Plain };
            let text = (!text.is_empty()).then(|| Text::whole(kind, text));
            let categories = categories.into_iter().collect();
            Note { title, categories, native: text.as_ref().map(|text| text.kind), text, ..note() }
        })
}

proptest! {
    #[test]
    fn what_the_server_tells_is_what_the_phone_reads_and_repeated_no_change(note in any_note()) {
        let elements = to_elements(&note);
        prop_assert_eq!(from_elements(&elements).unwrap(), note.clone());
        prop_assert!(change(&elements, &note).is_empty());
    }

    #[test]
    fn a_patch_over_the_wire_is_the_same_patch(before in any_note(), after in any_note()) {
        let mut wanted = NotePatch::between(&before, after.clone());
        // Left out they would be deleted.
        wanted.set(NoteField::Categories, &after);
        let mut made = before.clone();
        change(&patch_to_elements(&wanted), &before).apply(&mut made);
        let same_text = made.text.as_ref().map(|text| text.text.trim_end().to_owned());
        prop_assert_eq!(same_text, after.text.as_ref().map(|text| text.text.trim_end().to_owned()));
        prop_assert_eq!((made.title, made.categories), (after.title, after.categories));
    }
}
