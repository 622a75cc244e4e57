//! Conversations: which one a message belongs to, and how deep in it.

use crate::{
    header::{self, Fields},
    subject, transfer,
};
use dme_model::ConversationId;
use sha2::{Digest, Sha256};

/// How many levels of answers an index counts.
const MAX_LEVELS: usize = 50;

/// The message's own id without the brackets.
pub(crate) fn message_id(fields: &Fields, raw: &[u8]) -> Option<String> {
    header::ids(fields.find(raw, "Message-ID")?).next()
}

/// The conversation: the first 16 bytes of SHA-256 over the id of the message that began it, as
/// `References` has it first, else `In-Reply-To`, else its own; where there is no id at all, over
/// the topic in lower case. Every system that keeps these headers gives the same id, and every
/// release must.
pub(crate) fn id(fields: &Fields, raw: &[u8]) -> Option<ConversationId> {
    let first = ["References", "In-Reply-To", "Message-ID"]
        .iter()
        .find_map(|name| header::ids(fields.find(raw, name)?).next());
    let hash = match first {
        Some(id) => Sha256::new().chain_update("id:").chain_update(id).finalize(),
        None => {
            let subject = fields.text(raw, "Subject");
            let topic = subject::topic(&subject).to_lowercase();
            if topic.is_empty() {
                return None;
            }
            Sha256::new().chain_update("topic:").chain_update(topic).finalize()
        }
    };
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Some(ConversationId(id))
}

/// `ConversationIndex` (MS-ASCON 2.2.2.4): five bytes of time, when the conversation began, and
/// five for each answer since. Taken from Outlook's `Thread-Index` where there is one, which has
/// the conversation's id after the time (MS-OXOMSG 2.2.1.3); else made of the message's own time
/// and the number of its references, which sorts a thread as well as can be known from one message.
pub(crate) fn index(fields: &Fields, raw: &[u8], sent: i64) -> Vec<u8> {
    if let Some(value) = fields.find(raw, "Thread-Index") {
        let index = transfer::base64(&value[..value.len().min(header::MAX_VALUE)]);
        if let Some(levels) = index.get(22..).filter(|levels| levels.len().is_multiple_of(5)) {
            let mut short = index[1..6].to_vec();
            short.extend_from_slice(&levels[..levels.len().min(5 * MAX_LEVELS)]);
            return short;
        }
    }
    let references = fields.find(raw, "References").map_or(0, |value| header::ids(value).count());
    let levels = match references {
        0 => usize::from(fields.find(raw, "In-Reply-To").is_some()),
        some => some,
    };
    let mut index = file_time(sent)[1..6].to_vec();
    // No time is known for the answers between; the level alone counts.
    (1..=levels.min(MAX_LEVELS)).for_each(|level| index.extend([0, 0, 0, 0, level as u8]));
    index
}

/// Big-endian FILETIME: 100 ns since 1601 (MS-DTYP 2.3.3).
fn file_time(seconds: i64) -> [u8; 8] {
    let since_1601 = seconds.saturating_add(11_644_473_600).max(0);
    (since_1601 as u64).saturating_mul(10_000_000).to_be_bytes()
}

#[cfg(test)]
mod tests;
