//! The typed commands of [`Client`]: one method each, from request to answer. They change nothing
//! but the connection; what the answer means is for the caller.

use crate::client::{Body, Client, Reply};
use crate::error::{Error, Result};
use bytes::Bytes;
use dme_eas::compose::{Message, Response as Sent, SaveInSent, Source};
use dme_eas::query::{Command, Parameters};
use dme_eas::{
    ProtocolVersion, find, folder_create, folder_delete, folder_sync, folder_update,
    get_item_estimate, item_operations, meeting_response, move_items, ping, provision,
    resolve_recipients, search, send_mail, settings, smart_forward, smart_reply, sync,
    validate_cert,
};
use dme_wbxml::Element;
use std::time::Duration;

/// A method that sends an element and reads one.
macro_rules! commands {
    ($($(#[$doc:meta])* $method:ident, $command:ident, $module:ident,
        |$request:ident, $version:ident| $element:expr;)*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// Where there is no answer, its HTTP status is not 200, or it is not understood.
                pub async fn $method(
                    &mut self,
                    $request: &$module::Request,
                ) -> Result<$module::Response> {
                    let $version = self.account.version;
                    let element = $element;
                    let answer = self.ask(Command::$command, element).await?;
                    $module::Response::from_element(&answer)
                        .map_err(|e| Error::Answer(Command::$command, e))
                }
            )*
        }
    };
}

commands! {
    /// The list of folders.
    folder_sync, FolderSync, folder_sync, |request, _version| request.to_element();
    /// A new folder.
    folder_create, FolderCreate, folder_create, |request, _version| request.to_element();
    /// A folder renamed or moved.
    folder_update, FolderUpdate, folder_update, |request, _version| request.to_element();
    /// A folder deleted.
    folder_delete, FolderDelete, folder_delete, |request, _version| request.to_element();
    /// Items moved.
    move_items, MoveItems, move_items, |request, _version| request.to_element();
    /// How many changes wait.
    get_item_estimate, GetItemEstimate, get_item_estimate,
        |request, version| request.to_element(version);
    /// The policy.
    provision, Provision, provision, |request, version| request.to_element(version);
    /// Settings.
    settings, Settings, settings, |request, version| request.to_element(version);
    /// A search.
    search, Search, search, |request, version| request.to_element(version);
    /// A search (16.1).
    find, Find, find, |request, _version| request.to_element();
    /// Whom a name stands for.
    resolve_recipients, ResolveRecipients, resolve_recipients,
        |request, version| request.to_element(version);
    /// Whether certificates are good.
    validate_cert, ValidateCert, validate_cert, |request, _version| request.to_element();
    /// Answers to invitations.
    meeting_response, MeetingResponse, meeting_response,
        |request, version| request.to_element(version);
}

impl Client {
    /// Sends an element and returns the answer's, which must be there.
    ///
    /// # Errors
    /// Where there is no answer, its HTTP status is not 200, or it has no body.
    pub async fn ask(&mut self, command: Command, element: Element) -> Result<Element> {
        let answer = self.send_element(command, Some(element), Duration::ZERO).await?;
        answer.ok_or(Error::NoBody(command))
    }

    /// Sends an element, or none, and returns the answer's.
    ///
    /// # Errors
    /// Where there is no answer or its HTTP status is not 200.
    pub async fn send_element(
        &mut self,
        command: Command,
        element: Option<Element>,
        wait: Duration,
    ) -> Result<Option<Element>> {
        let body = element.map_or(Body::Empty, Body::Element);
        let reply = self.command(command, Parameters::default(), body, wait).await?;
        reply.success(command.name())?.element(command)
    }

    /// What changed; none where nothing did. Without a request the last one is repeated.
    ///
    /// # Errors
    /// Where there is no answer, its HTTP status is not 200, or it is not understood.
    pub async fn sync(
        &mut self,
        request: Option<&sync::Request>,
    ) -> Result<Option<sync::Response>> {
        let wait = match request.and_then(|request| request.wait) {
            Some(sync::Wait::Minutes(minutes)) => Duration::from_secs(u64::from(minutes) * 60),
            Some(sync::Wait::Seconds(seconds)) => Duration::from_secs(seconds.into()),
            None if request.is_none() => Duration::from_secs(3600),
            None => Duration::ZERO,
        };
        let element = request.map(|request| request.to_element(self.account.version));
        match self.send_element(Command::Sync, element, wait).await? {
            Some(answer) => sync::Response::from_element(&answer)
                .map(Some)
                .map_err(|e| Error::Answer(Command::Sync, e)),
            None => Ok(None),
        }
    }

    /// Waits for a change. Without a request the last one is repeated.
    ///
    /// # Errors
    /// Where there is no answer, its HTTP status is not 200, or it is not understood.
    pub async fn ping(&mut self, request: Option<&ping::Request>) -> Result<ping::Response> {
        let wait = request.and_then(|request| request.heartbeat);
        let wait = wait.unwrap_or(Duration::from_secs(3600));
        let element = request.map(ping::Request::to_element);
        let answer = self.send_element(Command::Ping, element, wait).await?;
        ping::Response::from_element(&answer.ok_or(Error::NoBody(Command::Ping))?)
            .map_err(|e| Error::Answer(Command::Ping, e))
    }

