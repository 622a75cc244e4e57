//! What a user does with mail on the phone.

use super::Phone;
use crate::client::Body;
use crate::commands;
use crate::error::{Error, Result};
use bytes::Bytes;
use dme_eas::body::ContentOptions;
use dme_eas::compose::{Message, Response as Sent, SaveInSent, Source};
use dme_eas::email::EmailView;
use dme_eas::item_operations::{
    Fetch, FetchContent, FetchResponse, FetchTarget, Operation, OperationResponse,
};
use dme_eas::query::{Command, Parameters};
use dme_eas::{
    item_operations, move_items, search, send_mail, settings, smart_forward, smart_reply,
};
use dme_wbxml::Element;
use dme_wbxml::pages::settings as page;
use std::time::Duration;

impl Phone {
    /// A message with a name of its own. Who loses the answer to it sends the same again, so that
    /// the server knows it.
    pub fn new_message(&mut self, mime: impl Into<Bytes>) -> Message {
        let client_id = Some(self.next_client_id());
        Message { client_id, ..Message::from_mime(mime.into(), SaveInSent::Yes) }
    }

    /// Sends a new message; a copy is kept.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn send_mail(&mut self, mime: impl Into<Bytes>) -> Result<()> {
        let message = self.new_message(mime);
        self.send_message(&message).await
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn send_message(&mut self, message: &Message) -> Result<()> {
        let element = send_mail::Request { message: message.clone() }.to_element();
        let answer = self.compose(Command::SendMail, message, None, element).await?;
        sent("SendMail", send_mail::response_from_element(answer.as_ref()), Command::SendMail)
    }

