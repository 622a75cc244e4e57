//! The documents we ask with.

use crate::href::Path;
use crate::xml::{PREFIXES, escaped};
use dme_model::{Class, Timestamp};
use std::fmt::Write as _;

/// Asks for these properties (`DAV:propfind`, RFC 4918 §14.20), written with the prefixes of
/// [`PREFIXES`].
pub(crate) fn propfind(props: &str) -> String {
    format!("<propfind {PREFIXES}><prop>{props}</prop></propfind>")
}

/// Asks for changes since a token, all of them (RFC 6578 §3.2). Without a token: for what is there.
pub(crate) fn sync_collection(token: &str) -> String {
    let token = escaped(token);
    format!(
        "<sync-collection {PREFIXES}><sync-token>{token}</sync-token>\
         <sync-level>1</sync-level><prop><getetag/><getcontenttype/></prop></sync-collection>"
    )
}

/// The component of a class (RFC 5545 §3.6); none for contacts and mail.
pub(crate) fn component(class: Class) -> Option<&'static str> {
    match class {
        Class::Calendar => Some("VEVENT"),
        Class::Tasks => Some("VTODO"),
        Class::Notes => Some("VJOURNAL"),
        Class::Contacts | Class::Mail => None,
    }
}

/// What a query for calendar objects tells of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// Its mark alone.
    Mark,
    /// Its mark, and how large it is.
    Size,
    /// Its content too.
    Content,
}

/// Which objects a query asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted<'a> {
    /// Those from one moment to another, as far as they are given.
    Within(Option<Timestamp>, Option<Timestamp>),
    /// Those that repeat by a rule.
    Recurring,
    /// The one with this UID.
    Named(&'a str),
}

/// Asks for the objects with a component (RFC 4791 §7.8).
pub(crate) fn calendar_query(component: &str, wanted: Wanted<'_>, told: Told) -> String {
    let data = match told {
        Told::Mark => "",
        Told::Size => "<getcontentlength/>",
        Told::Content => "<C:calendar-data/>",
    };
    let filter = match wanted {
        Wanted::Within(None, None) => String::new(),
        Wanted::Within(start, end) => {
            let edge = |name, at: Option<Timestamp>| {
                at.map(|at| format!(" {name}=\"{}\"", utc(at))).unwrap_or_default()
            };
            format!("<C:time-range{}{}/>", edge("start", start), edge("end", end))
        }
        Wanted::Recurring => "<C:prop-filter name=\"RRULE\"/>".to_owned(),
        Wanted::Named(uid) => format!(
            "<C:prop-filter name=\"UID\"><C:text-match collation=\"i;octet\">{}</C:text-match>\
             </C:prop-filter>",
            escaped(uid)
        ),
    };
    format!(
        "<C:calendar-query {PREFIXES}><prop><getetag/>{data}</prop>\
         <C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"{component}\">{filter}\
         </C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
}

/// Asks for the content of these resources (RFC 4791 §7.9, RFC 6352 §8.7).
pub(crate) fn multiget(class: Class, members: &[Path]) -> String {
    let (open, data, close) = match class {
        Class::Contacts => ("A:addressbook-multiget", "A:address-data", "A:addressbook-multiget"),
        _ => ("C:calendar-multiget", "C:calendar-data", "C:calendar-multiget"),
    };
    let mut hrefs = String::new();
    for member in members {
        let _ = write!(hrefs, "<href>{}</href>", escaped(member.as_str()));
    }
    format!("<{open} {PREFIXES}><prop><getetag/><{data}/></prop>{hrefs}</{close}>")
}

/// Makes a collection of a class (extended MKCOL, RFC 5689; `MKCALENDAR`, RFC 4791 §5.3.1, takes
/// the same properties under another name).
pub(crate) fn make_collection(class: Class, name: &str, extended: bool) -> String {
    let mut props = format!("<displayname>{}</displayname>", escaped(name));
    match component(class) {
        Some(component) => {
            let _ = write!(
                props,
                "<C:supported-calendar-component-set><C:comp name=\"{component}\"/>\
                 </C:supported-calendar-component-set>"
            );
        }
        None => props.push_str("<resourcetype><collection/><A:addressbook/></resourcetype>"),
    }
    let root = if extended { "mkcol" } else { "C:mkcalendar" };
    format!("<{root} {PREFIXES}><set><prop>{props}</prop></set></{root}>")
}

/// Gives a collection another name (RFC 4918 §9.2).
pub(crate) fn rename(name: &str) -> String {
    let name = escaped(name);
    format!(
        "<propertyupdate {PREFIXES}><set><prop><displayname>{name}</displayname></prop></set>\
         </propertyupdate>"
    )
}

/// A moment as iCalendar writes it (RFC 5545 §3.3.5, form 2).
pub(crate) fn utc(at: Timestamp) -> String {
    let seconds = at.as_seconds().clamp(-62_135_596_800, 253_402_200_000);
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Ns, read_whole};

    #[test]
    fn every_document_is_xml_whatever_is_asked() {
        let path = Path::new("/a/b%26%3C.ics").unwrap();
        for document in [
            propfind("<resourcetype/><C:calendar-home-set/>"),
            sync_collection("<&\">"),
            calendar_query("VEVENT", Wanted::Within(Some(Timestamp::default()), None), Told::Mark),
            calendar_query("VEVENT", Wanted::Recurring, Told::Content),
            calendar_query("VEVENT", Wanted::Named("<&>"), Told::Content),
            multiget(Class::Contacts, std::slice::from_ref(&path)),
            multiget(Class::Tasks, &[path]),
            make_collection(Class::Contacts, "<A&B>", true),
            make_collection(Class::Tasks, "<A&B>", false),
            rename("<A&B>\u{0}"),
        ] {
            read_whole(document.as_bytes()).unwrap_or_else(|error| panic!("{error}: {document}"));
        }
        let renamed = read_whole(rename("<A&B>").as_bytes()).unwrap();
        assert!(renamed.holds(Ns::Dav, "displayname"));
    }

    #[test]
    fn no_number_of_answers_is_ever_asked_for() {
        assert!(!sync_collection("x").contains("limit"));
    }

    #[test]
    fn a_moment_is_written_as_calendars_do() {
        assert_eq!(utc(Timestamp::from_seconds(1_795_707_083)), "20261126T153123Z");
        assert_eq!(utc(Timestamp::from_millis(i64::MAX)), "99991230T200000Z");
    }
}
