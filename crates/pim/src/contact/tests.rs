//! What becomes of cards that are read and edited.

use super::*;
use dme_model::{BodyKind, BodyPreference, ContactField, ContactText, Date, Fields, Picture, Text};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn view() -> BodyView {
    BodyView::default().or_native(None)
}

fn card(lines: &[&str]) -> Vec<u8> {
    let mut card = String::from("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\n");
    lines.iter().for_each(|line| card.extend([line, "\r\n"]));
    card.push_str("END:VCARD\r\n");
    card.into_bytes()
}

fn texts(object: &[u8]) -> Vec<(ContactText, String)> {
    let texts = read(object, &view()).unwrap().texts.into_iter();
    texts.filter(|(text, _)| *text != ContactText::FileAs).collect()
}

/// Sets texts; returns the card's lines.
fn edit(object: &[u8], new: &[(ContactText, &str)]) -> Vec<String> {
    let mut value = Contact::default();
    new.iter().for_each(|(text, new)| value.set_text(*text, new));
    let fields = new.iter().map(|(text, _)| ContactField::Of(*text));
    let done = apply(Some(object), &ContactPatch::of(fields, value), "k", NOW).unwrap();
    let lines = String::from_utf8(done.object).unwrap();
    lines.lines().filter(|line| !line.starts_with("REV:")).map(str::to_owned).collect()
}

