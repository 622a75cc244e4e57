//! A card as a neutral [`Contact`].

use super::{
    MAX_TEXT,
    card::{Card, Version},
    date,
    line::Line,
    name::{self, Parts},
    picture,
    place::{self, Own, Place},
    slot, value,
};
use dme_mime::Written;
use dme_model::{BodyKind, BodyView, Contact, ContactText, Date};

/// What a phone is shown of a card.
pub(super) fn contact(card: &Card, view: &BodyView) -> Contact {
    let mut contact = Contact {
        uid: card.uid(),
        birthday: birthday(card, &place::BIRTHDAY),
        anniversary: birthday(card, &place::ANNIVERSARY),
        categories: categories(card),
        children: children(card),
        picture: picture::find(card).map(|(_, picture)| picture),
        ..texts(card)
    };
    let note = note(card);
    if !note.is_empty() {
        contact.native = Some(BodyKind::Plain);
        contact.text = Written { plain: Some(&note), html: None }.view(view);
    }
    contact
}

/// Its texts alone.
pub(super) fn texts(card: &Card) -> Contact {
    let mut contact = Contact::default();
    let name = name(card);
    let company = organisation(card);
    let addresses = slot::ADDRESS.filled(card);
    for family in slot::SINGLE {
        for (place, ids) in family.filled(card) {
            let line = ids.first().and_then(|id| card.line(*id));
            let text = line.map(|line| family.text(card, line)).unwrap_or_default();
            contact.set_text(place, &shown(text));
        }
    }
    for text in ContactText::ALL {
        let found = match Place::of(*text) {
            Place::Name(member) => name.get(member).cloned(),
            Place::Organisation(member) => company.get(member).cloned(),
            Place::FileAs => Some(file_as(card)),
            Place::Own(own) => own.lines(card).first().map(|line| line.text(card.version)),
            Place::Slot => None,
            Place::Address(slot, member) => {
                let line = addresses.get(&slot).and_then(|ids| card.line(*ids.first()?));
                line.and_then(|line| member_of(card.version, line, member))
            }
        };
        if let Some(found) = found {
            contact.set_text(*text, &shown(found));
        }
    }
    contact
}

/// The parts of the name; from the whole of it where the card has no parts.
pub(super) fn name(card: &Card) -> Parts {
    let parts = parts(card);
    // An edit that leaves no name says so at the line.
    let none = card.named("N").any(|line| line.slot().is_some());
    if none || parts.iter().any(|part| !part.is_empty()) {
        return parts;
    }
    let whole = value::clean_line(&card.text_of("FN"));
    let [company, ..] = organisation(card);
    // A card of a company has its name there.
    if whole == company { parts } else { name::split(&whole) }
}

/// The members of `N`.
pub(super) fn parts(card: &Card) -> Parts {
    let line = place::NAME.lines(card).first().copied();
    std::array::from_fn(|at| {
        line.and_then(|line| member_of(card.version, line, at)).unwrap_or_default()
    })
}

/// Company and department.
pub(super) fn organisation(card: &Card) -> [String; 2] {
    let line = place::ORGANISATION.lines(card).first().copied();
    std::array::from_fn(|at| {
        line.and_then(|line| member_of(card.version, line, at)).unwrap_or_default()
    })
}

fn member_of(version: Version, line: &Line, member: usize) -> Option<String> {
    line.members().get(member).map(|text| value::clean(&version.unescape(text)))
}

/// Under which the person is listed.
fn file_as(card: &Card) -> String {
    let given = place::FILE_AS.lines(card).first().map(|line| line.text(card.version));
    given.unwrap_or_else(|| card.text_of("FN"))
}

/// The first day among the lines that names one.
fn birthday(card: &Card, own: &Own) -> Option<Date> {
    day_line(card, own).map(|(_, date)| date)
}

/// The line of a day, and the day.
pub(super) fn day_line<'a>(card: &'a Card, own: &Own) -> Option<(&'a Line, Date)> {
    own.lines(card).into_iter().find_map(|line| {
        let mut date = date::read(&line.value())?;
        let omitted = line.parameter("X-APPLE-OMIT-YEAR").and_then(|year| year.parse().ok());
        date.year = date.year.filter(|year| Some(*year) != omitted);
        Some((line, date))
    })
}

/// The user's categories, each once.
pub(super) fn categories(card: &Card) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for one in all_categories(card) {
        if all.len() < MAX_LIST && !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

/// All of them, also those that are not shown.
pub(super) fn all_categories(card: &Card) -> impl Iterator<Item = String> {
    let lines = card.named("CATEGORIES");
    let values = lines.flat_map(|line| line.parts(','));
    let texts = values.map(|one| value::clean_line(&card.version.unescape(&one)));
    texts.filter(|one| !one.is_empty())
}

/// How many categories and children are shown; no one has more.
const MAX_LIST: usize = 300;

/// The children's names.
fn children(card: &Card) -> Vec<String> {
    child_lines(card).map(|(_, name)| name).collect()
}

/// The lines that name the children, and the names.
pub(super) fn child_lines(card: &Card) -> impl Iterator<Item = (usize, String)> {
    let lines = place::CHILDREN.lines(card).into_iter();
    let names = lines.map(|line| (line.id, value::clean_line(&line.text(card.version))));
    names.filter(|(_, name)| !name.is_empty()).take(MAX_LIST)
}

/// The notes.
pub(super) fn note(card: &Card) -> String {
    let note = place::NOTE.lines(card).first().map(|line| line.text(card.version));
    value::clean(&note.unwrap_or_default())
}

/// A text within the limit of what is shown.
fn shown(text: String) -> String {
    let mut text = value::clean(&text);
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(end);
        text.truncate(text.trim_end().len());
    }
    text
}
