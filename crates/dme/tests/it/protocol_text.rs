//! Requests and answers as the protocol's documents print them: XML. The requests of the protocol
//! tests are written so, and go to the server without the typed commands of `dme_eas`, which would
//! hide a misreading that both sides share.

use anyhow::{Context, Result, bail, ensure};
use dme_wbxml::{Content, Element, Tag};

/// Stands for opaque bytes in a request.
const OPAQUE: &str = "@";

/// A request: `<AirSync:Sync><Collections>…`. An element without a prefix is of its parent's code
/// page. A text that is `@` stands for `opaque`.
pub fn request(text: &str, opaque: &[u8]) -> Result<Element> {
    let mut rest = text.trim();
    let element = element(&mut rest, None, opaque)?;
    ensure!(rest.is_empty(), "more than one element: {rest:?}");
    Ok(element)
}

fn element(rest: &mut &str, parent: Option<Tag>, opaque: &[u8]) -> Result<Element> {
    let (head, after) = rest
        .strip_prefix('<')
        .and_then(|inner| inner.split_once('>'))
        .with_context(|| format!("no element at {rest:?}"))?;
    *rest = after;
    let name = head.trim_end_matches('/');
    let tag = tag(name, parent)?;
    if head.ends_with('/') {
        return Ok(Element::empty(tag));
    }
    let mut children = Vec::new();
    loop {
        let (text, _) = rest.split_once('<').with_context(|| format!("<{name}> has no end"))?;
        *rest = &rest[text.len()..];
        if let Some(after) = rest.strip_prefix("</") {
            let (ends, after) = after.split_once('>').context("an end tag has no end")?;
            ensure!(ends == name, "<{name}> is ended by </{ends}>");
            *rest = after;
            return Ok(match (children.is_empty(), text.trim()) {
                (false, _) => Element::parent(tag, children),
                (true, OPAQUE) => Element::opaque(tag, opaque.to_vec()),
                (true, text) => Element::text(tag, text),
            });
        }
        children.push(element(rest, Some(tag), opaque)?);
    }
}

fn tag(name: &str, parent: Option<Tag>) -> Result<Tag> {
    let parent_page = || parent.and_then(Tag::page_name).unwrap_or_default();
    let (page, name) = name.split_once(':').unwrap_or((parent_page(), name));
    let all = (0..=25).flat_map(|page| (5..=0x3F).map(move |token| Tag { page, token }));
    for tag in all {
        if tag.page_name() == Some(page) && tag.name() == Some(name) {
            return Ok(tag);
        }
    }
    bail!("there is no {page}:{name}")
}

/// All elements at a path of names below this one, `Collections/Collection/Status`.
pub fn all<'e>(element: &'e Element, path: &str) -> Vec<&'e Element> {
    path.split('/').fold(vec![element], |found, name| {
        let within = found.into_iter().flat_map(Element::children);
        within.filter(|child| child.tag.name() == Some(name)).collect()
    })
}

/// The text of the first element at a path; none where there is no such element.
pub fn text<'e>(element: &'e Element, path: &str) -> Option<&'e str> {
    all(element, path).first().and_then(|found| found.as_text())
}

/// Whether there is an element at a path.
pub fn has(element: &Element, path: &str) -> bool {
    !all(element, path).is_empty()
}

/// The opaque bytes of the first element at a path.
pub fn bytes<'e>(element: &'e Element, path: &str) -> Option<&'e [u8]> {
    match &all(element, path).first()?.content {
        Content::Opaque(bytes) => Some(bytes),
        _ => None,
    }
}

/// The names of all elements, in the document's order.
pub fn names(element: &Element) -> Vec<&'static str> {
    let own = element.tag.name().unwrap_or("?");
    std::iter::once(own).chain(element.children().iter().flat_map(names)).collect()
}
