use super::*;
use crate::Ghosting;
use dme_model::{BodyKind, Date, Fields as _, Text, ZoneId};
use proptest::prelude::*;

use ProtocolVersion::{V12_1, V14_0, V14_1, V16_1};

fn zone(name: &str) -> Zone {
    Zone::of(&ZoneId::from(name)).unwrap()
}

fn home() -> Zone {
    zone("Europe/Berlin")
}

/// A contact with everything.
fn contact() -> Contact {
    let mut contact = Contact {
        birthday: Some(Date { year: Some(1979), month: 2, day: 28 }),
        anniversary: Some(Date { year: None, month: 2, day: 29 }),
        categories: vec!["Friends".into()],
        children: vec!["Cy".into(), "Di".into()],
        picture: Some(Picture(vec![0xFF, 0xD8, 0xFF].into())),
        native: Some(BodyKind::Plain),
        text: Some(Text::plain("Met in Berne")),
        ..Contact::default()
    };
    for which in ContactText::ALL {
        contact.set_text(*which, &format!("{which:?}"));
    }
    contact
}

fn change(data: &[Element], supported: Option<&[Tag]>, present: &Contact) -> ContactPatch {
    let ghosting = Ghosting::of(supported);
    let writing = Writing::Change { ghosting: &ghosting, present: Some(present) };
    patch_from_elements(data, V16_1, writing, &home()).unwrap()
}

fn add(data: &[Element]) -> Result<Contact> {
    patch_from_elements(data, V16_1, Writing::Add, &home()).map(|patch| patch.value)
}

fn fields(patch: &ContactPatch) -> Vec<ContactField> {
    patch.fields.iter().copied().collect()
}

#[test]
fn every_text_has_one_element_and_every_element_one_text() {
    for which in ContactText::ALL {
        let mut tags = table::TEXTS.iter().filter(|(text, _, _)| text == which).map(|text| text.1);
        let tag = tags.next().unwrap();
        assert_eq!((text_of(tag), tags.next()), (Some(*which), None));
        assert!(tag.name().is_some());
    }
    assert_eq!(table::TEXTS.len(), ContactText::ALL.len());
}

#[test]
fn everything_told_of_a_contact_is_read_back() {
    let elements = to_elements(&contact(), V16_1);
    assert_eq!(from_elements(&elements, &home()), Ok(contact()));
    let names: Vec<_> = elements.iter().filter_map(|element| element.tag.name()).collect();
    assert_eq!(names[..4], ["Anniversary", "Birthday", "AssistantName", "AssistantPhoneNumber"]);
    assert_eq!(
        names[names.len() - 5..],
        ["Categories", "Children", "Picture", "Body", "NativeBodyType"]
    );
}

#[test]
fn each_version_is_told_what_it_knows() {
    for (tag, since) in [(page::ALIAS, V14_0), (page::WEIGHTED_RANK, V14_0), (page::TITLE, V12_1)] {
        for version in ProtocolVersion::ALL {
            let is_there = to_elements(&contact(), version).iter().any(|e| e.tag == tag);
            assert_eq!(is_there, version >= since, "{:?} in {version}", tag.name());
        }
    }
}

#[test]
fn left_out_of_a_change_an_element_is_deleted_unless_it_is_ghosted() {
    let mut present = Contact::default();
    present.set_text(ContactText::JobTitle, "Cook");
    present.set_text(ContactText::Spouse, "Bo");
    let (job, spouse) =
        (ContactField::Of(ContactText::JobTitle), ContactField::Of(ContactText::Spouse));
    assert_eq!(fields(&change(&[], None, &present)), [job, spouse]);
    assert_eq!(fields(&change(&[], Some(&[page::JOB_TITLE]), &present)), [job]);
    assert!(change(&[], Some(&[]), &present).is_empty());
    // Ghosted or not, what is said is said.
    let data = [Element::text(page::SPOUSE, "Cy")];
    assert_eq!(fields(&change(&data, Some(&[]), &present)), [spouse]);
}

#[test]
fn picture_and_notes_stay_when_left_out_and_go_when_emptied() {
    let present = Contact {
        picture: contact().picture,
        text: contact().text,
        native: contact().native,
        ..Contact::default()
    };
    assert!(change(&[], None, &present).is_empty());
    let data = [Element::empty(page::PICTURE), Element::empty(air_sync_base::BODY)];
    let patch = change(&data, None, &present);
    assert_eq!(fields(&patch), [ContactField::Picture, ContactField::Text]);
    assert_eq!((patch.value.picture, patch.value.text), (None, None));
}

