//! A message as a neutral [`Mail`].

use crate::{
    Envelope, Error, MAX_SEARCH_TEXT, Meetings, attachment, conversation,
    header::{self, Fields},
    invitation, kind,
    layout::Layout,
    own_text,
    structure::Message,
    subject,
    text::{self, as_str, cut},
    wire,
};
use bytes::Bytes;
use dme_model::{
    Body, BodyKind, BodyPreference, BodyView, Importance, Mail, MailKind, MimeSupport, Timestamp,
};

pub(crate) fn read(
    raw: Bytes,
    envelope: Envelope,
    view: &BodyView,
    meetings: Meetings,
) -> Result<Mail, Error> {
    let message = Message::parse(raw)?;
    let layout = Layout::of(&message);
    let fields = &message.root().fields;
    let raw = &message.raw;

    let mut kind = kind::kind(&message);
    let mut told = Vec::new();
    if kind == MailKind::Note
        && let Some((part, invitation)) = invitation::find(&message, meetings)
    {
        told.push(part);
        kind = MailKind::Meeting(Box::new(invitation));
    }
    let native = if layout.has_html(&message) { BodyKind::Html } else { BodyKind::Plain };
    let mut forms = Forms { message: &message, layout: &layout, html: None, plain: None };
    let (body, preview) = match choose(view, native, &kind, &mut forms) {
        Some((body, preview)) => (Some(body), preview),
        None => (None, None),
    };
    let (body_part, part_preview) =
        view.part_preference.map(|preference| forms.own(preference)).unzip();
    let subject = fields.text(raw, "Subject");
    let sent = fields.date(raw, "Date");
    let began = sent.unwrap_or_else(|| envelope.received.as_seconds());
    Ok(Mail {
        from: fields.addresses(raw, "From"),
        sender: fields.addresses(raw, "Sender").into_iter().next(),
        reply_to: fields.addresses(raw, "Reply-To"),
        to: fields.addresses(raw, "To"),
        cc: fields.addresses(raw, "Cc"),
        bcc: fields.addresses(raw, "Bcc"),
        thread_topic: subject::topic(&subject).to_owned(),
        subject,
        received: envelope.received,
        sent: sent.map(Timestamp::from_seconds),
        message_id: conversation::message_id(fields, raw),
        conversation: conversation::id(fields, raw),
        conversation_index: conversation::index(fields, raw, began),
        importance: importance(fields, raw),
        kind,
        flags: envelope.flags,
        size: envelope.size,
        native: Some(native),
        body_part,
        part_preview: part_preview.flatten(),
        body,
        preview: preview.map(|length| text::preview(&message, &layout, usize::from(length))),
        attachments: attachment::list(&message, &layout, &told),
    })
}

/// A message's text in the forms made so far.
struct Forms<'a> {
    message: &'a Message,
    layout: &'a Layout,
    html: Option<Bytes>,
    plain: Option<Bytes>,
}

impl Forms<'_> {
    fn get(&mut self, kind: BodyKind) -> Bytes {
        let (message, layout) = (self.message, self.layout);
        match kind {
            BodyKind::Mime => wire::whole(message),
            BodyKind::Html => {
                self.html.get_or_insert_with(|| text::as_html(message, layout)).clone()
            }
            BodyKind::Plain => {
                self.plain.get_or_insert_with(|| text::as_plain(message, layout)).clone()
            }
        }
    }

    /// The author's own text and the preview of it that is wanted (MS-ASAIRS 2.2.2.10).
    fn own(&mut self, preference: BodyPreference) -> (Body, Option<String>) {
        let whole = self.get(preference.kind);
        let end = match preference.kind {
            BodyKind::Plain => own_text::own_plain(as_str(&whole)),
            BodyKind::Html => own_text::own_html(as_str(&whole)),
            BodyKind::Mime => whole.len(),
        };
        let own = whole.slice(..end);
        let preview = preference.preview.filter(|_| preference.kind != BodyKind::Mime);
        let preview = preview.map(|length| {
            let is_html = preference.kind == BodyKind::Html;
            text::preview_of(as_str(&own), is_html, usize::from(length))
        });
        (fit(&own, preference).unwrap_or_else(|| withheld(&own, preference.kind)), preview)
    }
}

