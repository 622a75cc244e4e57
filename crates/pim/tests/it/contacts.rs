//! Cards as programs really write them: what is shown of them, and that an edit of any field
//! leaves all else as it was.

use dme_model::{
    BodyView, Contact, ContactField, ContactPatch, ContactText, Date, Fields as _, Text, Timestamp,
};
use dme_pim::contact::{apply, read};
use std::fs;
use std::path::PathBuf;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// Every card of the corpus, by the name of its file.
pub fn corpus() -> Vec<(String, Vec<u8>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let cards = files.filter(|path| path.extension().is_some_and(|it| it == "vcf"));
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut all: Vec<_> = cards.map(|path| (name(&path), fs::read(&path).unwrap())).collect();
    all.sort();
    assert!(all.len() >= 25, "the corpus is there");
    all
}

fn shown(card: &[u8]) -> Contact {
    read(card, &BodyView::default().or_native(None)).unwrap()
}

/// The lines of a card, unfolded, without the marks of places; as Latin-1, in which every byte means
/// something.
pub fn lines(card: &[u8]) -> Vec<String> {
    let text: String = card.iter().map(|byte| char::from(*byte)).collect();
    let text = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "").replace("=\n", "");
    text.lines()
        .map(|line| match line.find(";X-DME-SLOT=") {
            Some(at) => {
                let rest = &line[at + 1..];
                let end = rest.find([';', ':']).unwrap_or(rest.len());
                format!("{}{}", &line[..at], &rest[end..])
            }
            None => line.to_owned(),
        })
        .collect()
}

/// The property of a line, upper case, without its group.
pub fn property(line: &str) -> String {
    let head = line.split([';', ':']).next().unwrap_or_default();
    head.rsplit('.').next().unwrap_or_default().to_ascii_uppercase()
}

/// Which properties an edit of a field may touch.
fn touched(field: ContactField) -> &'static [&'static str] {
    use ContactText as T;
    match field {
        ContactField::Uid => &[],
        ContactField::Birthday => &["BDAY"],
        ContactField::Anniversary => &["ANNIVERSARY", "ABDATE", "ABLABEL"],
        ContactField::Categories => &["CATEGORIES"],
        ContactField::Children => &["CHILD", "RELATED", "ABRELATEDNAMES", "ABLABEL"],
        ContactField::Picture => &["PHOTO"],
        ContactField::Text => &["NOTE"],
        ContactField::Of(text) => match text {
            T::FirstName | T::LastName | T::MiddleName | T::Title | T::Suffix => &["N", "FN"],
            T::CompanyName | T::Department => &["ORG", "FN"],
            T::FileAs => &["FILE-AS"],
            T::Email1 | T::Email2 | T::Email3 => &["EMAIL", "ABLABEL"],
            T::Im1 | T::Im2 | T::Im3 => {
                &["IMPP", "JABBER", "SKYPE", "ICQ", "MSN", "AIM", "IMADDRESS", "USERNAME"]
            }
            T::OfficeLocation
            | T::BusinessStreet
            | T::BusinessCity
            | T::BusinessState
            | T::BusinessPostalCode
            | T::BusinessCountry
            | T::HomeStreet
            | T::HomeCity
            | T::HomeState
            | T::HomePostalCode
            | T::HomeCountry
            | T::OtherStreet
            | T::OtherCity
            | T::OtherState
            | T::OtherPostalCode
            | T::OtherCountry => &["ADR", "ABLABEL", "ABADR"],
            T::NickName => &["NICKNAME"],
            T::JobTitle => &["TITLE"],
            T::WebPage => &["URL", "ABLABEL"],
            T::YomiFirstName | T::YomiLastName | T::YomiCompanyName => &["NAME", "PHONETIC-ORG"],
            T::AssistantName => &["ASSISTANT", "ABRELATEDNAMES", "ABLABEL", "ASSISTANTSNAME"],
            T::ManagerName => &["MANAGER", "ABRELATEDNAMES", "ABLABEL", "MANAGERSNAME"],
            T::Spouse => &["SPOUSE", "ABRELATEDNAMES", "ABLABEL", "SPOUSESNAME", "RELATED"],
            T::CustomerId | T::GovernmentId | T::AccountName | T::WeightedRank | T::Alias => &[],
            _ => &["TEL", "ABLABEL"],
        },
    }
}

