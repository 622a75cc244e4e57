//! The packed form in base64 (MS-ASHTTP 2.2.1.1.1.1): version, command, locale, device id, policy
//! key, device type, then parameters as tag, length, value.

use super::{Command, Packed, Parameters, RequestLine, device_id, device_type};
use crate::error::{Error, Result};
use crate::version::ProtocolVersion;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The tags of parameters (MS-ASHTTP 2.2.1.1.1.1.3); 2 and 5 are of versions long gone.
mod tag {
    pub const ATTACHMENT_NAME: u8 = 0;
    pub const COLLECTION_ID: u8 = 1;
    pub const ITEM_ID: u8 = 3;
    pub const LONG_ID: u8 = 4;
    pub const OCCURRENCE: u8 = 6;
    pub const OPTIONS: u8 = 7;
    pub const USER: u8 = 8;
}

const SAVE_IN_SENT: u8 = 0x01;
const ACCEPT_MULTI_PART: u8 = 0x02;

/// The command and the version, whatever else there is.
pub(super) fn command_of(query: &str) -> Option<(Command, ProtocolVersion)> {
    let bytes = unpack(query).ok()?;
    let mut reader = Reader { rest: &bytes };
    let version = ProtocolVersion::from_byte(reader.byte().ok()?).ok()?;
    Some((Command::from_code(reader.byte().ok()?)?, version))
}

fn unpack(query: &str) -> Result<Vec<u8>> {
    // Some phones percent-encode what base64 has beyond letters and digits.
    let mended = query
        .replace("%2B", "+")
        .replace("%2b", "+")
        .replace("%2F", "/")
        .replace("%2f", "/")
        .replace("%3D", "=")
        .replace("%3d", "=");
    ENGINE.decode(&mended).map_err(|_| Error::Query("neither plain, with Cmd=…, nor base64"))
}

pub(super) fn parse(query: &str) -> Result<RequestLine> {
    let bytes = unpack(query)?;
    let mut reader = Reader { rest: &bytes };
    let version = reader.byte()?;
    let version = ProtocolVersion::from_byte(version).map_err(|error| match version {
        // 2.5 and 12.0 exist, if not here.
        25 | 120 => error,
        _ => Error::Query("the packed form is of no version there is"),
    })?;
    let command = Command::from_code(reader.byte()?).ok_or(Error::Command)?;
    let locale = u16::from_le_bytes([reader.byte()?, reader.byte()?]);
    let device = device_id(&device_text(reader.counted()?))?;
    let policy_key = match reader.counted()? {
        [] => None,
        key => {
            let key: [u8; 4] =
                key.try_into().map_err(|_| Error::Query("the policy key is not of 4 bytes"))?;
            Some(u32::from_le_bytes(key))
        }
    };
    let kind = device_type(text(reader.counted()?)?)?;
    let mut user = None;
    let mut parameters = Parameters::default();
    while !reader.rest.is_empty() {
        let tag = reader.byte()?;
        let value = reader.counted()?;
        let slot = match tag {
            tag::ATTACHMENT_NAME => &mut parameters.attachment_name,
            tag::COLLECTION_ID => &mut parameters.collection_id,
            tag::ITEM_ID => &mut parameters.item_id,
            tag::LONG_ID => &mut parameters.long_id,
            tag::OCCURRENCE => &mut parameters.occurrence,
            tag::USER => &mut user,
            tag::OPTIONS => {
                let options = value.first().copied().unwrap_or(0);
                parameters.save_in_sent |= options & SAVE_IN_SENT != 0;
                parameters.accept_multi_part |= options & ACCEPT_MULTI_PART != 0;
                continue;
            }
            _ => continue,
        };
        slot.get_or_insert(text(value)?.to_owned());
    }
    Ok(RequestLine {
        command,
        user,
        device,
        device_type: kind,
        packed: Some(Packed { version, policy_key, locale }),
        parameters,
    })
}

pub(super) fn format(line: &RequestLine, packed: Packed) -> Result<String> {
    let mut bytes = vec![packed.version.as_byte(), line.command.code()];
    bytes.extend(packed.locale.to_le_bytes());
    put(&mut bytes, line.device.as_str().as_bytes())?;
    match packed.policy_key {
        Some(key) => put(&mut bytes, &key.to_le_bytes())?,
        None => put(&mut bytes, &[])?,
    }
    put(&mut bytes, line.device_type.as_bytes())?;
    let parameters = &line.parameters;
    for (tag, value) in [
        (tag::ATTACHMENT_NAME, &parameters.attachment_name),
        (tag::COLLECTION_ID, &parameters.collection_id),
        (tag::ITEM_ID, &parameters.item_id),
        (tag::LONG_ID, &parameters.long_id),
        (tag::OCCURRENCE, &parameters.occurrence),
        (tag::USER, &line.user),
    ] {
        if let Some(value) = value {
            bytes.push(tag);
            put(&mut bytes, value.as_bytes())?;
        }
    }
    let options = if parameters.save_in_sent { SAVE_IN_SENT } else { 0 }
        | if parameters.accept_multi_part { ACCEPT_MULTI_PART } else { 0 };
    if options != 0 {
        bytes.push(tag::OPTIONS);
        put(&mut bytes, &[options])?;
    }
    Ok(ENGINE.encode(bytes))
}

fn put(bytes: &mut Vec<u8>, value: &[u8]) -> Result<()> {
    let length =
        u8::try_from(value.len()).map_err(|_| Error::Query("a value is longer than 255 bytes"))?;
    bytes.push(length);
    bytes.extend_from_slice(value);
    Ok(())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8> {
        let (byte, rest) = self.rest.split_first().ok_or(ENDS)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// A length and so many bytes.
    fn counted(&mut self) -> Result<&'a [u8]> {
        let length = usize::from(self.byte()?);
        let (value, rest) = self.rest.split_at_checked(length).ok_or(ENDS)?;
        self.rest = rest;
        Ok(value)
    }
}

const ENDS: Error = Error::Query("the packed form ends too early");

fn text(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Query("a value is not UTF-8"))?;
    if text.contains('\0') {
        return Err(Error::Query("a value holds a NUL"));
    }
    Ok(text)
}

/// A device id is text, or a GUID in its 16 bytes, which is then written in hexadecimal.
fn device_text(bytes: &[u8]) -> String {
    if bytes.len() == 16 && !bytes.iter().all(u8::is_ascii_graphic) {
        return bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}
