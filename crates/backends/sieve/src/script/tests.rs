//! Scripts as they are written, read, and taken apart.

use super::foreign::vacations;
use super::*;
use dme_model::{Timestamp, Vacation, VacationAudience, VacationState, VacationText};
use proptest::prelude::*;
use std::time::Duration;

const ALL: Abilities =
    Abilities { vacation: true, seconds: true, date: true, envelope: true, include: true };
const DAY: Duration = Duration::from_secs(86_400);

fn plain(text: &str) -> Option<VacationText> {
    Some(VacationText::Plain(text.into()))
}

fn away() -> Vacation {
    Vacation {
        state: VacationState::Within {
            from: Timestamp::from_seconds(1_796_115_600),
            to: Timestamp::from_seconds(1_796_720_400),
        },
        answers_colleagues: true,
        colleagues: plain("Call \"Bob\"."),
        audience: VacationAudience::All,
        others: plain("Away."),
    }
}

fn written(vacation: &Vacation, interval: Duration, can: Abilities) -> String {
    let domains = ["example.org".to_owned()];
    let addresses = ["ann@example.org".to_owned()];
    let answering = Answering { domains: &domains, addresses: &addresses, interval };
    let rule = rule(vacation, &answering, can);
    require(&rule.needs) + &rule.text
}

#[test]
fn a_rule_says_when_to_whom_and_what() {
    assert_eq!(
        written(&away(), 7 * DAY, ALL),
        "require [\"date\", \"envelope\", \"relational\", \"vacation\"];\r\n\
         if allof(currentdate :zone \"+0000\" :value \"ge\" \"iso8601\" \
         \"2026-12-01T09:00:00+00:00\",\r\n    currentdate :zone \"+0000\" :value \"lt\" \
         \"iso8601\" \"2026-12-08T09:00:00+00:00\") {\r\n\
         if allof(address :domain :is \"from\" [\"example.org\"], \
         envelope :domain :is \"from\" [\"example.org\"]) {\r\n\
         vacation :days 7 :addresses [\"ann@example.org\"] \"Call \\\"Bob\\\".\";\r\n\
         } else {\r\n\
         vacation :days 7 :addresses [\"ann@example.org\"] \"Away.\";\r\n}\r\n}\r\n"
    );
}

#[test]
fn who_is_not_answered_is_in_no_rule() {
    let on = Vacation { state: VacationState::On, ..away() };
    let said = |vacation: Vacation| {
        let script = written(&vacation, DAY, Abilities { envelope: false, ..ALL });
        (script.contains("Bob"), script.contains("Away"), script.contains("if not address"))
    };
    assert_eq!(said(on.clone()), (true, true, false));
    let none = VacationAudience::None;
    assert_eq!(said(Vacation { audience: none, ..on.clone() }), (true, false, false));
    // Nobody here knows the user's contacts.
    let known = VacationAudience::Known;
    assert_eq!(said(Vacation { audience: known, ..on.clone() }), (true, false, false));
    assert_eq!(said(Vacation { answers_colleagues: false, ..on.clone() }), (false, true, true));
    assert_eq!(said(Vacation { colleagues: plain(" "), ..on.clone() }), (false, true, true));
    let nobody = Vacation { answers_colleagues: false, others: None, ..on.clone() };
    assert_eq!(written(&nobody, DAY, ALL), "");
    assert_eq!(written(&Vacation { state: VacationState::Off, ..on }, DAY, ALL), "");
}

#[test]
fn the_interval_is_in_seconds_only_where_it_must_and_can_be() {
    for (interval, seconds, written_as) in [
        (DAY, true, ":days 1 "),
        (DAY / 2, true, ":seconds 43200 "),
        (DAY / 2, false, ":days 1 "),
        (DAY * 3 / 2, false, ":days 2 "),
    ] {
        let script = written(&away(), interval, Abilities { seconds, ..ALL });
        assert!(script.contains(written_as), "{script}");
        assert_eq!(script.contains("vacation-seconds"), written_as.starts_with(":seconds"));
    }
}

#[test]
fn html_long_lines_and_variables_go_out_as_mime() {
    for text in [
        VacationText::Html("<p>away</p>".into()),
        VacationText::Plain("x".repeat(2000)),
        VacationText::Plain("${unicode:41}".into()),
    ] {
        let script = written(&Vacation { others: Some(text), ..away() }, DAY, ALL);
        assert!(script.contains(":mime \"MIME-Version: 1.0\r\n"), "{script}");
        assert!(!script.contains("${"), "{script}");
        assert!(script.lines().all(|line| line.len() < 900));
    }
}

