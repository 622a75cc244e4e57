//! What sort of message it is (MS-ASEMAIL 2.2.2.49), apart from meetings.

use crate::structure::{Message, Node};
use dme_model::MailKind;

/// How much of a report's data is read, in bytes.
const MAX_REPORT: usize = 64 << 10;

/// The kind by the root's media type. `Note` for all that is no S/MIME (RFC 8551 §3) and no report
/// of a delivery or reading (RFC 6522).
pub(crate) fn kind(message: &Message) -> MailKind {
    let root = message.root();
    match root.media_type.as_str() {
        "multipart/signed" if is_smime_signature(root) => MailKind::SmimeSigned,
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            match root.parameter("smime-type") {
                Some("certs-only") => MailKind::Note,
                _ => MailKind::SmimeEncrypted,
            }
        }
        // What some gateways make of it.
        "application/octet-stream"
            if root.name(message).is_some_and(|name| name.eq_ignore_ascii_case("smime.p7m")) =>
        {
            MailKind::SmimeEncrypted
        }
        "multipart/report" => report(message, root),
        _ => MailKind::Note,
    }
}

fn is_smime_signature(root: &Node) -> bool {
    root.parameter("protocol").is_some_and(|protocol| {
        let protocol = protocol.to_ascii_lowercase();
        protocol == "application/pkcs7-signature" || protocol == "application/x-pkcs7-signature"
    })
}

fn report(message: &Message, root: &Node) -> MailKind {
    for child in &root.children {
        let node = &message.nodes[*child];
        let content = || {
            let content = node.content(&message.raw);
            String::from_utf8_lossy(&content[..content.len().min(MAX_REPORT)]).to_ascii_lowercase()
        };
        match node.media_type.as_str() {
            "message/delivery-status" | "message/global-delivery-status" => {
                return match field(&content(), "action") {
                    Some("failed") => MailKind::NonDelivery,
                    Some("delivered" | "relayed" | "expanded") => MailKind::Delivery,
                    // Delayed: nothing is settled yet.
                    _ => MailKind::Note,
                };
            }
            "message/disposition-notification" | "message/global-disposition-notification" => {
                let disposition = content();
                let read = field(&disposition, "disposition").is_some_and(|value| {
                    value.rsplit(';').next().unwrap_or("").contains("displayed")
                });
                return if read { MailKind::Read } else { MailKind::Note };
            }
            _ => {}
        }
    }
    MailKind::Note
}

/// The first field of this name; the text and the name are in lower case.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':').map(str::trim))
}
