//! A patch carried out on a card.

use super::{
    card::{Card, Version},
    date, name, picture,
    place::{self, Own, Place},
    read,
    slot::{self, NONE},
    value,
};
use dme_model::{BodyKind, BodyView, ContactField, ContactPatch, ContactText, Date};
use std::collections::BTreeMap;

/// New values of a structure's members, counted from 0.
type Members = BTreeMap<usize, String>;

/// Changes the fields that the patch names and that differ from what is shown. Says whether any did.
pub(super) fn apply(card: &mut Card, patch: &ContactPatch) -> bool {
    let shown = read::contact(card, &BodyView::default());
    let new = &patch.value;
    let mut changed = false;
    let mut texts: BTreeMap<ContactText, String> = BTreeMap::new();
    for field in &patch.fields {
        changed |= match field {
            ContactField::Uid => false,
            ContactField::Of(text) => {
                let wanted = value::clean(new.text_of(*text));
                let differs = wanted != shown.text_of(*text);
                texts.extend(differs.then_some((*text, wanted)));
                differs
            }
            ContactField::Birthday => day(card, &place::BIRTHDAY, shown.birthday, new.birthday),
            ContactField::Anniversary => {
                day(card, &place::ANNIVERSARY, shown.anniversary, new.anniversary)
            }
            ContactField::Categories => categories(card, &shown.categories, &new.categories),
            ContactField::Children => children(card, &shown.children, &new.children),
            ContactField::Picture => {
                let differs = new.picture != shown.picture;
                if differs {
                    picture::write(card, new.picture.as_ref());
                }
                differs
            }
            ContactField::Text => match &new.text {
                Some(text) if text.truncated => false,
                Some(text) => note(card, text.kind, &text.text),
                None => note(card, BodyKind::Plain, ""),
            },
        };
    }
    if changed {
        write_texts(card, &texts);
    }
    changed
}

/// Gives a new card that says nothing what it must have.
pub(super) fn complete(card: &mut Card) {
    write_texts(card, &BTreeMap::new());
}

fn write_texts(card: &mut Card, texts: &BTreeMap<ContactText, String>) {
    let before = (read::name(card), read::organisation(card));
    let (mut parts, mut company) = (Members::new(), Members::new());
    let mut addresses: BTreeMap<ContactText, Members> = BTreeMap::new();
    for (text, new) in texts {
        match Place::of(*text) {
            Place::Name(member) => parts.extend([(member, new.clone())]),
            Place::Organisation(member) => company.extend([(member, new.clone())]),
            Place::FileAs => own(card, &place::FILE_AS, new),
            Place::Own(line) => own(card, line, new),
            Place::Slot => {}
            Place::Address(slot, member) => {
                addresses.entry(slot).or_default().insert(member, new.clone());
            }
        }
    }
    for family in slot::SINGLE {
        let mine = texts.iter().filter(|(text, _)| family.has(**text));
        let mine: BTreeMap<_, _> = mine.map(|(text, new)| (*text, new.clone())).collect();
        if !mine.is_empty() {
            family.write(card, &mine);
        }
    }
    if !addresses.is_empty() {
        write_addresses(card, &addresses);
    }
    if !company.is_empty() {
        organisation(card, &company);
    }
    if !parts.is_empty() && read::parts(card).iter().all(String::is_empty) {
        // They were taken from the whole name; from now on they stand by themselves.
        for (member, part) in before.0.iter().enumerate() {
            parts.entry(member).or_insert_with(|| part.clone());
        }
    }
    let named = card.find("FN").is_some();
    if !parts.is_empty() || (!named && card.find("N").is_none()) {
        write_name(card, &parts);
    }
    if !parts.is_empty() || !company.is_empty() || !named {
        // Parts that were taken from the whole name still are, unless they were changed.
        let taken = parts.is_empty() && named;
        let after = if taken { before.0.clone() } else { read::parts(card) };
        write_whole_name(card, &before, &after);
    }
}

/// Writes members of `N`, which 3.0 must have.
fn write_name(card: &mut Card, parts: &Members) {
    let shown = place::NAME.lines(card).first().map(|line| line.id);
    let id = shown.or_else(|| card.find("N").map(|line| line.id));
    let id = id.unwrap_or_else(|| card.append("N", &[], ";;;;"));
    card.set_parameter(id, slot::PARAMETER, None);
    members(card, id, 5, parts);
}

