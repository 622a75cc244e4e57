//! What a thread is called: its subject without the prefixes of answers and forwards.

/// The prefixes, in lower case, of the mail clients' languages.
const PREFIXES: [&str; 44] = [
    "re",
    "fw",
    "fwd",
    "aw",
    "antw",
    "antwort",
    "wg",
    "wtr",
    "wtrlt",
    "sv",
    "vs",
    "vl",
    "vb",
    "ref",
    "rif",
    "res",
    "r",
    "i",
    "rv",
    "enc",
    "tr",
    "odp",
    "pd",
    "ynt",
    "ilt",
    "doorst",
    "betreff",
    "bls",
    "trs",
    "továbbítás",
    "vá",
    "ατ",
    "σχετ",
    "пересл",
    "ha",
    "на",
    "re fw",
    "答复",
    "回复",
    "回覆",
    "转发",
    "轉寄",
    "返信",
    "転送",
];
/// How many prefixes are taken off.
const MAX_PREFIXES: usize = 32;

/// The subject without its prefixes: `Re: AW: [2] Budget` is about `Budget`. List names
/// in brackets stay.
pub(crate) fn topic(subject: &str) -> &str {
    let mut rest = subject.trim();
    for _ in 0..MAX_PREFIXES {
        let Some(next) = without_prefix(rest) else { break };
        rest = next;
    }
    // A subject that is all prefix is its own topic.
    if rest.is_empty() { subject.trim() } else { rest }
}

fn without_prefix(text: &str) -> Option<&str> {
    let colon = text.char_indices().take(16).find(|(_, c)| matches!(c, ':' | '：'))?;
    let (before, after) = (&text[..colon.0], &text[colon.0 + colon.1.len_utf8()..]);
    // Counters: `Re[2]:`, `Re^2:`, `Re (3):`.
    let word = before.trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^* ".contains(c));
    let word = word.trim().to_lowercase();
    PREFIXES.contains(&word.as_str()).then(|| after.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_all_languages_and_counters_are_taken_off() {
        for (subject, expected) in [
            ("Budget", "Budget"),
            ("Re: Budget", "Budget"),
            ("RE: AW: Fwd: Budget", "Budget"),
            ("Re[2]: Budget", "Budget"),
            ("Re (3) : Budget", "Budget"),
            ("WG: SV: VS: Budget", "Budget"),
            ("答复：预算", "预算"),
            ("回复: Re: 预算", "预算"),
            ("Re:Budget", "Budget"),
            ("  Re:  ", "Re:"),
            ("Reminder: Budget", "Reminder: Budget"),
            ("Meeting 10:30", "Meeting 10:30"),
            ("[list] Re: Budget", "[list] Re: Budget"),
            ("", ""),
            ("İ: x", "İ: x"),
        ] {
            assert_eq!(topic(subject), expected, "{subject}");
        }
    }
}
