//! Drafts of EAS 16.0 on: made and changed property by property (MS-ASCMD 2.2.1.21, Sync `Add` and
//! `Change` of a draft).

use super::{
    assemble::{Content, Piece},
    finish::crlf,
    reply::{add_parts, describes_content},
    write,
};
use crate::{
    Error, charset, conversation,
    html::{Links, to_text},
    layout::Layout,
    structure::Message,
    text::{self, as_str},
};
use bytes::Bytes;
use dme_model::{Address, BodyKind, Importance, PartId, Timestamp};

/// The header field by which a mail system's client knows a draft that it saved already. It is of
/// the form it stands in alone: a changed draft is another, and a sent mail is none.
pub const DRAFT_KEY: &str = "X-DME-Key";

/// A file to attach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAttachment {
    /// Its file name.
    pub name: String,
    /// Its media type; none for `application/octet-stream`.
    pub media_type: Option<String>,
    /// Its `Content-ID` without the brackets, where the text shows it.
    pub content_id: Option<String>,
    /// Its content.
    pub data: Bytes,
}

/// What changes of a draft; what is `None` stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DraftChange {
    /// The author, for a new draft.
    pub from: Option<Address>,
    /// Receivers.
    pub to: Option<Vec<Address>>,
    /// Receivers of a copy.
    pub cc: Option<Vec<Address>>,
    /// Hidden receivers.
    pub bcc: Option<Vec<Address>>,
    /// Where answers go.
    pub reply_to: Option<Vec<Address>>,
    /// The subject.
    pub subject: Option<String>,
    /// Urgency.
    pub importance: Option<Importance>,
    /// The text, as `Plain` or `Html` in UTF-8. With `Mime` the data is a whole message whose text
    /// and attachments are taken.
    pub body: Option<(BodyKind, Bytes)>,
    /// Files added.
    pub attach: Vec<NewAttachment>,
    /// Attachments of the old draft taken off.
    pub detach: Vec<PartId>,
}

/// A draft's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drafted {
    /// The whole of it.
    pub message: Bytes,
    /// Which of its parts are the files of [`DraftChange::attach`], in their order. One that lies
    /// beyond the most parts a message is read with has none.
    pub attached: Vec<Option<PartId>>,
}

/// The draft with the change made to it, or a new one. `now` becomes its `Date`; `seed` makes its
/// `Message-ID` where it has none, as for [`super::finish`].
///
/// # Errors
/// [`Error::NoSuchPart`] where `detach` names none; [`Error::TooLarge`], and [`Error::Empty`] for
/// an empty `Mime` body.
pub fn draft(
    old: Option<&Bytes>,
    change: &DraftChange,
    now: Timestamp,
    seed: &str,
) -> Result<Drafted, Error> {
    let old = old.map(|raw| Message::parse(raw.clone())).transpose()?;
    let given = match &change.body {
        Some((BodyKind::Mime, data)) => Some(Message::parse(data.clone())?),
        _ => None,
    };
    let mut out = Vec::new();
    let id = write_header(old.as_ref(), change, now, seed, &mut out);
    // Not of the id alone: an attached earlier form of this draft has boundaries of that.
    let before = old.as_ref().map_or(&[][..], |old| &old.raw);
    let boundaries = write::digits(&[id.as_bytes(), before, &now.as_millis().to_be_bytes()]);
    let content = content(old.as_ref(), given.as_ref(), change)?;
    content.write(&boundaries, &mut out);
    let message = Bytes::from(out);
    let attached = attached(&content, change, &message)?;
    Ok(Drafted { message, attached })
}

/// Where the new files came to lie.
fn attached(
    content: &Content<'_>,
    change: &DraftChange,
    message: &Bytes,
) -> Result<Vec<Option<PartId>>, Error> {
    if change.attach.is_empty() {
        return Ok(Vec::new());
    }
    let written = Message::parse(message.clone())?;
    // The text stands first in either list of parts, see `Content::write`.
    let within = |parent: Option<usize>, place: usize| {
        let children = &written.nodes.get(parent?)?.children;
        children.get(place + 1).map(|index| written.id(*index))
    };
    let root = Some(0);
    let related = match content.attachments.is_empty() {
        true => root,
        false => written.root().children.first().copied(),
    };
    let place = |list: &[Piece<'_>], file: &NewAttachment| {
        list.iter().position(|piece| matches!(piece, Piece::New(one) if std::ptr::eq(*one, file)))
    };
    let of = |file| match place(&content.inline, file) {
        Some(at) => within(related, at),
        None => within(root, place(&content.attachments, file)?),
    };
    Ok(change.attach.iter().map(of).collect())
}