    /// Fetches, empties, moves; `in_parts` where the answer may be multipart.
    ///
    /// # Errors
    /// Where there is no answer, its HTTP status is not 200, or it is not understood.
    pub async fn item_operations(
        &mut self,
        request: &item_operations::Request,
        in_parts: bool,
    ) -> Result<item_operations::Response> {
        let command = Command::ItemOperations;
        let parameters = Parameters { accept_multi_part: in_parts, ..Parameters::default() };
        let body = Body::Element(request.to_element());
        let reply = self.command(command, parameters, body, Duration::ZERO).await?;
        let reply = reply.success(command.name())?;
        let element = reply.element(command)?.ok_or(Error::NoBody(command))?;
        operated(&reply, &element)
    }

    /// An attachment's bytes, by the older command.
    ///
    /// # Errors
    /// Where there is no answer or its HTTP status is not 200.
    pub async fn get_attachment(&mut self, file_reference: &str) -> Result<Bytes> {
        let parameters = Parameters {
            attachment_name: Some(file_reference.to_owned()),
            ..Parameters::default()
        };
        let command = Command::GetAttachment;
        let reply = self.command(command, parameters, Body::Empty, Duration::ZERO).await?;
        Ok(reply.success(command.name())?.body)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Where there is no answer, its HTTP status is not 200, or it is not understood.
    pub async fn send_mail(&mut self, message: &Message) -> Result<Sent> {
        let request = send_mail::Request { message: message.clone() };
        let element = request.to_element();
        let reply = self.compose(Command::SendMail, message, None, element).await?;
        let answer = reply.element(Command::SendMail)?;
        send_mail::response_from_element(answer.as_ref())
            .map_err(|e| Error::Answer(Command::SendMail, e))
    }

    /// Sends an answer to a mail.
    ///
    /// # Errors
    /// Where there is no answer, its HTTP status is not 200, or it is not understood.
    pub async fn smart_reply(&mut self, request: &smart_reply::Request) -> Result<Sent> {
        let element = request.to_element();
        let source = Some(&request.source);
        let reply = self.compose(Command::SmartReply, &request.message, source, element).await?;
        let answer = reply.element(Command::SmartReply)?;
        smart_reply::response_from_element(answer.as_ref())
            .map_err(|e| Error::Answer(Command::SmartReply, e))
    }

    /// Sends a mail on.
    ///
    /// # Errors
    /// Where there is no answer, its HTTP status is not 200, or it is not understood.
    pub async fn smart_forward(&mut self, request: &smart_forward::Request) -> Result<Sent> {
        let element = request.to_element(self.account.version);
        let source = Some(&request.source);
        let reply = self.compose(Command::SmartForward, &request.message, source, element).await?;
        let answer = reply.element(Command::SmartForward)?;
        smart_forward::response_from_element(answer.as_ref())
            .map_err(|e| Error::Answer(Command::SmartForward, e))
    }

    async fn compose(
        &mut self,
        command: Command,
        message: &Message,
        source: Option<&Source>,
        element: Element,
    ) -> Result<Reply> {
        let (parameters, body) = outgoing(self.account.version, message, source, element);
        let reply = self.command(command, parameters, body, Duration::ZERO).await?;
        reply.success(command.name())
    }
}

/// A message on its way: from 14.0 on the element; in 12.1 the message itself, with the rest in the
/// query.
pub(crate) fn outgoing(
    version: ProtocolVersion,
    message: &Message,
    source: Option<&Source>,
    element: Element,
) -> (Parameters, Body) {
    if version != ProtocolVersion::V12_1 {
        return (Parameters::default(), Body::Element(element));
    }
    let mut parameters = Parameters {
        save_in_sent: message.save_in_sent == SaveInSent::Yes,
        ..Parameters::default()
    };
    match source.cloned() {
        Some(Source::Item { folder_id, item_id, instance_id }) => {
            parameters.collection_id = folder_id;
            parameters.item_id = Some(item_id);
            parameters.occurrence = instance_id;
        }
        Some(Source::LongId { long_id, instance_id }) => {
            parameters.long_id = Some(long_id);
            parameters.occurrence = instance_id;
        }
        None => {}
    }
    (parameters, Body::Mime(message.mime.clone()))
}

/// What ItemOperations came to, with its contents from wherever they stand.
pub(crate) fn operated(reply: &Reply, element: &Element) -> Result<item_operations::Response> {
    let parts: Vec<Bytes> = if reply.is_multipart() {
        dme_eas::multipart::split(&reply.body)?.into_iter().skip(1).collect()
    } else {
        Vec::new()
    };
    item_operations::Response::from_parts(element, &parts)
        .map_err(|e| Error::Answer(Command::ItemOperations, e))
}
