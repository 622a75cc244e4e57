//! Links as QR codes (ISO/IEC 18004), drawn as SVG.

use crate::Refusal;
use fast_qr::{ECL, QRBuilder};
use std::fmt::Write;

/// Modules of white around the code (ISO/IEC 18004 §6.3.8).
const QUIET: usize = 4;

/// The text as a QR code: black on white in either theme, as cameras want it.
pub(crate) fn svg(text: &str) -> Result<String, Refusal> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(Refusal::failed)?;
    let size = code.size;
    let side = size + 2 * QUIET;
    let mut dark = String::new();
    for y in 0..size {
        for x in 0..size {
            if code[y].get(x).is_some_and(|module| module.value()) {
                // Writing to a String cannot fail.
                let _ = write!(dark, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" class=\"qr\" \
         aria-hidden=\"true\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" \
         d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{dark}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_marks_in_three_corners_and_white_around_it() {
        let link = "https://mail.example.org/my/add/0123456789abcdefghjkmnpqrstvwxyz";
        let drawn = svg(link).unwrap();
        let dark = |x: usize, y: usize| drawn.contains(&format!("M{x} {y}h1v1h-1z"));
        let side: usize =
            drawn.split("0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let last = side - 1 - QUIET;
        // Of each mark (ISO/IEC 18004 §6.3.3) the corner is dark, the ring within it is not.
        for (x, y, inward) in [(QUIET, QUIET, 1), (QUIET, last, -1)] {
            assert!(dark(x, y));
            assert!(!dark(x + 1, y.checked_add_signed(inward).unwrap()));
        }
        assert!(dark(last, QUIET) && !dark(last - 1, QUIET + 1));
        assert!(!(0..side).any(|at| dark(at, QUIET - 1) || dark(QUIET - 1, at)));
        assert!(svg(&"x".repeat(5000)).is_err(), "too long for any code");
    }
}