/// Writes all but the content's description; says the `Message-ID`.
fn write_header(
    old: Option<&Message>,
    change: &DraftChange,
    now: Timestamp,
    seed: &str,
    out: &mut Vec<u8>,
) -> String {
    let lists = [
        ("From", change.from.as_ref().map(std::slice::from_ref)),
        ("To", change.to.as_deref()),
        ("Cc", change.cc.as_deref()),
        ("Bcc", change.bcc.as_deref()),
        ("Reply-To", change.reply_to.as_deref()),
    ];
    let importance = ["Importance", "X-Priority", "X-MSMail-Priority", "Priority"];
    let mut id = None;
    if let Some(old) = old {
        id = conversation::message_id(&old.root().fields, &old.raw);
        for field in old.root().fields.iter(&old.raw) {
            let changed = field.is("Date")
                || field.is(DRAFT_KEY)
                || lists.iter().any(|(name, list)| list.is_some() && field.is(name))
                || (change.subject.is_some() && field.is("Subject"))
                || (change.importance.is_some() && importance.iter().any(|name| field.is(name)));
            if !changed && !describes_content(field) {
                out.extend_from_slice(&crlf(field.whole));
            }
        }
    }
    for (name, list) in lists {
        write::address_field(name, list.unwrap_or_default(), out);
    }
    if let Some(subject) = &change.subject {
        write::text_field("Subject", subject, out);
    }
    match change.importance {
        Some(Importance::High) => write::raw_field("Importance", "high", out),
        Some(Importance::Low) => write::raw_field("Importance", "low", out),
        _ => {}
    }
    write::date_field(now.as_seconds(), out);
    id.unwrap_or_else(|| {
        let author = change.from.as_ref().map_or("", |from| &from.email);
        let id = write::new_message_id(seed, author);
        write::ids_field("Message-ID", std::slice::from_ref(&id), out);
        id
    })
}

fn content<'a>(
    old: Option<&'a Message>,
    given: Option<&'a Message>,
    change: &'a DraftChange,
) -> Result<Content<'a>, Error> {
    let mut content = Content::default();
    let decode = |data: &Bytes| charset::decode(data, Some("utf-8")).into_owned();
    match &change.body {
        Some((BodyKind::Plain, data)) => content.plain = Some(decode(data)),
        Some((BodyKind::Html, data)) => {
            let html = decode(data);
            content.plain = Some(to_text(&html, Links::Shown, usize::MAX));
            content.html = Some(html);
        }
        Some((BodyKind::Mime, _)) | None => {
            if let Some(message) = given.or(old) {
                take_text(message, &Layout::of(message), &mut content);
            }
        }
    }
    if let Some(old) = old {
        let mut layout = Layout::of(old);
        for id in &change.detach {
            let part = old.find(id).ok_or_else(|| Error::NoSuchPart(id.clone()))?;
            layout.attachments.retain(|one| *one != part);
            layout.alternatives.retain(|one| *one != part);
        }
        add_parts(old, &layout, |_| true, &mut content);
    } else if let Some(id) = change.detach.first() {
        return Err(Error::NoSuchPart(id.clone()));
    }
    if let Some(given) = given {
        add_parts(given, &Layout::of(given), |_| true, &mut content);
    }
    for file in &change.attach {
        let inline = file.content_id.is_some() && content.html.is_some();
        let list = if inline { &mut content.inline } else { &mut content.attachments };
        list.push(Piece::New(file));
    }
    Ok(content)
}

fn take_text(message: &Message, layout: &Layout, content: &mut Content<'_>) {
    content.plain = Some(as_str(&text::as_plain(message, layout)).to_owned());
    if layout.has_html(message) {
        content.html = Some(as_str(&text::as_html(message, layout)).to_owned());
    }
}

#[cfg(test)]
mod tests;
