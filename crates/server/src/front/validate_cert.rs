//! ValidateCert (MS-ASCMD 2.2.1.22). The server keeps no store of mail certificates and asks no
//! revocation servers, so it vouches for none: the honest answer is that it does not know.

use super::failure::Failure;
use dme_eas::validate_cert::{Request, Response, Status};
use dme_wbxml::Element;

pub(super) fn handle(body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        let response = Response { status: Status::ProtocolError, certificates: Vec::new() };
        return Ok(response.to_element());
    };
    let certificates = request.certificates.iter().map(|_| Status::UntrustedSource).collect();
    Ok(Response { status: Status::Success, certificates }.to_element())
}
