//! GetAttachment (MS-ASCMD 2.2.1.7): 12.1's way to an attachment; the bytes are the answer.

use super::exchange::Exchange;
use super::failure::Failure;
use super::fetch::attachment;
use super::reply::Reply;
use http::StatusCode;

pub(super) async fn handle(exchange: &Exchange<'_>) -> Result<Reply, Failure> {
    let Some(name) = &exchange.line.parameters.attachment_name else {
        return Err(Failure::Http(StatusCode::BAD_REQUEST));
    };
    let part = attachment(exchange, name, None).await?;
    Ok(Reply::Bytes { content_type: part.media_type, data: part.data })
}
