//! IMAP flags and keywords ↔ neutral marks. Categories are keywords; a name that is no atom is
//! written in modified UTF-7, which any client can show and only ours needs to read.

use crate::wire::name::{decode_keyword, encode_keyword};
use dme_model::{FlagPatch, Flags, Followup};

/// Keywords that programs use among themselves and nobody chose as a category, lower case.
const SYSTEM: [&str; 27] = [
    "$forwarded",
    "forwarded",
    "$completed",
    "$mdnsent",
    "$submitpending",
    "$submitted",
    "$junk",
    "junk",
    "junkrecorded",
    "$notjunk",
    "notjunk",
    "nonjunk",
    "$phishing",
    "$notphishing",
    "$hasattachment",
    "$hasnoattachment",
    "$mailflagbit0",
    "$mailflagbit1",
    "$mailflagbit2",
    "$istrusted",
    "$autosent",
    "$memo",
    "$hasmemo",
    "$followed",
    "$ignored",
    "$canunsubscribe",
    "$unsubscribed",
];

fn is_category(flag: &str) -> bool {
    !flag.starts_with('\\') && !SYSTEM.contains(&flag.to_ascii_lowercase().as_str())
}

/// The marks that these flags mean.
pub(crate) fn read(flags: &[String]) -> Flags {
    let has = |name: &str| flags.iter().any(|flag| flag.eq_ignore_ascii_case(name));
    let followup = match (has("\\Flagged"), has("$Completed")) {
        (true, _) => Followup::Active,
        (false, true) => Followup::Complete,
        (false, false) => Followup::None,
    };
    Flags {
        seen: has("\\Seen"),
        answered: has("\\Answered"),
        forwarded: has("$Forwarded") || has("Forwarded"),
        draft: has("\\Draft"),
        followup,
        categories: flags
            .iter()
            .filter(|flag| is_category(flag))
            .map(|flag| decode_keyword(flag))
            .collect(),
    }
}

/// The flags to set and to take away.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stores {
    pub(crate) add: Vec<String>,
    pub(crate) remove: Vec<String>,
}

impl Stores {
    /// What a patch means for a message that has these flags now; without categories in the
    /// patch, those are not looked at.
    pub(crate) fn new(patch: &FlagPatch, current: &[String]) -> Self {
        let mut stores = Self::default();
        stores.put("\\Seen", patch.seen);
        stores.put("\\Answered", patch.answered);
        stores.put("$Forwarded", patch.forwarded);
        if let Some(followup) = patch.followup {
            stores.put("\\Flagged", Some(followup == Followup::Active));
            stores.put("$Completed", Some(followup == Followup::Complete));
        }
        if let Some(wanted) = &patch.categories {
            let current: Vec<_> = current.iter().filter(|flag| is_category(flag)).collect();
            for flag in &current {
                if !wanted.contains(&decode_keyword(flag)) {
                    stores.remove.push((*flag).clone());
                }
            }
            for category in wanted {
                let known = current.iter().any(|flag| decode_keyword(flag) == *category);
                let keyword = encode_keyword(category);
                if !known && is_category(&keyword) && !keyword.is_empty() {
                    stores.add.push(keyword);
                }
            }
        }
        stores
    }

    fn put(&mut self, flag: &str, wanted: Option<bool>) {
        match wanted {
            Some(true) => self.add.push(flag.to_owned()),
            Some(false) => self.remove.push(flag.to_owned()),
            None => {}
        }
    }

    /// Whether a keyword is to be made that the server may not know.
    pub(crate) fn needs_keywords(&self) -> bool {
        self.add.iter().any(|flag| !flag.starts_with('\\'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_are_read_as_marks() {
        let all = flags(r"\Seen \ANSWERED $Forwarded \Draft \Flagged $Completed Work NonJunk");
        let marks = read(&all);
        assert!(marks.seen && marks.answered && marks.forwarded && marks.draft);
        assert_eq!(marks.followup, Followup::Active);
        assert_eq!(marks.categories, ["Work".to_owned()].into());
        assert_eq!(read(&flags("$completed")).followup, Followup::Complete);
        assert_eq!(read(&flags("\\Recent")), Flags::default());
    }

    #[test]
    fn only_what_differs_of_the_categories_is_stored() {
        let wanted = ["Work", "Büro wichtig"].map(str::to_owned).into();
        let patch = FlagPatch { categories: Some(wanted), ..FlagPatch::default() };
        let stores = Stores::new(&patch, &flags("Work Old $MDNSent \\Seen"));
        assert_eq!(stores.add, ["B&APw-ro&ACA-wichtig"]);
        assert_eq!(stores.remove, ["Old"]);
        let after = flags("Work $MDNSent \\Seen B&APw-ro&ACA-wichtig");
        assert_eq!(Stores::new(&patch, &after), Stores::default());
        assert_eq!(Some(read(&after).categories), patch.categories);
    }

    #[test]
    fn a_completed_follow_up_is_no_longer_flagged() {
        let patch = FlagPatch { followup: Some(Followup::Complete), ..FlagPatch::default() };
        let stores = Stores::new(&patch, &[]);
        assert_eq!((stores.add, stores.remove), (flags("$Completed"), flags("\\Flagged")));
    }
}
