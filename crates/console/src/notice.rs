//! What became of what a form asked for, told once: on the page that the form led to, and on no
//! other. That page's address carries a mark; what is told may be there no second time, such as a
//! token, so that neither another page nor one that asks by itself takes it.

use crate::Refusal;
use crate::pages::Look;
use crate::sign_in::words;
use serde_json::Value;

/// Under this name an address carries its mark.
const MARK: &str = "told=";

/// What became of what was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    /// It was done.
    Done(String),
    /// It was not.
    Refused(String),
    /// Each of many things was, or was not, done, and what there is to say of it.
    Told(Vec<(bool, String)>),
}

/// The address of a page that is to say what is kept under this mark.
pub(crate) fn marked(address: &str, mark: &str) -> String {
    let (address, _) = unmarked(address);
    let (page, part) = apart(&address);
    let joint = if page.contains('?') { '&' } else { '?' };
    format!("{page}{joint}{MARK}{mark}{part}")
}

/// An address as it is without its mark, and the mark.
pub(crate) fn unmarked(address: &str) -> (String, Option<&str>) {
    let (whole, part) = apart(address);
    let Some((page, query)) = whole.split_once('?') else { return (address.to_owned(), None) };
    let mark = query.split('&').find_map(|pair| pair.strip_prefix(MARK));
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(MARK)).collect();
    match (mark, rest.is_empty()) {
        (None, _) => (address.to_owned(), None),
        (_, true) => (format!("{page}{part}"), mark),
        (_, false) => (format!("{page}?{}{part}", rest.join("&")), mark),
    }
}

/// An address, and the part of the page that it names.
fn apart(address: &str) -> (&str, &str) {
    address.split_at(address.find('#').unwrap_or(address.len()))
}

/// What became of what a form asked for.
pub(crate) fn notice(done: Result<Value, Refusal>, look: Look) -> Notice {
    match done {
        Ok(answer) => {
            if let Some(results) = answer.get("results").and_then(Value::as_array) {
                return Notice::Told(results.iter().map(|one| one_of_many(one, look)).collect());
            }
            let told = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
            // What is shown once, or what may not come about.
            let once = told("token")
                .or_else(|| told("code"))
                .map(|text| look.language.of("shown-once", &text));
            let codes = answer.get("recovery_codes").and_then(Value::as_array).map(|codes| {
                let codes: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
                look.language.of("recovery-once", &codes.join(" "))
            });
            // What becomes of a lost device, for whose it is.
            let lost = told("erasure").map(|erasure| look.language.word("lost", &erasure));
            let said = once.or(codes).or(lost).or_else(|| told("warning"));
            Notice::Done(said.unwrap_or_else(|| words(look.language, "done")))
        }
        Err(refusal) => Notice::Refused(refusal.words_in(look.language)),
    }
}

/// What became of one of many devices.
fn one_of_many(result: &Value, look: Look) -> (bool, String) {
    let told = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or_default();
    let done = result.get("done").and_then(Value::as_bool) == Some(true);
    let said = match told("said") {
        "" => words(look.language, "done"),
        said => said.to_owned(),
    };
    let device = percent_encoding::percent_decode_str(told("device")).decode_utf8_lossy();
    (done, format!("{device}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_carries_its_mark_and_is_the_same_without_it() {
        for (address, with) in [
            ("/tokens", "/tokens?told=m"),
            ("/devices?q=a%20b&q=c", "/devices?q=a%20b&q=c&told=m"),
            ("/log?retold=1", "/log?retold=1&told=m"),
            ("/policies#x", "/policies?told=m#x"),
        ] {
            assert_eq!(marked(address, "m"), with);
            assert_eq!(marked(&marked(address, "old"), "m"), with, "one at a time");
            assert_eq!(unmarked(with), (address.to_owned(), Some("m")));
            assert_eq!(unmarked(address), (address.to_owned(), None));
        }
    }
}