/// Makes the name as it is shown follow its parts and the company.
fn write_whole_name(card: &mut Card, before: &(name::Parts, [String; 2]), after: &name::Parts) {
    let company = read::organisation(card);
    let old = card.text_of("FN");
    let ([was, _], [is, _]) = (&before.1, &company);
    match name::renamed(&old, (&before.0, was), (after, is)) {
        Some(new) if new.is_empty() => card.set_text_of("FN", &some_name(card)),
        Some(new) => card.set_text_of("FN", &new),
        None => {}
    }
    if after.iter().all(String::is_empty) && read::name(card) != *after {
        // Else the parts would be taken from the whole name again, or from a second `N`.
        if card.find("N").is_none() {
            card.append("N", &[], ";;;;");
        }
        let ids: Vec<usize> = card.named("N").map(|line| line.id).collect();
        ids.into_iter().for_each(|id| card.set_slot(id, NONE));
    }
}

/// What to call someone without a name; a card must call them something.
fn some_name(card: &Card) -> String {
    use ContactText as T;
    let texts = read::texts(card);
    let given = place::FILE_AS.lines(card).first().map(|line| line.text(card.version));
    let others = [T::NickName, T::Email1, T::MobilePhone, T::BusinessPhone, T::HomePhone];
    let others = others.iter().map(|text| texts.text_of(*text).to_owned());
    given.into_iter().chain(others).find(|name| !name.is_empty()).unwrap_or_else(|| "?".to_owned())
}

/// Writes members of `ORG`; takes the line out where nothing is left in it.
fn organisation(card: &mut Card, company: &Members) {
    let lines: Vec<usize> = place::ORGANISATION.lines(card).iter().map(|line| line.id).collect();
    let Some((id, others)) = lines.split_first() else {
        let id = card.append("ORG", &[], "");
        let needed = company.keys().max().map_or(1, |last| last + 1);
        return members(card, id, needed, company);
    };
    members(card, *id, 1, company);
    if is_empty(card, *id) {
        card.remove(*id);
        others.iter().for_each(|id| card.set_slot(*id, NONE));
    }
}

fn write_addresses(card: &mut Card, addresses: &BTreeMap<ContactText, Members>) {
    let before = slot::ADDRESS.filled(card);
    let mut wanted: BTreeMap<usize, ContactText> = BTreeMap::new();
    for (place, ids) in &before {
        wanted.extend(ids.iter().map(|id| (*id, *place)));
    }
    for (place, new) in addresses {
        let id = before.get(place).and_then(|ids| ids.first().copied());
        let id = id.unwrap_or_else(|| slot::ADDRESS.append(card, *place, ";;;;;;"));
        wanted.insert(id, *place);
        members(card, id, 7, new);
        if is_empty(card, id) {
            card.remove(id);
        }
    }
    slot::ADDRESS.settle(card, &wanted);
}

/// Puts new values into a structure of at least so many members; the others stay as they are.
fn members(card: &mut Card, id: usize, at_least: usize, new: &Members) {
    let Some(line) = card.line(id) else { return };
    let mut all = line.members();
    if let Some(last) = all.last_mut() {
        // One that ends in a lone backslash would swallow the separator behind it.
        let lone = last.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        last.push_str(if lone { "\\" } else { "" });
    }
    let needed = new.iter().filter(|(_, text)| !text.is_empty()).map(|(member, _)| member + 1);
    let needed = needed.max().unwrap_or_default().max(at_least).max(all.len());
    all.resize(needed, String::new());
    for (member, text) in new {
        if let Some(place) = all.get_mut(*member) {
            *place = card.version.escape(text);
        }
    }
    card.set_value(id, &all.join(";"));
}

fn is_empty(card: &Card, id: usize) -> bool {
    card.line(id).is_none_or(|line| line.members().iter().all(|one| one.trim().is_empty()))
}