/// The body by the phone's preferences, and how long a preview it wants (MS-ASAIRS 2.2.2.3.2,
/// MS-ASCMD 2.2.3.110): MIME where it is wanted and meant, else the form the author wrote in, else
/// the first named. A form that may not be cut and is too long gives way to the next. Where MIME
/// alone is named and not meant, there still is a body, of which only the size is told (MS-ASCMD
/// 2.2.3.110.2).
fn choose(
    view: &BodyView,
    native: BodyKind,
    kind: &MailKind,
    forms: &mut Forms<'_>,
) -> Option<(Body, Option<u16>)> {
    let smime = matches!(kind, MailKind::SmimeSigned | MailKind::SmimeEncrypted);
    let mime_meant = match view.mime {
        MimeSupport::Never => false,
        MimeSupport::Smime => smime,
        MimeSupport::Always => true,
    };
    let rank = |preference: &BodyPreference| match preference.kind {
        BodyKind::Mime => 0,
        kind if kind == native => 1,
        _ => 2,
    };
    let mut accepted: Vec<BodyPreference> = view
        .preferences
        .iter()
        .filter(|preference| preference.kind != BodyKind::Mime || mime_meant)
        .copied()
        .collect();
    // Sorting is stable: the rest stay in the phone's order.
    accepted.sort_by_key(rank);
    if accepted.is_empty() && view.mime == MimeSupport::Smime {
        // MIME for S/MIME only, and this is none: "send regular body for all other messages".
        accepted.extend(
            view.preferences
                .first()
                .map(|preference| BodyPreference { kind: native, ..*preference }),
        );
    }
    let preview = accepted.iter().find_map(|preference| preference.preview);
    for preference in &accepted {
        if let Some(body) = fit(&forms.get(preference.kind), *preference) {
            return Some((body, preview));
        }
    }
    view.preferences.first()?;
    let kind = accepted.first().map_or(native, |first| first.kind);
    Some((withheld(&forms.get(kind), kind), preview))
}

/// The body within the preference's limits; none where it may not be cut and would have to be.
fn fit(whole: &Bytes, preference: BodyPreference) -> Option<Body> {
    let limit = preference
        .truncation
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let truncated = whole.len() > limit;
    if truncated && preference.all_or_none {
        return None;
    }
    Some(Body {
        kind: preference.kind,
        data: piece(whole, cut(whole, limit)),
        truncated,
        full_size: whole.len() as u64,
    })
}

/// A body of which only the size is told.
fn withheld(whole: &Bytes, kind: BodyKind) -> Body {
    Body { kind, data: Bytes::new(), truncated: true, full_size: whole.len() as u64 }
}

/// The begin of the bytes. A small piece is copied, so that it does not keep a large message in
/// memory.
fn piece(whole: &Bytes, len: usize) -> Bytes {
    if len < whole.len() / 2 { Bytes::copy_from_slice(&whole[..len]) } else { whole.slice(..len) }
}

/// By `Importance` (RFC 2156 §5.3.6), else what clients write beside or instead of it.
fn importance(fields: &Fields, raw: &[u8]) -> Importance {
    for name in ["Importance", "X-MSMail-Priority", "X-Priority", "Priority"] {
        let Some(value) = fields.find(raw, name) else { continue };
        let word = header::text(value).to_ascii_lowercase();
        match word.split([' ', '(', ';']).next().unwrap_or_default() {
            "high" | "1" | "2" | "urgent" => return Importance::High,
            "low" | "4" | "5" | "non-urgent" => return Importance::Low,
            _ => {}
        }
    }
    Importance::Normal
}

pub(crate) fn search_text(raw: &Bytes) -> Result<String, Error> {
    let message = Message::parse(raw.clone())?;
    let layout = Layout::of(&message);
    let fields = &message.root().fields;
    let mut out = fields.text(raw, "Subject");
    for name in ["From", "To", "Cc", "Bcc"] {
        for address in fields.addresses(raw, name) {
            out.push('\n');
            out.push_str(address.name.as_deref().unwrap_or_default());
            out.push(' ');
            out.push_str(&address.email);
        }
    }
    for attachment in attachment::list(&message, &layout, &[]) {
        out.push('\n');
        out.push_str(&attachment.name);
    }
    out.push('\n');
    let text = text::as_plain(&message, &layout);
    out.push_str(as_str(&text));
    out.truncate(cut(out.as_bytes(), MAX_SEARCH_TEXT));
    Ok(out)
}

#[cfg(test)]
mod tests;