#[test]
fn what_is_shown_told_back_changes_nothing() {
    for (name, card) in corpus() {
        let patch = ContactPatch::whole(shown(&card));
        let done = apply(Some(&card), &patch, "k", NOW).unwrap();
        assert!(done.object == card, "{name}: {}", String::from_utf8_lossy(&done.object));
    }
}

#[test]
fn an_edit_of_any_field_touches_its_own_lines_only() {
    let mut other = Contact {
        birthday: Some(Date { year: Some(1999), month: 12, day: 31 }),
        anniversary: Some(Date { year: Some(2019), month: 12, day: 31 }),
        categories: vec!["New".into()],
        children: vec!["Nova".into()],
        text: Some(Text::plain("a new note")),
        native: Some(dme_model::BodyKind::Plain),
        ..Contact::default()
    };
    for text in ContactText::ALL {
        other.set_text(*text, "new");
    }
    for (name, card) in corpus() {
        let (before, lines_before) = (shown(&card), lines(&card));
        for field in Contact::fields() {
            for value in [&other, &Contact::default()] {
                let patch = ContactPatch::of([field], value.clone());
                let done = apply(Some(&card), &patch, "k", NOW).unwrap();
                let mut wanted = before.clone();
                patch.apply(&mut wanted);
                let found = shown(&done.object);
                let file_as = ContactField::Of(ContactText::FileAs);
                let follows = [ContactField::Uid, file_as];
                let differing = found.differing(&wanted);
                let wrong: Vec<_> = differing.iter().filter(|it| !follows.contains(it)).collect();
                assert!(wrong.is_empty(), "{name}, {field:?}: {wrong:?}");
                let after = lines(&done.object);
                for line in lines_before.iter().filter(|line| !after.contains(line)) {
                    let property = property(line);
                    let may = touched(field)
                        .iter()
                        .any(|it| property == *it || property.ends_with(&format!("-{it}")));
                    assert!(may || property == "REV", "{name}, {field:?}: lost {line}");
                }
            }
        }
    }
}

