//! The plain text form (MS-ASHTTP 2.2.1.1.1.2).

use super::{Command, Parameters, RequestLine, device_id, device_type};
use crate::error::{Error, Result};

/// Names are taken in any case; the first of several values counts; unknown names are passed over.
pub(super) fn parse(query: &str) -> Result<RequestLine> {
    let mut command = None;
    let mut user = None;
    let mut device = None;
    let mut kind = None;
    let mut parameters = Parameters::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value)?;
        let slot = match name.to_ascii_lowercase().as_str() {
            "cmd" => &mut command,
            "user" => &mut user,
            "deviceid" => &mut device,
            "devicetype" => &mut kind,
            "attachmentname" => &mut parameters.attachment_name,
            "collectionid" => &mut parameters.collection_id,
            "itemid" => &mut parameters.item_id,
            "longid" => &mut parameters.long_id,
            "occurrence" => &mut parameters.occurrence,
            "saveinsent" => {
                parameters.save_in_sent |= matches!(value.as_str(), "T" | "t" | "1");
                continue;
            }
            _ => continue,
        };
        slot.get_or_insert(value);
    }
    let command = command.ok_or(Error::Query("Cmd is missing"))?;
    Ok(RequestLine {
        command: Command::from_name(&command).ok_or(Error::Command)?,
        user,
        device: device_id(&device.unwrap_or_default())?,
        device_type: device_type(&kind.unwrap_or_default())?,
        packed: None,
        parameters,
    })
}

/// The command, whatever else there is.
pub(super) fn command_of(query: &str) -> Option<Command> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut commands = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("cmd"));
    Command::from_name(commands.next()?.1)
}

pub(super) fn format(line: &RequestLine) -> String {
    let mut query = format!("Cmd={}", line.command.name());
    let mut put = |name: &str, value: &str| {
        query.push('&');
        query.push_str(name);
        query.push('=');
        encode(value, &mut query);
    };
    if let Some(user) = &line.user {
        put("User", user);
    }
    put("DeviceId", line.device.as_str());
    put("DeviceType", &line.device_type);
    let parameters = &line.parameters;
    for (name, value) in [
        ("AttachmentName", &parameters.attachment_name),
        ("CollectionId", &parameters.collection_id),
        ("ItemId", &parameters.item_id),
        ("LongId", &parameters.long_id),
        ("Occurrence", &parameters.occurrence),
    ] {
        if let Some(value) = value {
            put(name, value);
        }
    }
    if parameters.save_in_sent {
        put("SaveInSent", "T");
    }
    query
}

/// Undoes the percent encoding of RFC 3986. A plus sign stays one: phones write it in addresses,
/// and spaces as `%20`.
fn decode(text: &str) -> Result<String> {
    let wrong = Error::Query("a percent sign must be followed by two hexadecimal digits");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = tail else { return Err(wrong) };
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(wrong) };
        bytes.push(high << 4 | low);
        rest = tail;
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::Query("a value is not UTF-8"))?;
    if text.contains('\0') {
        return Err(Error::Query("a value holds a NUL"));
    }
    Ok(text)
}

fn encode(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('0', char::from);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(digit(byte >> 4));
            out.push(digit(byte & 0x0F));
        }
    }
}