#[test]
fn a_picture_too_large_to_be_told_outlives_changes() {
    let picture = Some(Picture(vec![7; 40_000].into()));
    let present = Contact { picture, ..Contact::default() };
    let elements = to_elements(&present, V14_1);
    assert!(elements.iter().all(|element| element.tag != page::PICTURE));
    assert!(change(&[Element::empty(page::PICTURE)], None, &present).is_empty());
    let small = Contact { picture: Some(Picture(vec![7; 36_864].into())), ..Contact::default() };
    let text = to_elements(&small, V14_1).iter().find_map(|e| e.as_text().map(str::len));
    assert_eq!(text, Some(48 * 1024));
}

#[test]
fn what_the_server_sets_is_not_written_by_a_phone() {
    let data = [Element::text(page::WEIGHTED_RANK, "9"), Element::text(page::ALIAS, "x")];
    assert!(change(&data, None, &contact()).value.text_of(ContactText::Alias).is_empty());
    assert_eq!(add(&data), Ok(Contact::default()));
}

#[test]
fn a_birthday_is_the_day_that_is_meant_whichever_midnight_it_is() {
    let day = |text, zone: &str| {
        let data = [Element::text(page::BIRTHDAY, text)];
        from_elements(&data, &super::tests::zone(zone)).unwrap().birthday.unwrap()
    };
    let expected = Date { year: Some(1979), month: 3, day: 1 };
    for (text, zone) in [
        ("1979-03-01T00:00:00.000Z", "Europe/Berlin"),
        ("1979-02-28T23:00:00.000Z", "Europe/Berlin"),
        ("1979-03-01T05:00:00.000Z", "America/New_York"),
        ("1979-02-28T11:00:00.000Z", "Pacific/Auckland"),
        ("1979-03-01T10:00:00.000Z", "Pacific/Honolulu"),
        ("1979-03-01T11:59:00.000Z", "Pacific/Auckland"),
        ("1979-03-01T12:00:00.000Z", "Europe/Berlin"),
        // On a clock that is not the user's.
        ("1979-02-28T18:30:00.000Z", "Europe/Berlin"),
        ("1979-03-01T08:00:00.000Z", "Europe/Berlin"),
    ] {
        assert_eq!(day(text, zone), expected, "{text} {zone}");
    }
    assert_eq!(
        day("1604-02-29T00:00:00.000Z", "Europe/Berlin"),
        Date { year: None, month: 2, day: 29 }
    );
}

#[test]
fn a_birthday_is_told_near_noon() {
    let elements = to_elements(&contact(), V14_1);
    let value =
        |tag| elements.iter().find(|element| element.tag == tag).unwrap().as_text().unwrap();
    assert_eq!(value(page::BIRTHDAY), "1979-02-28T11:59:00.000Z");
    assert_eq!(value(page::ANNIVERSARY), "1604-02-29T11:59:00.000Z");
}

#[test]
fn a_mail_address_is_read_with_a_name_or_without() {
    for text in ["ann@corp.example", "\"Ann Bell\" <ann@corp.example>", "Ann <ann@corp.example>"] {
        let contact = add(&[Element::text(page::EMAIL1_ADDRESS, text)]).unwrap();
        assert_eq!(contact.text_of(ContactText::Email1), "ann@corp.example");
    }
    let contact = add(&[Element::text(page::EMAIL1_ADDRESS, "Ann Bell")]).unwrap();
    assert_eq!(contact.text_of(ContactText::Email1), "Ann Bell", "nothing is lost");
}

#[test]
fn a_street_has_lines_and_all_else_is_one() {
    let data = [
        Element::text(page::HOME_ADDRESS_STREET, "Main St 1\r\nFloor 2"),
        Element::text(page::COMPANY_NAME, "Bell\r\nBrothers"),
    ];
    let contact = add(&data).unwrap();
    assert_eq!(contact.text_of(ContactText::HomeStreet), "Main St 1\nFloor 2");
    assert_eq!(contact.text_of(ContactText::CompanyName), "Bell  Brothers");
}

