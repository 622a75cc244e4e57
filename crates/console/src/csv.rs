//! Events and counts as CSV (RFC 4180), for spreadsheets.

use crate::api;
use dme_model::Timestamp;

/// The line of names before events.
pub const EVENTS: &str = "number,time,level,kind,user,device,connector,request,message,details\r\n";

/// What is counted, by the names in the first line.
pub const COUNTED: [&str; 10] = [
    "devices",
    "requests",
    "errors",
    "received_bytes",
    "sent_bytes",
    "items",
    "total_ms",
    "longest_ms",
    "half_within_ms",
    "95_percent_within_ms",
];

/// An event as a line.
pub fn event(event: &api::Event) -> String {
    let text = |text: &Option<String>| field(text.as_deref().unwrap_or_default());
    let fields = [
        event.number.to_string(),
        Timestamp::from_millis(event.time).to_string(),
        event.level.clone(),
        event.kind.clone(),
        text(&event.user),
        text(&event.device),
        text(&event.connector),
        text(&event.request),
        field(&event.message),
        field(&event.details.to_string()),
    ];
    format!("{}\r\n", fields.join(","))
}

/// What was counted, in the order of [`COUNTED`].
pub fn counted(count: &api::Count) -> [String; 10] {
    let maybe = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        count.devices.to_string(),
        count.requests.to_string(),
        count.errors.to_string(),
        count.received.to_string(),
        count.sent.to_string(),
        count.items.to_string(),
        count.total_ms.to_string(),
        count.longest_ms.to_string(),
        maybe(count.half_within_ms),
        maybe(count.most_within_ms),
    ]
}

/// A text as a field. What a spreadsheet would take for a formula is marked as text: names and
/// messages come from outside.
pub fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_neither_a_formula_nor_a_second_field() {
        for (text, written) in [
            ("ann", "ann"),
            ("=cmd()", "'=cmd()"),
            ("-1", "'-1"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(field(text), written);
        }
    }
}