fn lines(object: &[u8]) -> Vec<String> {
    String::from_utf8(object.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn telephones_take_the_places_that_their_types_name() {
    use ContactText::*;
    let object = card(&[
        "TEL:1",
        "TEL;TYPE=CELL:2",
        "TEL;TYPE=CELL,WORK:3",
        "TEL;TYPE=WORK:4",
        "TEL;TYPE=HOME,FAX:5",
        "TEL;TYPE=FAX:6",
        "item1.TEL:7",
        "item1.X-ABLabel:_$!<Main>!$_",
        "TEL;TYPE=pref,WORK:8",
        "X-MS-TEL;TYPE=ASSISTANT:9",
        "TEL;TYPE=HOME;VALUE=uri:tel:+10",
        "TEL;TYPE=PAGER:11",
        "TEL;TYPE=CELL:12",
    ]);
    let wanted = [
        (BusinessPhone, "8"),
        (BusinessPhone2, "4"),
        (BusinessFax, "6"),
        (HomePhone, "+10"),
        (HomePhone2, "1"),
        (HomeFax, "5"),
        (MobilePhone, "2"),
        (Pager, "11"),
        (CompanyMainPhone, "7"),
        (AssistantPhone, "9"),
    ];
    let mut found = texts(&object);
    found.sort();
    let mut wanted: Vec<_> = wanted.map(|(text, value)| (text, value.to_owned())).into();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn an_edit_changes_its_own_line_and_no_other() {
    use ContactText::*;
    let object = card(&[
        "N;X-A=1:Lee;Ann;B.;Dr.;",
        "FN:Dr. Ann B. Lee",
        "X-UNKNOWN;X-P=\"a;b\":kept",
        "ORG;SORT-AS=x:Corp;Sales;South",
        "item1.EMAIL;type=INTERNET;type=pref:ann@corp.example",
        "item1.X-ABLabel:Büro",
        "EMAIL:two@corp.example",
        "EMAIL:three@corp.example",
        "EMAIL:four@corp.example",
        "ADR;TYPE=WORK:PO 1;Room 2;Main Street 3;Cape Town;WC;8001;South Africa",
        "KEY;ENCODING=b:AAAA",
        "URL:https://corp.example/a,b;c",
    ]);
    let cases: [(ContactText, &str, &[&str]); 7] = [
        (FirstName, "Anna", &["N;X-A=1:Lee;Anna;B.;Dr.;", "FN:Dr. Anna B. Lee"]),
        (Department, "Sales, all", &["ORG;SORT-AS=x:Corp;Sales\\, all;South"]),
        (Email1, "new@corp.example", &["item1.EMAIL;type=INTERNET;type=pref:new@corp.example"]),
        (Email3, "new@corp.example", &["EMAIL:new@corp.example"]),
        (
            BusinessCity,
            "Durban",
            &["ADR;TYPE=WORK:PO 1;Room 2;Main Street 3;Durban;WC;8001;South Africa"],
        ),
        (
            OfficeLocation,
            "Room 9",
            &["ADR;TYPE=WORK:PO 1;Room 9;Main Street 3;Cape Town;WC;8001;South Africa"],
        ),
        (WebPage, "https://new.example/;a,b", &["URL:https://new.example/;a,b"]),
    ];
    for (text, new, expected) in cases {
        let before = lines(&object);
        let after = edit(&object, &[(text, new)]);
        let added: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        assert_eq!(added, expected, "{text:?}");
        assert_eq!(before.len(), after.len(), "{text:?}");
    }
}

#[test]
fn what_is_taken_out_brings_no_other_up_in_its_place() {
    use ContactText::*;
    let object =
        card(&["EMAIL:1@x.example", "EMAIL:2@x.example", "EMAIL:3@x.example", "EMAIL:4@x.example"]);
    let after = edit(&object, &[(Email1, "")]).join("\r\n") + "\r\n";
    let found = texts(after.as_bytes());
    assert_eq!(found, [(Email2, "2@x.example".to_owned()), (Email3, "3@x.example".to_owned())]);
    assert!(after.contains("4@x.example"), "and what was never shown stays");
}

#[test]
fn the_label_goes_with_its_line() {
    let object = card(&["item1.TEL:1", "item1.X-ABLabel:_$!<Main>!$_", "item2.X-ABLabel:x"]);
    let after = edit(&object, &[(ContactText::CompanyMainPhone, "")]);
    assert!(!after.iter().any(|line| line.starts_with("item1")), "{after:?}");
    assert!(after.contains(&"item2.X-ABLabel:x".to_owned()));
}

#[test]
fn a_card_keeps_its_version_and_gets_what_that_knows() {
    let patch = {
        let mut value = Contact {
            birthday: Some(Date { year: None, month: 2, day: 29 }),
            anniversary: Some(Date { year: Some(2009), month: 6, day: 1 }),
            picture: Some(Picture(vec![0xFF, 0xD8, 1].into())),
            ..Contact::default()
        };
        value.set_text(ContactText::MobilePhone, "1");
        value.set_text(ContactText::Spouse, "Béla");
        ContactPatch::whole(value)
    };
    let cards = [
        (
            "2.1",
            vec![
                "TEL;CELL:1",
                "PHOTO;TYPE=JPEG;ENCODING=BASE64:/9gB",
                "X-SPOUSE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:B=C3=A9la",
            ],
        ),
        (
            "3.0",
            vec![
                "TEL;TYPE=CELL:1",
                "PHOTO;ENCODING=b;TYPE=JPEG:/9gB",
                "X-SPOUSE:Béla",
                "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29",
                "X-ANNIVERSARY:2009-06-01",
            ],
        ),
        (
            "4.0",
            vec![
                "TEL;TYPE=cell:1",
                "PHOTO:data:image/jpeg;base64,/9gB",
                "RELATED;VALUE=text;TYPE=spouse:Béla",
                "BDAY:--0229",
                "ANNIVERSARY:20090601",
            ],
        ),
    ];
    for (version, wanted) in cards {
        let object = format!("BEGIN:VCARD\r\nVERSION:{version}\r\nFN:x\r\nEND:VCARD\r\n");
        let done = apply(Some(object.as_bytes()), &patch, "k", NOW).unwrap();
        let after = lines(&done.object);
        for line in wanted {
            assert!(after.iter().any(|one| one == line), "{version}: {line} in {after:#?}");
        }
        let again = read(&done.object, &view()).unwrap();
        assert_eq!(again.birthday, patch.value.birthday);
        assert_eq!(again.anniversary, patch.value.anniversary);
        assert_eq!(again.picture, patch.value.picture);
        assert_eq!(again.text_of(ContactText::Spouse), "Béla");
    }
}

#[test]
fn a_new_card_has_what_3_0_demands_and_its_uid_from_the_key() {
    let mut value = Contact::default();
    value.set_text(ContactText::Email1, "ann@corp.example");
    let make = |key| apply(None, &ContactPatch::whole(value.clone()), key, NOW).unwrap();
    let done = make("one");
    assert_eq!(done, make("one"));
    assert_ne!(done.uid, make("two").uid);
    let after = lines(&done.object);
    for name in ["VERSION:3.0", "FN:ann@corp.example", "REV:20260921T141320Z"] {
        assert!(after.iter().any(|line| line == name), "{name} in {after:#?}");
    }
    assert!(after.iter().any(|line| line.starts_with("N;") && line.ends_with(":;;;;")));
    let again = read(&done.object, &view()).unwrap();
    assert_eq!(again.uid, done.uid);
    assert_eq!(again.text_of(ContactText::FirstName), "");
}

#[test]
fn notes_in_html_become_plain_and_come_back_unchanged() {
    let object = card(&["NOTE:one\\ntwo"]);
    let html = BodyPreference {
        kind: BodyKind::Html,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    let view = BodyView { preferences: vec![html], ..BodyView::default() };
    let shown = read(&object, &view).unwrap();
    let patch = ContactPatch::of([ContactField::Text], shown);
    assert_eq!(apply(Some(&object), &patch, "k", NOW).unwrap().object, object);
    let text = Some(Text::whole(BodyKind::Html, "<p>three &amp; four</p>"));
    let patch = ContactPatch::of([ContactField::Text], Contact { text, ..Contact::default() });
    let done = apply(Some(&object), &patch, "k", NOW).unwrap();
    assert!(lines(&done.object).contains(&"NOTE:three & four".to_owned()));
}

#[test]
fn a_note_that_was_cut_for_the_phone_is_not_written_back() {
    let object = card(&["NOTE:a long note"]);
    let text = Some(Text { truncated: true, ..Text::plain("a lo") });
    let patch = ContactPatch::of([ContactField::Text], Contact { text, ..Contact::default() });
    assert_eq!(apply(Some(&object), &patch, "k", NOW).unwrap().object, object);
}

#[test]
fn a_picture_that_is_too_large_or_elsewhere_is_not_shown_and_stays() {
    let large = format!("PHOTO;ENCODING=b;TYPE=JPEG:{}", "A".repeat(80_000));
    let object = card(&[&large, "PHOTO;VALUE=uri:https://corp.example/ann.jpg"]);
    let shown = read(&object, &view()).unwrap();
    assert_eq!(shown.picture, None);
    let patch = ContactPatch::whole(shown);
    assert_eq!(apply(Some(&object), &patch, "k", NOW).unwrap().object, object);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        4 => "[a-zA-Z0-9 .,;:\\\\@ßü王+-]{1,20}",
        1 => "\\PC{1,90}",
        1 => "[a-z]{1,4}\n[a-z;]{1,4}",
    ]
}

fn any_date() -> impl Strategy<Value = Option<Date>> {
    let date = (proptest::option::of(1700_u16..2100), 1_u8..=12, 1_u8..=28);
    proptest::option::of(date.prop_map(|(year, month, day)| Date { year, month, day }))
}

prop_compose! {
    fn any_contact()(
        texts in proptest::collection::vec(any_text(), ContactText::ALL.len()),
        birthday in any_date(),
        anniversary in any_date(),
        categories in proptest::collection::btree_set("[a-z,; ]{1,6}", 0..3),
        children in proptest::collection::vec("[a-z,; ]{1,6}", 0..3),
        picture in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..200)),
        note in any_text(),
    ) -> Contact {
        let clean = |all: Vec<String>| -> Vec<String> {
            let mut out: Vec<String> = Vec::new();
            for one in all.iter().map(|one| value::clean_line(one)) {
                if !one.is_empty() && !out.contains(&one) {
                    out.push(one);
                }
            }
            out
        };
        let note = value::clean(&note);
        let mut contact = Contact {
            birthday,
            anniversary,
            categories: clean(categories.into_iter().collect()),
            children: clean(children),
            picture: picture.map(|bytes| Picture(bytes.into())),
            native: (!note.is_empty()).then_some(BodyKind::Plain),
            text: (!note.is_empty()).then(|| Text::plain(note)),
            ..Contact::default()
        };
        for (text, value) in ContactText::ALL.iter().zip(texts) {
            contact.set_text(*text, &value::clean(&value));
        }
        contact
    }
}

/// The fields in which two differ, with both values; but for the one that follows from others and
/// the one that can't be changed.
fn differences(one: &Contact, other: &Contact) -> Vec<String> {
    let fields = one.differing(other).into_iter();
    let follows = [ContactField::Uid, ContactField::Of(ContactText::FileAs)];
    let fields = fields.filter(|field| !follows.contains(field));
    fields
        .map(|field| {
            let of = |from| {
                let mut only = Contact::default();
                only.take(field, from);
                only
            };
            format!("{field:?}: {:?} and {:?}", of(one), of(other))
        })
        .collect()
}

fn in_version(version: &str) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:{version}\r\nUID:u\r\nEND:VCARD\r\n").into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_patch_makes_one_contact_of_another_in_every_version(
        before in any_contact(),
        after in any_contact(),
        version in prop_oneof![Just("2.1"), Just("3.0"), Just("4.0")],
    ) {
        let empty = in_version(version);
        let first = apply(Some(&empty), &ContactPatch::whole(before.clone()), "k", NOW).unwrap();
        let shown = read(&first.object, &view()).unwrap();
        prop_assert_eq!(differences(&shown, &before), [""; 0]);
        let patch = ContactPatch::between(&shown, after.clone());
        let second = apply(Some(&first.object), &patch, "k", NOW).unwrap();
        let found = read(&second.object, &view()).unwrap();
        prop_assert_eq!(differences(&found, &after), [""; 0]);
        // Carried out again it changes nothing.
        let third = apply(Some(&second.object), &patch, "k", NOW).unwrap();
        prop_assert_eq!(third.object, second.object);
    }

    #[test]
    fn one_field_changes_and_the_others_stay(
        before in any_contact(),
        after in any_contact(),
        field in any::<prop::sample::Index>(),
    ) {
        let field = *field.get(&Contact::fields());
        let first = apply(None, &ContactPatch::whole(before), "k", NOW).unwrap();
        let mut wanted = read(&first.object, &view()).unwrap();
        let patch = ContactPatch::of([field], after);
        let second = apply(Some(&first.object), &patch, "k", NOW).unwrap();
        patch.apply(&mut wanted);
        let found = read(&second.object, &view()).unwrap();
        prop_assert_eq!(differences(&found, &wanted), [""; 0]);
    }

    #[test]
    fn any_lines_are_read_and_survive_an_edit(
        lines in proptest::collection::vec("(item[12]\\.)?(TEL|EMAIL|ADR|N|FN|IMPP|BDAY|X-A|PHOTO)(;TYPE=(WORK|HOME|CELL|FAX|PREF)){0,2}:[a-z;,\\\\]{0,8}", 0..14),
        after in any_contact(),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let object = card(&lines);
        let shown = read(&object, &view()).unwrap();
        let same = apply(Some(&object), &ContactPatch::whole(shown), "k", NOW).unwrap();
        prop_assert_eq!(&same.object, &object, "what was shown, told back, changes nothing");
        let done = apply(Some(&object), &ContactPatch::whole(after.clone()), "k", NOW).unwrap();
        let found = read(&done.object, &view()).unwrap();
        prop_assert_eq!(differences(&found, &after), [""; 0]);
    }
}

