//! Any text is read as a rule; what is read survives being written, and its instances ascend, end
//! and are what single questions say of them.

#![no_main]

use dme_model::{LocalTime, RecurrenceEnd};
use dme_pim::calendar::rule::{Rule, format, parse};
use dme_pim::recurrence::{instances, instances_from, is_instance, last};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((start, text)) = data.split_first_chunk::<8>() else { return };
    let start = LocalTime::from_seconds(i64::from_le_bytes(*start));
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Some(Rule::Neutral(rule)) = parse(text, start, |at| at) else { return };

    let first: Vec<LocalTime> = instances(start, &rule).take(20).collect();
    assert_eq!(first.first(), Some(&start));
    assert!(first.windows(2).all(|pair| pair[0] < pair[1]));
    for at in &first {
        assert!(is_instance(start, &rule, *at));
        assert_eq!(instances_from(start, &rule, *at).next(), Some(*at));
    }
    if let Some(last) = last(start, &rule) {
        assert!(first.iter().all(|at| *at <= last) && is_instance(start, &rule, last));
    }

    // The end is a text that only some times have.
    let rule = dme_model::Recurrence { end: RecurrenceEnd::Never, ..rule };
    let again = parse(&format(&rule, |_| String::new()), start, |at| at);
    assert_eq!(again, Some(Rule::Neutral(rule)));
});
