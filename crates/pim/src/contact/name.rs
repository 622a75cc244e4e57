//! `FN`, the name as it is shown, and its relation to the parts of the name.

/// Last, first, middle, before and after the name: the members of `N`.
pub(super) type Parts = [String; 5];

/// The parts of a name of which only the whole is known.
pub(super) fn split(whole: &str) -> Parts {
    let mut parts = Parts::default();
    let whole = whole.trim();
    let (first, last) = match whole.split_once(", ") {
        Some((last, first)) => (first, last),
        None => whole.rsplit_once(' ').unwrap_or((whole, "")),
    };
    parts[0] = last.trim().to_owned();
    parts[1] = first.trim().to_owned();
    parts
}

/// The name to show after an edit of parts or company: made in the same manner as the old one was,
/// or in another where that has nothing to say any more; empty if none has. None where it stays: one
/// that was made in no known manner is the user's own.
pub(super) fn renamed(old: &str, before: (&Parts, &str), after: (&Parts, &str)) -> Option<String> {
    let old = join(&[old]);
    let known = |manner: &&Manner| old.is_empty() || manner(before.0, before.1) == old;
    let new = MANNERS.iter().find(known)?(after.0, after.1);
    let mut all = [new].into_iter().chain(MANNERS.iter().map(|one| one(after.0, after.1)));
    let new = all.find(|new| !new.is_empty()).unwrap_or_default();
    (new != old || new.is_empty()).then_some(new)
}

type Manner = fn(&Parts, &str) -> String;

const MANNERS: &[Manner] = &[
    |[last, first, middle, before, after], _| join(&[before, first, middle, last, after]),
    |[last, first, middle, _, after], _| join(&[first, middle, last, after]),
    |[last, first, middle, _, _], _| join(&[first, middle, last]),
    |[last, first, _, before, _], _| join(&[before, first, last]),
    |[last, first, ..], _| join(&[first, last]),
    |[last, first, ..], _| comma(last, join(&[first])),
    |[last, first, middle, ..], _| comma(last, join(&[first, middle])),
    |[last, first, ..], _| join(&[last, first]),
    |[last, first, ..], _| format!("{}{}", last.trim(), first.trim()),
    |_, company| join(&[company]),
];

fn comma(last: &str, first: String) -> String {
    if last.is_empty() || first.is_empty() {
        join(&[last, &first])
    } else {
        format!("{last}, {first}")
    }
}

fn join(words: &[&str]) -> String {
    let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(last: &str, first: &str) -> Parts {
        [last.into(), first.into(), String::new(), String::new(), String::new()]
    }

    #[test]
    fn the_shown_name_follows_in_the_manner_it_was_made() {
        let renamed = |old: &str| {
            renamed(old, (&parts("Lee", "Ann"), "Corp"), (&parts("Lee", "Anna"), "Inc"))
        };
        assert_eq!(renamed("Ann Lee").as_deref(), Some("Anna Lee"));
        assert_eq!(renamed("Lee, Ann").as_deref(), Some("Lee, Anna"));
        assert_eq!(renamed("Corp").as_deref(), Some("Inc"));
        assert_eq!(renamed("").as_deref(), Some("Anna Lee"));
        assert_eq!(renamed("Annie the Great"), None, "the user's own");
    }

    #[test]
    fn a_whole_name_is_taken_apart_as_well_as_can_be() {
        assert_eq!(split("Ann B. Lee"), parts("Lee", "Ann B."));
        assert_eq!(split("Lee, Ann"), parts("Lee", "Ann"));
        assert_eq!(split("王小明"), parts("", "王小明"));
    }
}
