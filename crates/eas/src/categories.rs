//! `Categories` of events, contacts, tasks and notes.

use crate::error::{Error, Result};
use crate::fields::Fields;
use dme_wbxml::{Element, Tag};

/// The most categories of one item (MS-ASCAL 2.2.2.11, MS-ASCNTC 2.2.2.17).
const MAX_CATEGORIES: usize = 300;

/// The names within an element of this tag, each as an element of the other; none where there are
/// no names.
pub(crate) fn put(children: &mut Vec<Element>, list: Tag, one: Tag, names: &[String]) {
    if !names.is_empty() {
        let names = names.iter().take(MAX_CATEGORIES);
        let names = names.map(|name| Element::text(one, &**name)).collect();
        children.push(Element::parent(list, names));
    }
}

/// The names within, each once; empty ones are passed over.
///
/// # Errors
/// Where there are too many, or one is no text.
pub(crate) fn read(element: &Element, one: Tag) -> Result<Vec<String>> {
    if element.children().len() > MAX_CATEGORIES {
        return Err(Error::TooMany { element: one, limit: MAX_CATEGORIES });
    }
    let mut names: Vec<String> = vec![];
    for name in element.each(one) {
        let name = name.text_value()?.trim();
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