#[test]
fn what_requires_is_found_whatever_stands_round_it() {
    for (script, before) in [
        ("", ""),
        ("keep;", ""),
        ("require \"a\";keep;", "require \"a\";"),
        (
            "# x;\r\n/* require \"b\"; */ REQUIRE [\"a\", \"b;\"]  ; # c\r\nkeep;",
            "# x;\r\n/* require \"b\"; */ REQUIRE [\"a\", \"b;\"]  ;",
        ),
        (
            "require \"a\";\nrequire text:\nb;\n.\n;\nif true {}",
            "require \"a\";\nrequire text:\nb;\n.\n;",
        ),
    ] {
        assert_eq!(&script[..end_of_requires(script.as_bytes())], before);
    }
}

#[test]
fn what_only_looks_like_our_block_stays() {
    for script in [
        "# dme-vacation begin {}\nkeep;\n# dme-vacation end\n",
        "# dme-vacation begin\n# dme-vacation end\n",
        "set \"x\" \"\n# dme-vacation begin {}\n# dme-vacation end\n\";",
    ] {
        let parted = without_block(script.as_bytes());
        assert_eq!((parted.block, &*parted.own), (None, script.as_bytes()), "{script}");
    }
}

#[test]
fn others_rules_are_found_where_they_are_carried_out() {
    let texts = |script: &str| -> Vec<Option<String>> {
        vacations(script.as_bytes()).into_iter().map(|found| found.text).collect()
    };
    let one = |text: &str| vec![Some(text.to_owned())];
    assert_eq!(texts("require \"vacation\"; keep; # vacation \"a\";"), []);
    assert_eq!(texts("Vacation :days 1 :subject \"s\" \"a \\\"b\\\\\";"), one("a \"b\\"));
    assert_eq!(
        texts("if not false { vacation text: # c\r\na\r\n..b\r\n.\r\n; }"),
        one("a\r\n.b\r\n")
    );
    assert_eq!(texts("vacation :mime \"Content-Type: text/html\";"), [None]);
    assert_eq!(
        texts("if false # vacation\n{ if true { vacation \"a\"; } } else { vacation \"b\"; }"),
        one("b")
    );
    assert_eq!(texts("set \"x\" \"vacation\"; fileinto \"vacation\";"), []);
}

proptest! {
    #[test]
    fn tokens_follow_each_other_and_leave_only_white_space(script: Vec<u8>) {
        let mut end = 0;
        for token in tokens(&script) {
            prop_assert!(token.range.end > token.range.start);
            prop_assert!(script[end..token.range.start].iter().all(u8::is_ascii_whitespace));
            end = token.range.end;
        }
        prop_assert!(script[end..].iter().all(u8::is_ascii_whitespace));
    }

    #[test]
    fn a_block_is_taken_out_byte_for_byte(
        requires in "(# [a-z;\"]{0,5}\r?\n|require \"[a-z;#]{0,5}\" ?; ?\r?\n?){0,4}",
        rest in "(keep;|[a-z]{1,4} \"[^\"\\\\]{0,9}\";|# [a-z\"{]{0,9}\n|\\{|\\}|\r?\n| ){0,9}",
        text in "\\PC{0,30}",
    ) {
        let own = requires + &rest;
        let vacation = Vacation {
            state: VacationState::On,
            answers_colleagues: true,
            colleagues: plain(&text),
            ..Vacation::default()
        };
        let note = Note { vacation, own: Some("mine".into()) };
        let domains = ["example.org".to_owned()];
        let answering = Answering { domains: &domains, addresses: &[], interval: DAY };
        let with = with_block(own.as_bytes(), &note, &answering, ALL);
        let parted = without_block(&with);
        prop_assert_eq!(parted.block, Some((note, true)));
        prop_assert_eq!(String::from_utf8(parted.own).unwrap(), own);
    }

    #[test]
    fn a_text_is_found_again_as_it_was_written(text in "[^\0\r$]{0,50}") {
        let mut script = String::from("vacation ");
        rule::push_string(&text, &mut script);
        script.push(';');
        let found = vacations(script.as_bytes()).pop().unwrap().text.unwrap();
        prop_assert_eq!(found.replace("\r\n", "\n"), text);
    }
}
