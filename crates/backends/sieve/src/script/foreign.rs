//! Rules of others that answer mail: found in a script that we did not write, as far as they can be
//! understood without carrying it out.

use super::lexer::{Kind, Token, tokens};

/// What one `vacation` command answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    /// Its text; none where it is a message with its own header (`:mime`).
    pub(crate) text: Option<String>,
}

/// The `vacation` commands that may be carried out. What stands in a branch of `if false` is
/// switched off, as some clients do it.
pub(crate) fn vacations(script: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    // For each block that is open, whether nothing in it is carried out.
    let mut blocks: Vec<bool> = Vec::new();
    let mut command: Vec<Token> = Vec::new();
    for token in tokens(script).filter(|token| token.kind != Kind::Comment) {
        match token.kind {
            Kind::Open => {
                let never = |pair: &[Token]| match pair {
                    [branch, test] => {
                        (branch.is_word(script, "if") || branch.is_word(script, "elsif"))
                            && test.is_word(script, "false")
                    }
                    _ => false,
                };
                let dead = blocks.last() == Some(&true) || never(&command);
                blocks.push(dead);
                command.clear();
            }
            Kind::Close => {
                blocks.pop();
                command.clear();
            }
            Kind::Semicolon => {
                let is_live = blocks.last() != Some(&true);
                if is_live && command.first().is_some_and(|it| it.is_word(script, "vacation")) {
                    found.push(read(script, &command));
                }
                command.clear();
            }
            _ => command.push(token),
        }
    }
    found
}

fn read(script: &[u8], command: &[Token]) -> Found {
    let is_mime = command.iter().any(|token| {
        token.kind == Kind::Tag
            && script.get(token.range.clone()).is_some_and(|tag| tag.eq_ignore_ascii_case(b":mime"))
    });
    let text = command.last().and_then(|token| token.string(script)).filter(|_| !is_mime);
    Found { text }
}