#[test]
fn the_same_is_shown_of_the_same_person_whoever_wrote_the_card() {
    use ContactText::*;
    let cases: [(&str, &[(ContactText, &str)]); 17] = [
        (
            "apple-macos",
            &[
                (FirstName, "Ann"),
                (LastName, "Whitfield"),
                (Title, "Dr."),
                (Suffix, "jr."),
                (CompanyName, "Contoso, Ltd."),
                (Department, "Sales"),
                (NickName, "Annie"),
                (Email1, "ann@contoso.example"),
                (Email3, "ann@club.example"),
                (MobilePhone, "+49 170 1234567"),
                (HomePhone, "+49 30 111"),
                (CompanyMainPhone, "+49 30 333"),
                (HomeFax, "+49 30 444"),
                (BusinessFax, "+49 30 555"),
                (HomePhone2, "+49 30 777"),
                (HomeStreet, "Größenstraße 1\nHinterhof"),
                (BusinessCity, "Cape Town"),
                (WebPage, "https://contoso.example/ann"),
                (Spouse, "Béla"),
                (AssistantName, "Dora"),
                (Im1, "ann@jabber.example"),
                (Im2, ""),
                (YomiCompanyName, "Kontoso"),
            ],
        ),
        ("apple-ios", &[(FirstName, "小明"), (LastName, "王"), (HomeCity, "北京")]),
        ("apple-company", &[(FirstName, ""), (LastName, ""), (CompanyName, "Küchenbau Nord GmbH")]),
        (
            "google",
            &[(ManagerName, "Femi"), (HomePhone, "+234 1 999"), (Email2, "zoe@other.example")],
        ),
        (
            "outlook-2.1",
            &[
                (FirstName, "Jürgen"),
                (CompanyName, "Küchenbau"),
                (OfficeLocation, "Zimmer 12"),
                (BusinessStreet, "Hafenstraße 1"),
                (AssistantPhone, "+49 (40) 5"),
                (CompanyMainPhone, "+49 (40) 6"),
                (Spouse, "Erika"),
                (ManagerName, "Chefin"),
                (Im1, "sip:j.mueller@kueche.example"),
                (MobilePhone, "+49 (170) 3"),
            ],
        ),
        (
            "exchange",
            &[
                (BusinessPhone, "1"),
                (BusinessPhone2, "2"),
                (HomePhone2, "4"),
                (CarPhone, "6"),
                (Pager, "7"),
                (OtherCity, "Denver"),
            ],
        ),
        ("thunderbird-4", &[(BusinessPhone, "+47-2"), (WebPage, "https://tb.example/?a=1,2;b")]),
        ("nextcloud", &[(Spouse, "Arjun"), (CompanyName, ""), (Im1, "priya@jabber.example")]),
        ("nextcloud-4", &[(HomePhone, "+33 1"), (BusinessPhone, "+33 2"), (Title, "M.")]),
        ("android-2.1", &[(FirstName, "花子"), (LastName, "田中"), (YomiFirstName, "はなこ")]),
        ("davx5", &[(CarPhone, "+27 2"), (Mms, "+27 3"), (RadioPhone, "+27 4")]),
        (
            "evolution",
            &[
                (FileAs, "Nkurunziza, Aline"),
                (AssistantPhone, "+257 2"),
                (RadioPhone, "+257 3"),
                (CompanyMainPhone, "+257 4"),
                (Spouse, "Eric"),
                (Department, "Export"),
            ],
        ),
        ("kaddressbook", &[(Spouse, "Kostas"), (ManagerName, "Max"), (AssistantName, "Bo")]),
        ("icloud-4-no-name", &[(FirstName, "Only Shown"), (LastName, "Name")]),
        ("blackberry", &[(LastName, "Berry"), (Email3, "b3@berry.example")]),
        (
            "nokia",
            &[(LastName, "Ärger"), (FirstName, "Käthe"), (MobilePhone, "1"), (HomePhone, "2")],
        ),
        ("messaging", &[(Im1, "chris.skype"), (Im2, "12345"), (Im3, "chris@msn.example")]),
    ];
    let corpus = corpus();
    for (name, wanted) in cases {
        let card = &corpus.iter().find(|(it, _)| it == name).unwrap().1;
        let found = shown(card);
        for (text, value) in wanted {
            assert_eq!(found.text_of(*text), *value, "{name}: {text:?}");
        }
    }
    let of = |name: &str| shown(&corpus.iter().find(|(it, _)| it == name).unwrap().1);
    let day = |year: Option<u16>, month, day| Some(Date { year, month, day });
    assert_eq!(of("apple-macos").birthday, day(None, 2, 29));
    assert_eq!(of("apple-macos").anniversary, day(Some(2009), 6, 1));
    assert_eq!(of("google").birthday, day(None, 4, 12));
    assert_eq!(of("outlook-2.1").anniversary, day(Some(2001), 2, 3));
    assert_eq!(of("sloppy").birthday, None);
    assert_eq!(of("nextcloud-4").children, ["Léa", "Noé"]);
    for with_picture in ["apple-macos", "nextcloud-4", "horde", "nokia"] {
        assert!(of(with_picture).picture.is_some(), "{with_picture}");
    }
    assert_eq!(of("google").picture, None, "what lies elsewhere is not fetched");
    assert_eq!(of("outlook-2.1").text.unwrap().text, "erste Zeile\nzweite Zeile");
}
