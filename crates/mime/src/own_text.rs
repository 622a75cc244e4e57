//! The author's own words: a message's text without the history quoted below them, for the body
//! part of MS-ASAIRS 2.2.2.10. Nothing in a message says where the history begins; this knows what
//! the usual clients write there. Where it finds nothing the text is taken whole.

use crate::html::find_tag;
use memchr::memmem;

/// What begins the history in the HTML of Gmail, Thunderbird, Apple Mail, Outlook (web, Windows,
/// phones) and Yahoo. Looked for in this form only; these are written by machines.
const HTML_MARKS: [&str; 9] = [
    "<div class=\"gmail_quote",
    "<blockquote class=\"gmail_quote",
    "<div class=\"moz-cite-prefix\"",
    "<blockquote type=\"cite\"",
    "<div id=\"divRplyFwdMsg\"",
    "<div id=\"appendonsend\"",
    "<div style=\"border:none;border-top:solid #E1E1E1",
    "<div style='border:none;border-top:solid #E1E1E1",
    "<div class=\"yahoo_quoted\"",
];

/// How much of the HTML is the author's own, in bytes from its begin.
pub(crate) fn own_html(html: &str) -> usize {
    let marks = HTML_MARKS.iter().filter_map(|mark| memmem::find(html.as_bytes(), mark.as_bytes()));
    let end = marks.chain(memmem::find(html.as_bytes(), b"-----Original Message-----")).min();
    match end {
        // Below nothing the history is the message: a forward without a word.
        Some(end) if has_text(html, end) => end,
        _ => html.len(),
    }
}

fn has_text(html: &str, end: usize) -> bool {
    let start = find_tag(html, "<body").filter(|start| *start < end).unwrap_or(0);
    let own = super::html::to_text(&html[start..end], super::html::Links::Hidden, 64);
    own.chars().any(char::is_alphanumeric)
}

/// How much of the plain text is the author's own, in bytes from its begin.
pub(crate) fn own_plain(text: &str) -> usize {
    let mut pos = 0;
    let mut own = false;
    let mut previous = "";
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let rest = &text[pos..];
        let begins = own
            && (is_separator(trimmed)
                || (previous.is_empty() && is_attribution(rest))
                || (trimmed.starts_with('>') && !previous.starts_with('>') && is_all_quoted(rest)));
        if begins {
            return pos;
        }
        own |= trimmed.chars().any(char::is_alphanumeric);
        previous = trimmed;
        pos += line.len();
    }
    text.len()
}

/// `-----Original Message-----` in the clients' languages, and Outlook's line of underscores.
fn is_separator(line: &str) -> bool {
    let framed = line.starts_with("-----") && line.ends_with("-----");
    (framed && line.len() > 12 && line.chars().any(char::is_alphabetic))
        || (line.len() >= 30 && line.bytes().all(|b| b == b'_'))
}

/// `On …, Ann wrote:` within two lines, followed by a quoted line.
fn is_attribution(text: &str) -> bool {
    let mut lines = text.lines();
    for _ in 0..2 {
        let Some(line) = lines.next() else { return false };
        if line.trim_end().ends_with(':') {
            let next = lines.find(|line| !line.trim().is_empty());
            return next.is_some_and(|next| next.starts_with('>'));
        }
    }
    false
}

/// Whether nothing of one's own follows. Asked once for each run of quoted lines, and answered at
/// its end.
fn is_all_quoted(text: &str) -> bool {
    text.lines().all(|line| line.starts_with('>') || line.trim().is_empty())
}

#[cfg(test)]
mod tests;
