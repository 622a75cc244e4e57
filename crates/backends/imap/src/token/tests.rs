use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn status(validity: u32, next: u32) -> StatusOf {
    StatusOf { uid_validity: Some(validity), uid_next: Some(next), ..StatusOf::default() }
}

fn marked(messages: &BTreeMap<u32, u8>) -> Vec<Marked> {
    messages
        .iter()
        .map(|(uid, flags)| (*uid, vec![format!("k{flags}"), "\\Recent".to_owned()]))
        .collect()
}

#[test]
fn a_large_folder_without_condstore_stays_within_the_limit() {
    let messages: Vec<Marked> = (1..=200_000).map(|uid| (uid, Vec::new())).collect();
    let token = Token::snapshot(&status(7, 200_001), &messages).write();
    assert!(token.0.len() < 16 << 10, "{}", token.0.len());
}

#[test]
fn what_is_no_token_is_not_taken() {
    for text in [
        "",
        "q1",
        "q1:1:2",
        "q1:1:2:x",
        "q1:1:2:3:4",
        "q2:1:2:3",
        "s1:1:2:3:4:!",
        "s1:1:2:3:4:AAAA",
        "x1:1",
        "q1:1:2:99999999999999999999999",
    ] {
        assert_eq!(Token::read(&ChangeToken(text.to_owned())), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_token_comes_back(validity: u32, next: u32, modseq: u64, messages: u32,
        list in proptest::collection::btree_map(1u32..5000, 0u8..4, 0..50)) {
        for token in [
            Token::Qresync { validity, next, modseq },
            Token::Condstore { validity, next, modseq, messages },
            Token::snapshot(&status(validity, next), &marked(&list)),
            Token::NoSelect,
        ] {
            prop_assert_eq!(Token::read(&token.write()), Some(token));
        }
    }

    #[test]
    fn no_difference_to_a_snapshot_is_missed(
        before in proptest::collection::btree_map(1u32..3000, 0u8..4, 0..1500),
        changes in proptest::collection::vec((1u32..3100, proptest::option::of(0u8..4)), 0..10),
    ) {
        let token = Token::snapshot(&status(1, 3000), &marked(&before));
        let mut after = before.clone();
        for (uid, flags) in changes {
            match flags {
                // Only new UIDs may appear where there was none.
                Some(flags) if uid >= 3000 || after.contains_key(&uid) => {
                    after.insert(uid, flags);
                }
                Some(_) => {}
                None => {
                    after.remove(&uid);
                }
            }
        }
        let Token::Snapshot { next, chunks, .. } = &token else { unreachable!() };
        let (upserted, suspect) = compare(chunks, *next, &marked(&after));
        let upserted: BTreeSet<u32> = upserted.into_iter().collect();
        for (uid, flags) in &after {
            if before.get(uid) != Some(flags) {
                prop_assert!(upserted.contains(uid), "{} was missed", uid);
            }
        }
        for uid in before.keys().filter(|uid| !after.contains_key(uid)) {
            prop_assert!(suspect.iter().any(|(a, b)| (a..=b).contains(&uid)), "{} is gone", uid);
        }
        if before == after {
            prop_assert!(upserted.is_empty() && suspect.is_empty());
        }
    }
}