    /// Answers a mail; the server adds the original.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn smart_reply(
        &mut self,
        folder: &str,
        item: &str,
        mime: impl Into<Bytes>,
    ) -> Result<()> {
        let message = self.new_message(mime);
        let request = smart_reply::Request::from_mime(message, source(folder, item));
        self.send_reply(&request).await
    }

    /// Sends an answer to a mail.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn send_reply(&mut self, request: &smart_reply::Request) -> Result<()> {
        let (message, source) = (&request.message, Some(&request.source));
        let element = request.to_element();
        let answer = self.compose(Command::SmartReply, message, source, element).await?;
        let answer = smart_reply::response_from_element(answer.as_ref());
        sent("SmartReply", answer, Command::SmartReply)
    }

    /// Sends a mail on; the server adds the original.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn smart_forward(
        &mut self,
        folder: &str,
        item: &str,
        mime: impl Into<Bytes>,
    ) -> Result<()> {
        let message = self.new_message(mime);
        let request = smart_forward::Request::from_mime(message, source(folder, item));
        self.send_forward(&request).await
    }

    /// Sends a mail on.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn send_forward(&mut self, request: &smart_forward::Request) -> Result<()> {
        let (message, source) = (&request.message, Some(&request.source));
        let element = request.to_element(self.client.account.version);
        let answer = self.compose(Command::SmartForward, message, source, element).await?;
        let answer = smart_forward::response_from_element(answer.as_ref());
        sent("SmartForward", answer, Command::SmartForward)
    }

    async fn compose(
        &mut self,
        command: Command,
        message: &Message,
        source: Option<&Source>,
        element: Element,
    ) -> Result<Option<Element>> {
        let version = self.client.account.version;
        let (parameters, body) = commands::outgoing(version, message, source, element);
        Ok(self.exchange(command, parameters, body, Duration::ZERO).await?.element)
    }

    /// Moves a mail to another folder and returns its new server id.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn move_to(&mut self, folder: &str, item: &str, destination: &str) -> Result<String> {
        let one = move_items::Move {
            source: item.to_owned(),
            source_folder: folder.to_owned(),
            destination_folder: destination.to_owned(),
        };
        let request = move_items::Request { moves: vec![one] };
        let answer = self.ask(Command::MoveItems, request.to_element()).await?;
        let answer = move_items::Response::from_element(&answer)
            .map_err(|e| Error::Answer(Command::MoveItems, e))?;
        let moved = answer.moved.into_iter().find(|moved| moved.source == item);
        let refused = |status| Error::Refused { step: "MoveItems", status };
        let moved = moved.ok_or(refused(answer.status.map_or(0, |status| status.code())))?;
        let new_id = match (moved.status, moved.destination) {
            (move_items::Status::Success, Some(id)) => id,
            (status, _) => return Err(refused(status.code())),
        };
        let view = self.folders.get_mut(folder).and_then(|state| state.items.remove(item));
        if let (Some(view), Some(state)) = (view, self.folders.get_mut(destination)) {
            state.items.insert(new_id.clone(), view);
        }
        Ok(new_id)
    }

    /// An attachment's bytes; multipart, as phones with little memory want it.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn fetch_attachment(&mut self, file_reference: &str) -> Result<Bytes> {
        let target = FetchTarget::FileReference(file_reference.to_owned());
        match self.fetch(Fetch::new(target)).await?.content {
            Some(FetchContent::File { data, .. }) => Ok(data),
            _ => Err(Error::NoBody(Command::ItemOperations)),
        }
    }

    /// A mail with as much of its body as asked for.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn fetch_mail(
        &mut self,
        folder: &str,
        item: &str,
        content: ContentOptions,
    ) -> Result<EmailView> {
        let target =
            FetchTarget::Item { collection_id: folder.to_owned(), server_id: item.to_owned() };
        match self.fetch(Fetch { content, ..Fetch::new(target) }).await?.content {
            Some(FetchContent::Item(elements)) => EmailView::from_elements(&elements)
                .map_err(|e| Error::Answer(Command::ItemOperations, e)),
            _ => Err(Error::NoBody(Command::ItemOperations)),
        }
    }

    /// Fetches one thing.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn fetch(&mut self, fetch: Fetch) -> Result<FetchResponse> {
        let command = Command::ItemOperations;
        let request = item_operations::Request { operations: vec![Operation::Fetch(fetch)] };
        let operation = self.operate(&request).await?.into_iter().next();
        match operation {
            Some(OperationResponse::Fetch(answer))
                if answer.status == item_operations::Status::Success =>
            {
                Ok(answer)
            }
            Some(OperationResponse::Fetch(answer)) => {
                Err(Error::Refused { step: "fetching", status: answer.status.code() })
            }
            _ => Err(Error::NoBody(command)),
        }
    }

    /// Deletes all mails of a folder for good.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn empty_folder(&mut self, folder: &str) -> Result<()> {
        let collection_id = folder.to_owned();
        let empty = Operation::EmptyFolder { collection_id, delete_subfolders: false };
        let request = item_operations::Request { operations: vec![empty] };
        let status = match self.operate(&request).await?.into_iter().next() {
            Some(OperationResponse::EmptyFolder { status, .. }) => status,
            _ => return Err(Error::NoBody(Command::ItemOperations)),
        };
        if status != item_operations::Status::Success {
            return Err(Error::Refused { step: "emptying a folder", status: status.code() });
        }
        Ok(())
    }

    async fn operate(
        &mut self,
        request: &item_operations::Request,
    ) -> Result<Vec<OperationResponse>> {
        let command = Command::ItemOperations;
        let parameters = Parameters { accept_multi_part: true, ..Parameters::default() };
        let body = Body::Element(request.to_element());
        let answer = self.exchange(command, parameters, body, Duration::ZERO).await?;
        let element = answer.element.ok_or(Error::NoBody(command))?;
        let answer = commands::operated(&answer.reply, &element)?;
        match answer.status {
            item_operations::Status::Success => Ok(answer.operations),
            status => Err(Error::Refused { step: "ItemOperations", status: status.code() }),
        }
    }

    /// Searches.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn search(&mut self, request: &search::Request) -> Result<search::StoreAnswer> {
        let element = request.to_element(self.client.account.version);
        let answer = self.ask(Command::Search, element).await?;
        let answer = search::Response::from_element(&answer)
            .map_err(|e| Error::Answer(Command::Search, e))?;
        let status = answer.status.code();
        match answer.store {
            Some(store) if store.status == search::Status::Success => Ok(store),
            Some(store) => Err(Error::Refused { step: "Search", status: store.status.code() }),
            None => Err(Error::Refused { step: "Search", status }),
        }
    }

    /// Sends or asks for settings.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses the whole.
    pub async fn settings(&mut self, request: &settings::Request) -> Result<settings::Response> {
        let element = request.to_element(self.client.account.version);
        let answer = self.ask(Command::Settings, element).await?;
        let answer = settings::Response::from_element(&answer)
            .map_err(|e| Error::Answer(Command::Settings, e))?;
        match answer.status {
            settings::Status::Success => Ok(answer),
            status => Err(Error::Refused { step: "Settings", status: status.code() }),
        }
    }

    /// Sets the out-of-office message, or asks for it: then there is one in the answer.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses it.
    pub async fn out_of_office(
        &mut self,
        oof: settings::OofRequest,
    ) -> Result<Option<settings::Oof>> {
        let request = settings::Request { oof: Some(Ok(oof)), ..settings::Request::default() };
        match self.settings(&request).await?.oof {
            Some((settings::Status::Success, oof)) => Ok(oof),
            Some((status, _)) => Err(Error::Refused { step: "Oof", status: status.code() }),
            None => {
                let (parent, element) = (page::SETTINGS, page::OOF);
                let missing = dme_eas::Error::Missing { parent, element };
                Err(Error::Answer(Command::Settings, missing))
            }
        }
    }
}

fn source(folder: &str, item: &str) -> Source {
    Source::Item { folder_id: Some(folder.to_owned()), item_id: item.to_owned(), instance_id: None }
}

fn sent(step: &'static str, answer: dme_eas::Result<Sent>, command: Command) -> Result<()> {
    match answer.map_err(|e| Error::Answer(command, e))? {
        Sent::Sent => Ok(()),
        Sent::Failed(status) => Err(Error::Refused { step, status: status.code() }),
    }
}
