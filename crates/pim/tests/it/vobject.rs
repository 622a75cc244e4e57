//! Python's `vobject` (Debian's `python3-vobject`) agrees on what stands in our cards, as they came
//! and after an edit.

use crate::contacts::corpus;
use dme_model::{BodyView, Contact, ContactField, ContactPatch, ContactText, Text, Timestamp};
use dme_pim::contact::{apply, read};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// What the library reads in each card.
fn vobject(cards: &[Vec<u8>]) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    let path = |number: usize| directory.path().join(format!("{number}.vcf"));
    for (number, card) in cards.iter().enumerate() {
        fs::write(path(number), card).unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/read_cards.py");
    let mut python = Command::new("/usr/bin/python3");
    let output = python.arg(script).args((0..cards.len()).map(path)).output();
    let output = output.expect("python3 and python3-vobject are needed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn shown(card: &[u8]) -> Contact {
    read(card, &BodyView::default().or_native(None)).unwrap()
}

fn agree(name: &str, contact: &Contact, said: &Value) {
    let text = |which| contact.text_of(which).to_owned();
    let first = |key: &str| said[key].as_str().unwrap_or_default().trim().to_owned();
    assert_eq!(text(ContactText::LastName), first("last"), "{name}");
    assert_eq!(text(ContactText::FirstName), first("first"), "{name}");
    assert_eq!(text(ContactText::CompanyName), first("company"), "{name}");
    assert_eq!(text(ContactText::JobTitle), first("title"), "{name}");
    let note = contact.text.as_ref().map(|text| text.text.clone()).unwrap_or_default();
    assert_eq!(note, first("note"), "{name}");
    let has = |key: &str, wanted: &str| {
        wanted.is_empty() || said[key].as_array().unwrap().iter().any(|one| one == wanted)
    };
    for which in [ContactText::Email1, ContactText::Email2, ContactText::Email3] {
        assert!(has("emails", &text(which)), "{name}: {} in {}", text(which), said["emails"]);
    }
    for which in [ContactText::MobilePhone, ContactText::HomePhone, ContactText::BusinessPhone] {
        assert!(has("phones", &text(which)), "{name}: {} in {}", text(which), said["phones"]);
    }
    for which in [ContactText::BusinessCity, ContactText::HomeCity, ContactText::OtherCity] {
        assert!(has("city", &text(which)), "{name}: {} in {}", text(which), said["city"]);
    }
}

#[test]
fn vobject_reads_the_same_before_and_after_an_edit() {
    let version_3 = |card: &[u8]| String::from_utf8_lossy(card).contains("VERSION:3.0");
    // The library refuses what is too sloppy.
    let cards = corpus().into_iter().filter(|(name, card)| version_3(card) && name != "sloppy");
    let (names, before): (Vec<String>, Vec<Vec<u8>>) = cards.unzip();
    assert!(names.len() >= 15);
    let mut value = Contact { text: Some(Text::plain("a, b; c\\d\ne")), ..Contact::default() };
    value.set_text(ContactText::FirstName, "Größe; 中, x");
    value.set_text(ContactText::CompanyName, "A; B, C");
    value.set_text(ContactText::Email2, "new@corp.example");
    value.set_text(ContactText::MobilePhone, "+1 234");
    value.set_text(ContactText::HomeCity, "Saint-Étienne, sur mer");
    let texts = value.texts.keys().map(|text| ContactField::Of(*text));
    let fields: Vec<_> = texts.chain([ContactField::Text]).collect();
    let patch = ContactPatch::of(fields, value);
    let now = Timestamp::from_seconds(1_790_000_000);
    let mut after: Vec<Vec<u8>> =
        before.iter().map(|card| apply(Some(card), &patch, "k", now).unwrap().object).collect();
    for (cards, when) in [(&before, "before"), (&after, "after")] {
        for ((name, card), said) in names.iter().zip(cards).zip(vobject(cards)) {
            agree(&format!("{name} {when}"), &shown(card), &said);
        }
    }
    for (one, other) in vobject(&before).iter().zip(vobject(&after)) {
        let (one, other) = (&one["unknown"], &other["unknown"]);
        for key in one.as_array().unwrap() {
            assert!(other.as_array().unwrap().contains(key), "{key} is lost");
        }
    }
    after.clear();
    after.push(apply(None, &patch, "new", now).unwrap().object);
    agree("new", &shown(&after[0]), &vobject(&after)[0]);
}
