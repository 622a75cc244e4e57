//! Plain text to HTML and back.
//!
//! HTML is read by one pass over its tokens, not by building a tree: a tree costs a hundred times
//! as much and nests as deep as whoever sent the mail wanted. What this loses is layout, which
//! plain text has not.

mod to_text;

pub(crate) use to_text::{Links, to_text};

/// The text as a document.
pub(crate) fn from_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 64);
    out.push_str("<html><body>\r\n");
    push_text(text, &mut out);
    out.push_str("\r\n</body></html>\r\n");
    out
}

/// The text as a piece of a document: escaped, lines broken where it breaks them, runs of spaces
/// kept.
pub(crate) fn push_text(text: &str, out: &mut String) {
    out.push_str("<div>");
    let text = text.strip_suffix('\n').unwrap_or(text);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push_str("<br>\r\n");
        }
        // A space that follows another, or begins a line, would not be shown.
        let mut after_space = true;
        for c in line.strip_suffix('\r').unwrap_or(line).chars() {
            if c == ' ' && after_space {
                out.push_str("&nbsp;");
                continue;
            }
            after_space = c == ' ';
            push_escaped(c, out);
        }
    }
    out.push_str("</div>");
}

/// The text where markup is expected, or within a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_escaped(c, &mut out);
    }
    out
}

fn push_escaped(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// Where in the document its own content stands, between `<body>` and `</body>`; all of it where
/// they are missing.
pub(crate) fn body_range(html: &str) -> std::ops::Range<usize> {
    let start = find_tag(html, "<body")
        .and_then(|tag| html[tag..].find('>').map(|end| tag + end + 1))
        .unwrap_or(0);
    let end = rfind_tag(html, "</body").or_else(|| rfind_tag(html, "</html")).unwrap_or(html.len());
    start..end.max(start)
}

/// The style sheets in a document's head, each with its tags.
pub(crate) fn styles(head: &str) -> impl Iterator<Item = &str> {
    let mut rest = head;
    std::iter::from_fn(move || {
        let start = find_tag(rest, "<style")?;
        let end = start + find_tag(&rest[start..], "</style>")? + "</style>".len();
        let style = &rest[start..end];
        rest = &rest[end..];
        Some(style)
    })
}

/// The first place of `tag` (lower-case ASCII), whatever its case.
pub(crate) fn find_tag(html: &str, tag: &str) -> Option<usize> {
    let tag = tag.as_bytes();
    memchr::memchr_iter(b'<', html.as_bytes()).find(|at| starts_with(&html.as_bytes()[*at..], tag))
}

fn rfind_tag(html: &str, tag: &str) -> Option<usize> {
    let tag = tag.as_bytes();
    memchr::memrchr_iter(b'<', html.as_bytes()).find(|at| starts_with(&html.as_bytes()[*at..], tag))
}

fn starts_with(text: &[u8], lower: &[u8]) -> bool {
    text.get(..lower.len()).is_some_and(|start| start.eq_ignore_ascii_case(lower))
}

/// How far into a document its declaration of a charset is looked for.
const PROLOGUE: usize = 4096;

/// Where a `<meta>` names the charset (HTML §4.2.5.4), both as `charset=` and in `content=`.
pub(crate) fn declared_charset(html: &[u8]) -> Option<std::ops::Range<usize>> {
    let prologue = &html[..html.len().min(PROLOGUE)];
    for tag in memchr::memchr_iter(b'<', prologue) {
        if !starts_with(&prologue[tag..], b"<meta") {
            continue;
        }
        let end = memchr::memchr(b'>', &prologue[tag..]).map_or(prologue.len(), |end| tag + end);
        let lower = prologue[tag..end].to_ascii_lowercase();
        let Some(at) = memchr::memmem::find(&lower, b"charset") else { continue };
        let after = &lower[at + 7..];
        let skipped = after.iter().take_while(|b| b" =\t\r\n\"'".contains(b)).count();
        let name = &after[skipped..];
        let len =
            name.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(b)).count();
        if after.contains(&b'=') && len > 0 {
            let start = tag + at + 7 + skipped;
            return Some(start..start + len);
        }
    }
    None
}

/// The document, now in UTF-8, with a declaration of another charset set right.
pub(crate) fn declare_utf8(html: String) -> String {
    match declared_charset(html.as_bytes()) {
        Some(place) if !html[place.clone()].eq_ignore_ascii_case("utf-8") => {
            let mut html = html;
            html.replace_range(place, "utf-8");
            html
        }
        _ => html,
    }
}

#[cfg(test)]
mod tests;
