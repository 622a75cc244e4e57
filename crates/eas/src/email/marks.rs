//! What is marked on a mail: read, flag, categories, what was done with it.

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::version::ProtocolVersion;
use dme_model::{FlagPatch, Flags, Followup};
use dme_wbxml::{Element, pages::email as page, pages::email2};
use std::collections::BTreeSet;

/// The most categories of one mail (MS-ASEMAIL 2.2.2.16).
const MAX_CATEGORIES: usize = 300;

/// What a flag is called where the mail system keeps no name for it.
const FLAG_TYPE: &str = "Flag for follow up";

/// The marks, as a Change tells them: `Read`, `Flag`, and from 14.0 on `Categories` and
/// `LastVerbExecuted`.
pub fn flags_to_elements(flags: &Flags, version: ProtocolVersion) -> Vec<Element> {
    let mut children = vec![];
    children.put_boolean(page::READ, flags.seen);
    children.push(flag_element(flags.followup));
    put_categories_and_verb(&mut children, flags, version);
    children
}

/// `Flag` (MS-ASEMAIL 2.2.2.34): empty where the mail is not marked. When it was completed
/// (`CompleteTime`, `DateCompleted`) is not kept by mail systems and not told.
pub(super) fn flag_element(followup: Followup) -> Element {
    let mut children = vec![];
    match followup {
        Followup::None => {}
        Followup::Complete => children.put(page::STATUS, "1"),
        Followup::Active => children.put(page::STATUS, "2"),
    }
    if followup != Followup::None {
        children.put(page::FLAG_TYPE, FLAG_TYPE);
    }
    Element::parent(page::FLAG, children)
}

/// What 12.1 does not know. When the verb was carried out is not kept by mail systems, so that
/// `LastVerbExecutionTime` is never sent.
pub(super) fn put_categories_and_verb(
    children: &mut Vec<Element>,
    flags: &Flags,
    version: ProtocolVersion,
) {
    if version < ProtocolVersion::V14_0 {
        return;
    }
    children.push(categories_element(&flags.categories));
    if flags.answered {
        children.put(email2::LAST_VERB_EXECUTED, "1");
    } else if flags.forwarded {
        children.put(email2::LAST_VERB_EXECUTED, "3");
    }
}

pub(super) fn categories_element(categories: &BTreeSet<String>) -> Element {
    let list = categories.iter().take(MAX_CATEGORIES);
    Element::parent(
        page::CATEGORIES,
        list.map(|name| Element::text(page::CATEGORY, &**name)).collect(),
    )
}

/// What a phone changed of a mail's marks. What else it sends is passed over.
///
/// # Errors
/// Where a mark does not hold what it must, or there are too many categories.
pub fn patch_from_elements(data: &[Element]) -> Result<FlagPatch> {
    let mut patch = FlagPatch::default();
    for element in data {
        match element.tag {
            page::READ => patch.seen = Some(read_boolean(element)?),
            page::FLAG => patch.followup = read_flag(element)?.or(patch.followup),
            page::CATEGORIES => patch.categories = Some(read_categories(element)?),
            _ => {}
        }
    }
    Ok(patch)
}

/// The same the other way: what a phone sends to change marks.
pub fn patch_to_elements(patch: &FlagPatch) -> Vec<Element> {
    let mut children = vec![];
    children.put_some_boolean(page::READ, patch.seen);
    children.extend(patch.followup.map(flag_element));
    children.extend(patch.categories.as_ref().map(categories_element));
    children
}

pub(super) fn read_boolean(element: &Element) -> Result<bool> {
    match element.text_value()?.trim() {
        "0" => Ok(false),
        "1" | "" => Ok(true),
        _ => Err(Error::Value { element: element.tag, expected: "0 or 1" }),
    }
}

/// None where the flag only has other properties.
pub(super) fn read_flag(element: &Element) -> Result<Option<Followup>> {
    if element.children().is_empty() {
        return Ok(Some(Followup::None));
    }
    super::flag::check(element)?;
    match element.number_of::<u8>(page::STATUS)? {
        None => Ok(None),
        Some(0) => Ok(Some(Followup::None)),
        Some(1) => Ok(Some(Followup::Complete)),
        Some(2) => Ok(Some(Followup::Active)),
        Some(_) => Err(Error::Value { element: page::STATUS, expected: "0 to 2" }),
    }
}

pub(super) fn read_categories(element: &Element) -> Result<BTreeSet<String>> {
    if element.children().len() > MAX_CATEGORIES {
        return Err(Error::TooMany { element: page::CATEGORY, limit: MAX_CATEGORIES });
    }
    let names = element.each(page::CATEGORY).map(|name| name.text_value().map(str::to_owned));
    names.filter(|name| !matches!(name, Ok(name) if name.is_empty())).collect()
}