/// Writes a text that has a line of its own. Lines that said the same follow; others that would
/// come up where it is taken out lose their place.
fn own(card: &mut Card, own: &Own, new: &str) {
    let lines: Vec<(usize, String)> =
        own.lines(card).iter().map(|line| (line.id, line.text(card.version))).collect();
    let value = match card.version {
        Version::V3 | Version::V4 if own.uri => value::escape_uri(new),
        version => version.escape(new),
    };
    let Some((_, old)) = lines.first() else {
        if !new.is_empty() {
            own.append(card, &value);
        }
        return;
    };
    for (id, text) in &lines {
        match (new.is_empty(), text == old) {
            (true, true) => card.remove(*id),
            (true, false) => card.set_slot(*id, NONE),
            (false, true) => card.set_value(*id, &value),
            (false, false) => {}
        }
    }
}

/// Writes a day; says whether it is another.
fn day(card: &mut Card, own: &Own, shown: Option<Date>, new: Option<Date>) -> bool {
    if new == shown {
        return false;
    }
    let old = read::day_line(card, own).map(|(line, date)| (line.id, date));
    let ids: Vec<usize> = own.lines(card).iter().map(|line| line.id).collect();
    let Some(new) = new else {
        // Only what was shown goes; another that would come up in its place loses it.
        let shown = old.map(|(id, _)| id);
        for id in ids {
            if Some(id) == shown { card.remove(id) } else { card.set_slot(id, NONE) }
        }
        return true;
    };
    let id = old.map(|(id, _)| id).or_else(|| ids.first().copied());
    let id = id.unwrap_or_else(|| own.append(card, ""));
    let before = card.line(id).map(|line| line.value().trim().to_owned()).unwrap_or_default();
    let dashed = if before.is_empty() { card.version != Version::V4 } else { before.contains('-') };
    let (value, omitted) = date::write(new, card.version, dashed && !before.starts_with("--"));
    // What is there may call it a text or a moment.
    card.set_parameter(id, "VALUE", None);
    card.set_parameter(id, "X-APPLE-OMIT-YEAR", omitted.as_deref());
    card.set_value(id, &value);
    true
}

/// Writes the categories: all into the first line.
fn categories(card: &mut Card, shown: &[String], new: &[String]) -> bool {
    let mut wanted: Vec<String> = Vec::new();
    for one in new.iter().map(|one| value::clean_line(one)) {
        if !one.is_empty() && !wanted.contains(&one) {
            wanted.push(one);
        }
    }
    if wanted == shown {
        return false;
    }
    let hidden = read::all_categories(card).filter(|one| !shown.contains(one));
    wanted.extend(hidden);
    let ids: Vec<usize> = card.named("CATEGORIES").map(|line| line.id).collect();
    let (first, others) = match ids.split_first() {
        Some((first, others)) => (Some(*first), others),
        None => (None, ids.as_slice()),
    };
    others.iter().for_each(|id| card.remove(*id));
    let escaped: Vec<String> = wanted.iter().map(|one| value::escape(one)).collect();
    match first {
        Some(id) if wanted.is_empty() => card.remove(id),
        Some(id) => card.set_value(id, &escaped.join(",")),
        None => {
            card.append("CATEGORIES", &[], &escaped.join(","));
        }
    }
    true
}

/// Writes the children's names, each into a line of its own, in order.
fn children(card: &mut Card, shown: &[String], new: &[String]) -> bool {
    let wanted: Vec<String> = new.iter().map(|one| value::clean_line(one)).collect();
    let wanted: Vec<String> = wanted.into_iter().filter(|one| !one.is_empty()).collect();
    if wanted == shown {
        return false;
    }
    let lines: Vec<(usize, String)> = read::child_lines(card).collect();
    for (at, (id, name)) in lines.iter().enumerate() {
        match wanted.get(at) {
            Some(new) if new != name => {
                let value = card.version.escape(new);
                card.set_value(*id, &value);
            }
            Some(_) => {}
            None => card.remove(*id),
        }
    }
    for name in wanted.iter().skip(lines.len()) {
        let value = card.version.escape(name);
        place::CHILDREN.append(card, &value);
    }
    true
}

/// Writes the notes; a card has plain ones only.
fn note(card: &mut Card, kind: BodyKind, text: &str) -> bool {
    let old = read::note(card);
    let new = match kind {
        BodyKind::Html => value::clean(&dme_mime::plain_of(text)),
        _ => value::clean(text),
    };
    // What a phone was shown as HTML comes back with other spaces.
    let html = kind == BodyKind::Html;
    if new == old || (html && new.split_whitespace().eq(old.split_whitespace())) {
        return false;
    }
    own(card, &place::NOTE, &new);
    true
}
