//! A mail as the server tells it.

use super::{importance_code, marks, meeting, message_class};
use crate::address;
use crate::attachment;
use crate::body::{BodyType, body_element, body_part_element};
use crate::calendar::Context;
use crate::date;
use crate::fields::Children;
use crate::line::one_line;
use crate::server_id::ServerId;
use crate::version::ProtocolVersion;
use dme_model::{BodyKind, InvitationMethod, Mail, MailKind};
use dme_wbxml::{Element, pages::air_sync_base, pages::email as page, pages::email2};

/// UTF-8, as `InternetCPID` counts.
const CODE_PAGE_UTF8: &str = "65001";

/// The elements of a mail for this version, in the order Exchange gives them. `id` makes the
/// references of its attachments; by the context a meeting is told as its event is.
pub fn to_elements(
    mail: &Mail,
    id: &ServerId,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Vec<Element> {
    let mut children = Vec::with_capacity(32);
    put_list(&mut children, page::TO, &mail.to);
    put_list(&mut children, page::CC, &mail.cc);
    put_list(&mut children, page::FROM, &mail.from);
    children.put(page::SUBJECT, one_line(&mail.subject));
    put_list(&mut children, page::REPLY_TO, &mail.reply_to);
    children.put(page::DATE_RECEIVED, date::format(mail.received));
    if !mail.to.is_empty() {
        children.put(page::DISPLAY_TO, address::format_names(&mail.to));
    }
    children.put(page::THREAD_TOPIC, one_line(&mail.thread_topic));
    children.put_number(page::IMPORTANCE, importance_code(mail.importance));
    children.put_boolean(page::READ, mail.flags.seen);
    children.put_parent(
        air_sync_base::ATTACHMENTS,
        mail.attachments.iter().map(|attachment| attachment::element(attachment, id)).collect(),
    );
    if let Some(body) = &mail.body {
        let preview = mail.preview.as_deref().filter(|_| version >= ProtocolVersion::V14_0);
        children.push(body_element(body, preview));
    }
    if let Some(part) = mail.body_part.as_ref().filter(|_| version >= ProtocolVersion::V14_1) {
        children.push(body_part_element(part, mail.part_preview.as_deref()));
    }
    children.put(page::MESSAGE_CLASS, message_class(&mail.kind));
    let mut content_class = "urn:content-classes:message";
    if let MailKind::Meeting(invitation) = &mail.kind {
        content_class = "urn:content-classes:calendarmessage";
        if matches!(invitation.method, InvitationMethod::Request | InvitationMethod::Cancel) {
            children.push(meeting::element(invitation, version, context));
        }
    }
    children.put(page::INTERNET_CPID, CODE_PAGE_UTF8);
    children.push(marks::flag_element(mail.flags.followup));
    children.put(page::CONTENT_CLASS, content_class);
    if let Some(native) = mail.native.filter(|native| *native != BodyKind::Mime) {
        children.put_number(air_sync_base::NATIVE_BODY_TYPE, BodyType::from(native).code());
    }
    if version >= ProtocolVersion::V14_0 {
        if let Some(conversation) = mail.conversation {
            let id = conversation.0.to_vec();
            children.push(Element::opaque(email2::CONVERSATION_ID, id));
            if !mail.conversation_index.is_empty() {
                let index = mail.conversation_index.clone();
                children.push(Element::opaque(email2::CONVERSATION_INDEX, index));
            }
        }
        if let Some(sender) = &mail.sender {
            children.put(email2::SENDER, address::format(sender));
        }
    }
    marks::put_categories_and_verb(&mut children, &mail.flags, version);
    if version >= ProtocolVersion::V16_0 {
        put_list(&mut children, email2::BCC, &mail.bcc);
        children.put_boolean(email2::IS_DRAFT, mail.flags.draft);
    }
    children
}

fn put_list(children: &mut Vec<Element>, tag: dme_wbxml::Tag, list: &[dme_model::Address]) {
    if !list.is_empty() {
        children.put(tag, address::format_list(list));
    }
}
