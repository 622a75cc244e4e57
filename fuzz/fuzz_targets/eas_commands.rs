//! Any document is read or refused as every command's request and answer. What is read can be
//! written for every version, and what is written is read and written the same again.

#![no_main]

use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::email::{DraftContent, EmailView, patch_from_elements, patch_to_elements};
use dme_wbxml::{Element, Limits, decode, encode};
use libfuzzer_sys::fuzz_target;
use std::fmt::Debug;

fuzz_target!(|data: &[u8]| {
    let limits = Limits { depth: 24, elements: 2_000, value: 1 << 16 };
    let Ok(element) = decode(&Bytes::copy_from_slice(data), &limits) else { return };
    commands(&element);
    mails(&element);
});

/// Reads, writes, reads and writes: both writings must be the same.
fn stable<T: Debug, E: Debug>(
    element: &Element,
    read: impl Fn(&Element) -> Result<T, E>,
    write: impl Fn(T, ProtocolVersion) -> Element,
) {
    for version in ProtocolVersion::ALL {
        let Ok(value) = read(element) else { return };
        let shown = format!("{version}: {value:?}");
        let written = write(value, version);
        let document = Bytes::from(encode(&written));
        let received = decode(&document, &Limits::default()).expect("own writing is well formed");
        let again = match read(&received) {
            Ok(again) => again,
            Err(error) => panic!("{error:?}: {shown}\n{}", received.with_contents()),
        };
        let rewritten = encode(&write(again, version));
        assert_eq!(rewritten, document, "{shown}\n{}", received.with_contents());
    }
}

macro_rules! commands {
    ($($module:ident: $write_request:expr, $write_response:expr;)*) => {
        fn commands(element: &Element) {
            $(
                use dme_eas::$module;
                stable(element, $module::Request::from_element, $write_request);
                stable(element, $module::Response::from_element, $write_response);
            )*
            use dme_eas::{send_mail, smart_forward, smart_reply};
            stable(element, send_mail::Request::from_element, |request, _| request.to_element());
            stable(element, smart_reply::Request::from_element, |request, _| request.to_element());
            stable(element, smart_forward::Request::from_element, |request, version| {
                request.to_element(version)
            });
        }
    };
}

commands! {
    find: |request, _| request.to_element(), |response, _| response.to_element();
    folder_create: |request, _| request.to_element(), |response, _| response.to_element();
    folder_delete: |request, _| request.to_element(), |response, _| response.to_element();
    folder_sync: |request, _| request.to_element(), |response, _| response.to_element();
    folder_update: |request, _| request.to_element(), |response, _| response.to_element();
    get_item_estimate: |request, version| request.to_element(version),
        |response, _| response.to_element();
    item_operations: |request, _| request.to_element(), |response, _| response.into_element();
    meeting_response: |request, version| request.to_element(version),
        |response, _| response.to_element();
    move_items: |request, _| request.to_element(), |response, _| response.to_element();
    ping: |request, _| request.to_element(), |response, _| response.to_element();
    provision: |request, version| request.to_element(version),
        |response, version| response.to_element(version);
    resolve_recipients: |request, version| request.to_element(version),
        |response, version| response.to_element(version);
    search: |request, version| request.to_element(version),
        |response, _| response.into_element();
    settings: |request, version| request.to_element(version),
        |response, version| response.to_element(version);
    sync: |request, version| request.to_element(version),
        |response, version| response.into_element(version);
    validate_cert: |request, _| request.to_element(), |response, _| response.to_element();
}

/// Every element's children as the content of a mail.
fn mails(element: &Element) {
    let data = element.children();
    if data.is_empty() {
        return;
    }
    let _ = EmailView::from_elements(data);
    if let Ok(patch) = patch_from_elements(data) {
        assert_eq!(patch_from_elements(&patch_to_elements(&patch)), Ok(patch));
    }
    if let Ok(draft) = DraftContent::from_elements(data) {
        let again = DraftContent::from_elements(&draft.to_elements());
        assert!(again.is_ok(), "{draft:?}: {again:?}");
    }
    data.iter().for_each(mails);
}