#[test]
fn what_is_wrong_is_said_with_its_element() {
    let wrong = |element: Element| add(std::slice::from_ref(&element)).unwrap_err();
    assert_eq!(
        wrong(Element::text(page::BIRTHDAY, "in spring")),
        Error::Value { element: page::BIRTHDAY, expected: "a date and time" }
    );
    assert!(matches!(wrong(Element::text(page::PICTURE, "!!")), Error::Value { .. }));
    let large = Element::opaque(page::PICTURE, vec![0; MAX_PICTURE_READ + 1]);
    assert!(matches!(wrong(large), Error::Value { element: page::PICTURE, .. }));
    let many = Element::parent(page::CHILDREN, vec![Element::empty(page::CHILD); 301]);
    assert!(matches!(wrong(many), Error::TooMany { .. }));
    let rtf = vec![Element::text(air_sync_base::TYPE, "3")];
    assert!(matches!(wrong(Element::parent(air_sync_base::BODY, rtf)), Error::Value { .. }));
}

#[test]
fn a_contact_from_ios_in_14_1() {
    let mut data: Vec<_> = [
        (page::FIRST_NAME, "Ann"),
        (page::LAST_NAME, "Bell"),
        (page::FILE_AS, "Bell, Ann"),
        (page::EMAIL1_ADDRESS, "ann@corp.example"),
        (page::MOBILE_PHONE_NUMBER, "+49 171 1234567"),
        (page::BIRTHDAY, "1979-02-28T00:00:00.000Z"),
    ]
    .map(|(tag, text)| Element::text(tag, text))
    .to_vec();
    let body = [(air_sync_base::TYPE, "1"), (air_sync_base::DATA, "Met in Berne")];
    let body = body.map(|(tag, text)| Element::text(tag, text)).to_vec();
    data.push(Element::parent(air_sync_base::BODY, body));
    data.push(Element::text(page::PICTURE, "/9j/4AAQ\r\nSkZJRg=="));
    let contact = add(&data).unwrap();
    assert_eq!(contact.text_of(ContactText::MobilePhone), "+49 171 1234567");
    assert_eq!(contact.birthday, Some(Date { year: Some(1979), month: 2, day: 28 }));
    assert_eq!(contact.text, Some(Text::plain("Met in Berne")));
    assert_eq!(contact.picture.unwrap().0[..3], [0xFF, 0xD8, 0xFF]);
}

fn any_contact() -> impl Strategy<Value = Contact> {
    let texts = proptest::collection::btree_map(
        (0..ContactText::ALL.len()).prop_map(|at| ContactText::ALL[at]),
        "[a-z0-9]{1,9}",
        0..12,
    );
    let day = proptest::option::of((proptest::option::of(1700u16..2100), 1u8..13, 1u8..29));
    let names = || proptest::collection::btree_set("[a-z]{1,5}", 0..3);
    let picture = proptest::option::of(proptest::collection::vec(any::<u8>(), 1..50));
    (texts, day, names(), names(), picture, "[ -~]{0,20}").prop_map(
        |(texts, day, categories, children, picture, text)| {
            let text = (!text.is_empty()).then(|| Text::plain(text));
            Contact {
                texts,
                birthday: day.map(|(year, month, day)| Date { year, month, day }),
                categories: categories.into_iter().collect(),
                children: children.into_iter().collect(),
                picture: picture.map(|bytes| Picture(bytes.into())),
                native: text.as_ref().map(|text| text.kind),
                text,
                ..Contact::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn what_the_server_tells_is_what_the_phone_reads(contact in any_contact()) {
        let elements = to_elements(&contact, V16_1);
        prop_assert_eq!(from_elements(&elements, &home()).unwrap(), contact);
    }

    #[test]
    fn what_a_phone_repeats_is_no_change(contact in any_contact()) {
        for version in ProtocolVersion::ALL {
            let ghosting = Ghosting::default();
            let writing = Writing::Change { ghosting: &ghosting, present: Some(&contact) };
            let data = to_elements(&contact, version);
            let patch = patch_from_elements(&data, version, writing, &home()).unwrap();
            prop_assert!(patch.is_empty(), "{}: {:?}", version, patch);
        }
    }

    #[test]
    fn a_patch_over_the_wire_is_the_same_patch(before in any_contact(), after in any_contact()) {
        let mut wanted = ContactPatch::between(&before, after.clone());
        for which in SET_BY_SERVER {
            wanted.fields.remove(&ContactField::Of(which));
        }
        let mut expected = before.clone();
        wanted.apply(&mut expected);
        let mut made = before.clone();
        let data = patch_to_elements(&wanted, V16_1);
        change(&data, Some(&[]), &before).apply(&mut made);
        let same = |contact: &Contact| contact.text.as_ref().map(|t| t.text.trim_end().to_owned());
        prop_assert_eq!(same(&made), same(&expected));
        let differing = made.differing(&expected);
        prop_assert!(differing.iter().all(|field| *field == ContactField::Text), "{differing:?}");
    }
}