#[test]
fn a_new_line_of_2_1_has_its_types_one_by_one() {
    let object = b"BEGIN:VCARD\r\nVERSION:2.1\r\nFN:x\r\nTEL;VOICE:1\r\nEND:VCARD\r\n";
    let after = edit(object, &[(ContactText::HomePhone2, "2")]);
    assert!(after.contains(&"TEL;HOME;VOICE;X-DME-SLOT=HomePhone2:2".to_owned()), "{after:#?}");
    assert!(after.contains(&"TEL;VOICE;X-DME-SLOT=HomePhone:1".to_owned()), "{after:#?}");
}

#[test]
fn a_second_name_does_not_come_up_where_the_first_is_taken_out() {
    let object = card(&["N:Lee;Ann;;;", "FN:Ann Lee", "N:Other;Name;;;"]);
    let after = edit(&object, &[(ContactText::FirstName, ""), (ContactText::LastName, "")]);
    let after = after.join("\r\n") + "\r\n";
    assert_eq!(texts(after.as_bytes()), []);
    assert!(after.contains(":Other;Name;;;"), "it stays: {after}");
}

#[test]
fn a_line_with_quotes_that_never_end_keeps_its_place() {
    let object = card(&["TEL;TYPE=VOICE;X-A=\"b:1"]);
    let after = edit(&object, &[(ContactText::HomePhone2, "2")]).join("\r\n") + "\r\n";
    let wanted = [(ContactText::HomePhone, "1"), (ContactText::HomePhone2, "2")];
    assert_eq!(texts(after.as_bytes()), wanted.map(|(text, value)| (text, value.to_owned())));
}

