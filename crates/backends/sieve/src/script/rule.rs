//! The rule that answers: whom, when, with what (vacation RFC 5230, vacation-seconds RFC 6131,
//! date RFC 5260, relational RFC 5231).

use dme_model::{Timestamp, Vacation, VacationAudience, VacationState, VacationText};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

/// The longest line that mail may have is 998 bytes (RFC 5322 §2.1.1); a text with a longer one is
/// folded.
const MAX_LINE: usize = 900;
const DAY: u64 = 86_400;

/// What a server's Sieve can.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Abilities {
    /// Answers at all.
    pub(crate) vacation: bool,
    /// Intervals that are no whole days.
    pub(crate) seconds: bool,
    /// Knows what time it is.
    pub(crate) date: bool,
    /// Knows the envelope.
    pub(crate) envelope: bool,
    /// Includes other scripts.
    pub(crate) include: bool,
}

/// What the rule needs to know besides what was set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answering<'a> {
    /// Whose senders are colleagues.
    pub(crate) domains: &'a [String],
    /// The user's addresses.
    pub(crate) addresses: &'a [String],
    /// How long nobody is answered a second time.
    pub(crate) interval: Duration,
}

/// A rule, and the extensions it needs.
#[derive(Default)]
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) needs: BTreeSet<&'static str>,
}

/// The rule for what was set; empty where nobody is to be answered. Who is in the user's contacts
/// no Sieve knows here, so that an audience of these alone is none.
pub(crate) fn rule(vacation: &Vacation, answering: &Answering<'_>, can: Abilities) -> Rule {
    let colleagues = vacation.for_colleagues();
    let others = vacation.for_others().filter(|_| vacation.audience == VacationAudience::All);
    let mut rule = Rule::default();
    if vacation.state == VacationState::Off || (colleagues.is_none() && others.is_none()) {
        return rule;
    }
    let mut tests = Vec::new();
    if let VacationState::Within { from, to } = vacation.state {
        rule.needs.extend(["date", "relational"]);
        for (operator, moment) in [("ge", from), ("lt", to)] {
            tests.push(format!(
                "currentdate :zone \"+0000\" :value \"{operator}\" \"iso8601\" \"{}\"",
                iso8601(moment)
            ));
        }
    }
    let inside = from_inside(answering, can, &mut rule.needs);
    let mut say = |text: &VacationText| answer(text, answering, can, &mut rule.needs);
    let body = match (colleagues, others) {
        (Some(colleagues), Some(others)) => {
            format!("if {inside} {{\r\n{}}} else {{\r\n{}}}\r\n", say(colleagues), say(others))
        }
        (Some(colleagues), None) => format!("if {inside} {{\r\n{}}}\r\n", say(colleagues)),
        (None, Some(others)) => format!("if not {inside} {{\r\n{}}}\r\n", say(others)),
        (None, None) => String::new(),
    };
    rule.text = match tests.is_empty() {
        true => body,
        false => format!("if allof({}) {{\r\n{body}}}\r\n", tests.join(",\r\n    ")),
    };
    rule
}

/// Whether the sender is a colleague: by the From that people see, and by the envelope too where
/// the server has it, for that is where the answer goes.
fn from_inside(
    answering: &Answering<'_>,
    can: Abilities,
    needs: &mut BTreeSet<&'static str>,
) -> String {
    let domains = list(answering.domains);
    let header = format!("address :domain :is \"from\" {domains}");
    if !can.envelope {
        return header;
    }
    needs.insert("envelope");
    format!("allof({header}, envelope :domain :is \"from\" {domains})")
}

fn answer(
    text: &VacationText,
    answering: &Answering<'_>,
    can: Abilities,
    needs: &mut BTreeSet<&'static str>,
) -> String {
    needs.insert("vacation");
    let seconds = answering.interval.as_secs().max(1);
    let mut out = String::from("vacation");
    // Writing to a String cannot fail.
    let _ = match can.seconds && !seconds.is_multiple_of(DAY) {
        true => {
            needs.insert("vacation-seconds");
            write!(out, " :seconds {seconds}")
        }
        false => write!(out, " :days {}", seconds.div_ceil(DAY)),
    };
    if !answering.addresses.is_empty() {
        let _ = write!(out, " :addresses {}", list(answering.addresses));
    }
    match text {
        VacationText::Plain(text) if is_simple(text) => {
            out.push(' ');
            push_string(text, &mut out);
        }
        text => {
            out.push_str(" :mime ");
            // Quoted-printable; what a script of the user's would take for a variable (RFC 5229)
            // or an encoded character (RFC 5228 §2.4.2.4) is one no more.
            push_string(&dme_mime::compose::vacation(text).replace("${", "=24{"), &mut out);
        }
    }
    out.push_str(";\r\n");
    out
}

/// Whether the text can stand in the script as it is, to be read by people and other clients.
fn is_simple(text: &str) -> bool {
    !text.contains("${") && !text.contains('\0') && text.lines().all(|line| line.len() <= MAX_LINE)
}

/// `require` for these extensions.
pub(crate) fn require(needs: &BTreeSet<&'static str>) -> String {
    match needs.is_empty() {
        true => String::new(),
        false => {
            let names: Vec<String> = needs.iter().map(|need| format!("\"{need}\"")).collect();
            format!("require [{}];\r\n", names.join(", "))
        }
    }
}

/// A quoted string; line ends become CRLF, as a script needs them.
pub(crate) fn push_string(text: &str, out: &mut String) {
    out.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\n' => out.push_str("\r\n"),
            '\0' => {}
            other => out.push(other),
        }
    }
    out.push('"');
}

fn list(texts: &[String]) -> String {
    let mut out = String::from("[");
    for (number, text) in texts.iter().enumerate() {
        out.push_str(if number == 0 { "" } else { ", " });
        push_string(text, &mut out);
    }
    out + "]"
}

/// `2026-12-01T09:00:00+00:00`, as `currentdate` gives it in the zone `+0000`. Moments outside of
/// the years 0 to 9999 become the first or last of these.
fn iso8601(moment: Timestamp) -> String {
    let second = moment.as_seconds().clamp(-62_167_219_200, 253_402_207_200);
    let moment = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
