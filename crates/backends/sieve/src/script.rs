//! What stands in Sieve scripts (RFC 5228): ours, and the user's own. No I/O.

pub(crate) mod foreign;
pub(crate) mod fuzz;
pub(crate) mod lexer;
pub(crate) mod note;
pub(crate) mod rule;

#[cfg(test)]
mod tests;

use lexer::{Kind, tokens};
use note::Note;
use rule::{Abilities, Answering, require, rule};
use std::ops::Range;

/// The name of our script.
pub(crate) const NAME: &str = "dme-vacation";

const BEGIN: &str = "# dme-vacation begin ";
const END: &str = "# dme-vacation end";

/// Our script: the note, the rule, and the user's own script included.
pub(crate) fn whole(note: &Note, answering: &Answering<'_>, can: Abilities) -> String {
    let rule = rule(&note.vacation, answering, can);
    let mut needs = rule.needs;
    if note.own.is_some() {
        needs.insert("include");
    }
    let mut body = require(&needs);
    body.push_str(&rule.text);
    if let Some(own) = &note.own {
        // Where the user deletes it, mail is filed as without a script.
        body.push_str("include :personal :optional ");
        rule::push_string(own, &mut body);
        body.push_str(";\r\n");
    }
    format!(
        "# Written by DME from what was set on a phone. The user's own script is included below.\r\n\
         {}\r\n{body}",
        note.line(&body)
    )
}

/// The user's script with our block in it, after what it requires.
pub(crate) fn with_block(
    own: &[u8],
    note: &Note,
    answering: &Answering<'_>,
    can: Abilities,
) -> Vec<u8> {
    let rule = rule(&note.vacation, answering, can);
    let mut body = require(&rule.needs);
    body.push_str(&rule.text);
    let at = end_of_requires(own);
    let (before, after) = own.split_at_checked(at).unwrap_or((own, b""));
    let block = format!("\r\n{BEGIN}{}\r\n{body}{END}\r\n", note.json(&body));
    [before, block.as_bytes(), after].concat()
}

/// A script taken apart: our block in it, and what is left without it, byte for byte.
pub(crate) struct Parted<'a> {
    /// What the block's note says and whether the block is as we wrote it.
    pub(crate) block: Option<(Note, bool)>,
    /// The text of the block, without its note.
    pub(crate) body: &'a [u8],
    /// The user's own script.
    pub(crate) own: Vec<u8>,
}

/// Takes our block out of the user's script. A comment that only looks like its begin is none.
pub(crate) fn without_block(script: &[u8]) -> Parted<'_> {
    let text = |range: Range<usize>| script.get(range).unwrap_or_default();
    let mut begin = None;
    for token in tokens(script).filter(|token| token.kind == Kind::Comment) {
        let comment = text(token.range.clone());
        match &begin {
            None => {
                let note = comment.strip_prefix(BEGIN.as_bytes()).and_then(Note::read);
                begin = note.map(|(note, digest)| (token.range, note, digest));
            }
            Some((begin, note, digest)) if comment == END.as_bytes() => {
                let body = text(begin.end..token.range.start);
                let before = without_line_end(text(0..begin.start));
                let after = text(token.range.end..script.len());
                let after = after.strip_prefix(b"\r").unwrap_or(after);
                let after = after.strip_prefix(b"\n").unwrap_or(after);
                let untouched = note::digest(body) == *digest;
                let block = Some((note.clone(), untouched));
                return Parted { block, body, own: [before, after].concat() };
            }
            Some(_) => {}
        }
    }
    Parted { block: None, body: b"", own: script.to_vec() }
}

fn without_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// What the note of our script says, and whether the rest is as we wrote it. None where the script
/// is not ours.
pub(crate) fn note_of(script: &[u8]) -> Option<(Note, bool)> {
    for token in tokens(script).take_while(|token| token.kind == Kind::Comment) {
        let text = script.get(token.range.clone()).unwrap_or_default();
        if let Some((note, digest)) = text.strip_prefix(note::MARK.as_bytes()).and_then(Note::read)
        {
            let body = script.get(token.range.end..).unwrap_or_default();
            return Some((note, note::digest(body) == digest));
        }
    }
    None
}

/// Where the commands begin that are not `require` (RFC 5228 §3.2).
fn end_of_requires(script: &[u8]) -> usize {
    let mut end = 0;
    let mut within = false;
    for token in tokens(script).filter(|token| token.kind != Kind::Comment) {
        match token.kind {
            Kind::Semicolon if within => {
                end = token.range.end;
                within = false;
            }
            _ if within => {}
            Kind::Word if token.is_word(script, "require") => within = true,
            _ => break,
        }
    }
    end
}