#[test]
fn a_company_without_parts_of_a_name_gets_none_when_it_is_taken_out() {
    let object = card(&["FN:Corp", "ORG:Corp"]);
    let after = edit(&object, &[(ContactText::CompanyName, "")]).join("\r\n") + "\r\n";
    assert_eq!(texts(after.as_bytes()), []);
}

#[test]
fn keys_within_the_card_are_read_in_the_form_of_each_version() {
    let object = card(&[
        "KEY;ENCODING=b;TYPE=X509:AQID",
        "KEY;X509;BASE64:BAUG",
        "KEY:data:application/pkix-cert;base64,BwgJ",
        "KEY;MEDIATYPE=application/pgp-keys:https://example.org/key",
        "KEY:OPENPGP4FPR:0123",
    ]);
    assert_eq!(described(&object, &view()).unwrap().keys, [[1, 2, 3], [4, 5, 6], [7, 8, 9]]);
}

#[test]
fn a_card_says_what_it_is_of() {
    let kind = |lines: &[&str]| described(&card(lines), &view()).map(|card| card.kind);
    assert_eq!(kind(&["KIND:Location", "FN:Atlas"]).unwrap().as_deref(), Some("location"));
    assert_eq!(kind(&["FN:Ann"]).unwrap(), None);
    assert!(matches!(kind(&["KIND:group"]), Err(Error::Group)));
}
